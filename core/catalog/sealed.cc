#include "core/catalog/sealed.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "core/catalog/object_reader.h"
#include "core/layout/paths.h"
#include "core/pipeline/decoding_source.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

Result<std::string> ReadAll(const Context& ctx, Source& source, uint64_t bytes_max, const std::string& key) {
  std::string text;
  Buffer buffer(kIoBufferBytes);
  for (;;) {
    WALRIG_ASSIGN(const size_t got, source.Read(ctx, buffer.span()));
    if (got == 0) return text;
    if (got > bytes_max - text.size()) return Corruption(key + " is larger than any seal");
    text.append(AsText(buffer.first(got)));
  }
}

// nullopt when there is none.
Result<std::optional<Seal>> LoadSeal(const Context& ctx, Storage& storage, CodecProvider& codecs,
                                     const std::string& backup) {
  const std::string key = SealKey(backup);
  auto stored = storage.Get(ctx, key, {});
  if (stored.status().code() == Code::kNotFound) return std::optional<Seal>();
  if (!stored.ok()) return std::move(stored).status().With(key);
  // Never plain, whatever is allowed for data: a seal that nobody sealed proves nothing. Without a cipher it is read for the
  // error that says which one wrote it, where the bytes tell.
  WALRIG_ASSIGN(std::unique_ptr<DecodingSource> plain,
                DecodingSource::New(Codec{.compressor = nullptr, .cipher = codecs.cipher()}, std::move(stored).value(), key));
  WALRIG_ASSIGN(const std::string text, ReadAll(ctx, *plain, kSealBytesMax, key));
  if (codecs.cipher() == nullptr) {
    return PermissionDenied(fmt::format("backup {} is sealed, and no key is configured", backup))
        .Hint("set the key that it was encrypted with (WALRIG_GCRYPT_KEY_FILE, WALG_LIBSODIUM_KEY, WALG_PGP_KEY and the like)");
  }
  WALRIG_ASSIGN(Seal seal, ParseSeal(text, key));
  if (seal.backup != backup) {
    return Corruption(fmt::format("{} is the seal of another backup, {}", key, seal.backup))
        .Hint("somebody put it here: do not trust this backup");
  }
  return std::optional<Seal>(std::move(seal));
}

Status ComparePresence(const Seal& seal, std::string_view name, bool present, const std::string& key) {
  const bool sealed = seal.Find(name) != nullptr;
  if (sealed == present) return OkStatus();
  return Corruption(sealed ? key + " is missing; the seal lists it" : key + " is not in the seal of the backup");
}

nlohmann::json UserDataOf(const std::optional<Json>& data) {
  return data.has_value() ? nlohmann::json(*data) : nlohmann::json();
}

// metadata.json is not sealed, since marking a backup permanent rewrites it. What else it says, the sentinel says as well.
Status CompareMetadata(const BackupMetadata& metadata, const Sentinel& sentinel, const std::string& backup) {
  const bool same = metadata.start_lsn == sentinel.start_lsn && metadata.finish_lsn == sentinel.finish_lsn &&
                    metadata.system_identifier == sentinel.system_identifier &&
                    UserDataOf(metadata.user_data) == UserDataOf(sentinel.user_data);
  if (same) return OkStatus();
  return Corruption(fmt::format("{} does not belong to the sealed sentinel: LSNs, cluster or user data differ",
                                MetadataKey(backup)));
}

Status CheckAgainstSeal(const Context& ctx, Storage& storage, const BackupEntry& entry, BackupObjects& objects,
                        const std::string& proof_text, ProvenBackup* proven) {
  const Seal& seal = *proven->seal;
  if (!proven->proof) return Corruption(ProofKey(entry.name) + " is missing; the seal lists it");
  WALRIG_TRY(CheckSealed(seal, kProofName, proof_text, ProofKey(entry.name)));
  const std::string key = SentinelKey(entry.name);
  WALRIG_ASSIGN(const std::string sentinel, ReadObject(ctx, storage, key, kDocumentBytesMax));
  WALRIG_TRY(CheckSealed(seal, kSealedSentinelName, sentinel, key));
  WALRIG_ASSIGN(proven->sentinel, ParseSentinel(sentinel, key));
  WALRIG_TRY(ComparePresence(seal, kManifestName, objects.has_manifest, ManifestKey(entry.name)));
  WALRIG_TRY(ComparePresence(seal, kFilesMetadataName, objects.has_files_metadata, FilesMetadataKey(entry.name)));
  if (entry.metadata) WALRIG_TRY(CompareMetadata(*entry.metadata, *proven->sentinel, entry.name));
  SetAsideUnlisted(*proven->proof, &objects);
  if (objects.unlisted.empty()) return OkStatus();
  return Corruption(fmt::format("{} is not part of the backup: {}, which is sealed, does not list it", objects.unlisted.front(),
                                kProofName));
}

}  // namespace

Result<ProvenBackup> ProveBackup(const Context& ctx, Storage& storage, CodecProvider& codecs, const BackupEntry& entry,
                                 BackupObjects* objects) {
  ProvenBackup proven;
  WALRIG_ASSIGN(proven.seal, LoadSeal(ctx, storage, codecs, entry.name));
  const std::string proof_key = ProofKey(entry.name);
  auto text = ReadObject(ctx, storage, proof_key, kDocumentBytesMax);
  if (!text.ok() && text.status().code() != Code::kNotFound) return std::move(text).status().With(proof_key);
  if (text.ok()) {
    WALRIG_ASSIGN(proven.proof, ParseProof(*text, proof_key));
  }
  if (proven.seal) {
    WALRIG_TRY(CheckAgainstSeal(ctx, storage, entry, *objects, text.ok() ? *text : std::string(), &proven));
    return proven;
  }
  if (codecs.seal_required()) {
    return Corruption(fmt::format("backup {} has no seal ({}), and WALRIG_REQUIRE_SEAL asks for one", entry.name,
                                  SealKey(entry.name)))
        .Hint("somebody removed it, or WAL-G or an older walrig wrote the backup: for such a one set WALRIG_REQUIRE_SEAL=false");
  }
  if (proven.proof) SetAsideUnlisted(*proven.proof, objects);
  proven.seal_is_lost = proven.proof && proven.proof->sealed;
  return proven;
}

}  // namespace walrig
