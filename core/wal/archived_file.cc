#include "core/wal/archived_file.h"

#include <optional>
#include <string>

#include "core/catalog/codec_source.h"
#include "core/layout/paths.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/decoding_source.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

// Opens one stored form; nothing when it is not there.
Result<std::optional<ArchivedWalFile>> Open(const Context& ctx, Storage& storage, CodecProvider& codecs,
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

// Any other form under which the file is stored: by a compressor that WAL-G does not know.
Result<std::optional<WalCandidate>> FindUnusual(const Context& ctx, Storage& storage, std::string_view name) {
  auto entries = ListAll(ctx, storage, WalKey(name, "") + ".");
  if (!entries.ok() && entries.status().code() == Code::kNotFound) {
    // Nothing below a prefix is an empty list. It is the storage that is not there, which says nothing about the file.
    return Unavailable("the archive cannot be listed: " + std::string(entries.status().message()));
  }
  if (!entries.ok()) return std::move(entries).status();
  for (const ObjectInfo& entry : *entries) {
    const auto object = ParseWalObjectName(std::string_view(entry.key).substr(kWalFolder.size()));
    if (object && object->wal_file == name) return std::optional<WalCandidate>({entry.key, object->extension});
  }
  return std::optional<WalCandidate>();
}

}  // namespace

Result<ArchivedWalFile> OpenArchivedWalFile(const Context& ctx, Storage& storage, CodecProvider& codecs,
                                            std::string_view name, std::string_view preferred_extension) {
  for (const WalCandidate& candidate : WalCandidates(name, preferred_extension)) {
    WALRIG_ASSIGN(auto archived, Open(ctx, storage, codecs, candidate));
    if (archived) return *std::move(archived);
  }
  WALRIG_ASSIGN(const auto unusual, FindUnusual(ctx, storage, name));
  if (unusual) {
    WALRIG_ASSIGN(auto archived, Open(ctx, storage, codecs, *unusual));
    if (archived) return *std::move(archived);
  }
  return NotFound("the archive does not hold '" + std::string(name) + "'");
}

}  // namespace walrig
