#include "core/catalog/archived_wal.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/catalog/codec_source.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/decoding_source.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

WalCandidate PreferredForm(std::string_view name, std::string_view extension) {
  return {.key = WalKey(name, extension), .extension = std::string(extension)};
}

// Where a list may be behind, absence is only what was asked for by name: then every usual form is.
std::vector<WalCandidate> ProbedForms(const Storage& storage, std::string_view name, std::string_view preferred_extension) {
  if (storage.capabilities().list_your_writes) return {PreferredForm(name, preferred_extension)};
  return WalCandidates(name, preferred_extension);
}

// The forms in which the file is stored, in WAL-G's order, those that WAL-G does not know last.
Result<std::vector<WalCandidate>> ListForms(const Context& ctx, Storage& storage, std::string_view name) {
  auto entries = ListAll(ctx, storage, WalKey(name, ""));
  if (!entries.ok() && entries.status().code() == Code::kNotFound) {
    // Nothing below a prefix is an empty list. It is the storage that is not there, which says nothing about the file.
    return Unavailable("the archive cannot be listed: " + std::string(entries.status().message())).Hint(std::string(entries.status().hint()));
  }
  if (!entries.ok()) return std::move(entries).status();
  const std::vector<WalCandidate> order = WalCandidates(name);
  const auto place = [&order](const WalCandidate& form) {
    return std::find_if(order.begin(), order.end(), [&](const WalCandidate& known) { return known.key == form.key; });
  };
  std::vector<WalCandidate> forms;
  for (const ObjectInfo& entry : *entries) {
    const auto object = ParseWalObjectName(std::string_view(entry.key).substr(kWalFolder.size()));
    if (object && object->wal_file == name) forms.push_back({entry.key, object->extension});
  }
  std::stable_sort(forms.begin(), forms.end(),
                   [&](const WalCandidate& a, const WalCandidate& b) { return place(a) < place(b); });
  return forms;
}

}  // namespace

Result<std::optional<ArchivedWalFile>> OpenWalCandidate(const Context& ctx, Storage& storage, CodecProvider& codecs,
                                                        const WalCandidate& candidate) {
  auto stored = storage.Get(ctx, candidate.key, {});
  if (!stored.ok() && stored.status().code() == Code::kNotFound) return std::optional<ArchivedWalFile>();
  if (!stored.ok()) return std::move(stored).status().With(candidate.key);
  // The object is there: a plugin that is missing must not make it look absent.
  auto compressor = codecs.ForExtension(ctx, candidate.extension);
  if (!compressor.ok() && compressor.status().code() == Code::kNotFound) {
    return NotSupported(candidate.key + ": " + std::string(compressor.status().message()))
        .Hint(std::string(compressor.status().hint()));
  }
  if (!compressor.ok()) return std::move(compressor).status().With(candidate.key);
  const Codec codec{.compressor = *compressor, .cipher = codecs.cipher(), .plaintext_allowed = codecs.plaintext_allowed()};
  WALRIG_ASSIGN(auto plain, DecodingSource::New(codec, std::move(stored).value(), candidate.key));
  return std::optional<ArchivedWalFile>({.key = candidate.key, .plain = std::move(plain)});
}

Result<ArchivedWalFile> OpenArchivedWalFile(const Context& ctx, Storage& storage, CodecProvider& codecs,
                                            std::string_view name, std::string_view preferred_extension) {
  for (const WalCandidate& form : ProbedForms(storage, name, preferred_extension)) {
    WALRIG_ASSIGN(auto archived, OpenWalCandidate(ctx, storage, codecs, form));
    if (archived) return *std::move(archived);
  }
  WALRIG_ASSIGN(const std::vector<WalCandidate> forms, ListForms(ctx, storage, name));
  if (forms.empty()) return NotFound("the archive does not hold '" + std::string(name) + "'");
  for (const WalCandidate& form : forms) {
    WALRIG_ASSIGN(auto archived, OpenWalCandidate(ctx, storage, codecs, form));
    if (archived) return *std::move(archived);
  }
  return Unavailable(forms.front().key + " is in the archive's list and was gone when it was opened");
}

Result<bool> IsWalFileArchived(const Context& ctx, Storage& storage, std::string_view name,
                               std::string_view preferred_extension) {
  WALRIG_ASSIGN(const bool preferred, Exists(ctx, storage, WalKey(name, preferred_extension)));
  if (preferred) return true;
  WALRIG_ASSIGN(const std::vector<WalCandidate> forms, ListForms(ctx, storage, name));
  return !forms.empty();
}

}  // namespace walrig
