#include "core/layout/seal.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/checksum.h"
#include "core/base/json.h"
#include "core/layout/document_reader.h"
#include "core/layout/json_line.h"
#include "core/layout/paths.h"

namespace walrig {
namespace {

constexpr size_t kSha256Digits = 64;

Result<SealedDocument> ReadDocument(const Json& json, std::string_view what) {
  WALRIG_ASSIGN(DocumentReader reader, DocumentReader::New(json, what));
  SealedDocument document;
  WALRIG_TRY(reader.String("name", &document.name));
  if (document.name.empty()) return reader.Bad("name", "is missing");
  std::optional<uint64_t> size;
  WALRIG_TRY(reader.Uint("size", &size));
  if (!size.has_value()) return reader.Bad("size", "is missing");
  document.size_bytes = *size;
  WALRIG_TRY(reader.String("sha256", &document.sha256));
  if (document.sha256.size() != kSha256Digits ||
      document.sha256.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return reader.Bad("sha256", "is no 64 hexadecimal digits");
  }
  return document;
}

}  // namespace

const SealedDocument* Seal::Find(std::string_view name) const {
  for (const SealedDocument& document : documents) {
    if (document.name == name) return &document;
  }
  return nullptr;
}

Result<Seal> ParseSeal(std::string_view text, std::string_view what) {
  WALRIG_ASSIGN(const Json json, ParseJson(text, what));
  WALRIG_ASSIGN(DocumentReader reader, DocumentReader::New(json, what));
  Seal seal;
  seal.version = 0;
  WALRIG_TRY(reader.Int32("version", &seal.version));
  if (seal.version < 1) return reader.Bad("version", "is missing or below 1");
  if (seal.version > kSealVersion) {
    return NotSupported(fmt::format("{}: version {}, known is {}", what, seal.version, kSealVersion))
        .Hint("a newer walrig wrote this backup");
  }
  WALRIG_TRY(reader.String("backup", &seal.backup));
  if (seal.backup.empty()) return reader.Bad("backup", "is missing");
  const Json* documents = reader.Take("documents");
  if (documents == nullptr || !documents->is_array()) return reader.Bad("documents", "is missing or no array");
  for (size_t i = 0; i < documents->size(); ++i) {
    WALRIG_ASSIGN(SealedDocument document, ReadDocument((*documents)[i], fmt::format("{}: documents[{}]", what, i)));
    if (seal.Find(document.name) != nullptr) return reader.Bad("documents", "holds a name twice");
    seal.documents.push_back(std::move(document));
  }
  if (seal.Find(kProofName) == nullptr || seal.Find(kSealedSentinelName) == nullptr) {
    return reader.Bad("documents", fmt::format("lacks {} or {}", kProofName, kSealedSentinelName));
  }
  return seal;
}

std::string SerializeSeal(const Seal& seal) {
  JsonLine line;
  line.Number("version", seal.version);
  line.String("backup", seal.backup);
  std::string documents = "[";
  for (const SealedDocument& document : seal.documents) {
    JsonLine one;
    one.String("name", document.name);
    one.Number("size", document.size_bytes);
    one.String("sha256", document.sha256);
    if (documents.size() > 1) documents += ',';
    documents += '\n' + std::move(one).Finish();
  }
  line.Raw("documents", documents + "\n]");
  return std::move(line).Finish() + "\n";
}

Result<SealedDocument> SealDocument(std::string_view name, std::string_view text) {
  WALRIG_ASSIGN(Sha256 digest, Sha256::New());
  digest.Update(AsBytes(text));
  return SealedDocument{std::string(name), text.size(), digest.Hex()};
}

Status CheckSealed(const Seal& seal, std::string_view name, std::string_view text, std::string_view key) {
  const SealedDocument* sealed = seal.Find(name);
  if (sealed == nullptr) return Corruption(fmt::format("{} is not in the seal of backup {}", key, seal.backup));
  WALRIG_ASSIGN(const SealedDocument found, SealDocument(name, text));
  return CompareSealed(*sealed, found.size_bytes, found.sha256, key);
}

Status CompareSealed(const SealedDocument& sealed, uint64_t size_bytes, std::string_view sha256, std::string_view key) {
  if (size_bytes == sealed.size_bytes && sha256 == sealed.sha256) return OkStatus();
  return Corruption(fmt::format("{} is not the document that was sealed with the backup", key))
      .Hint("somebody changed or exchanged it after the backup, or the storage damaged it");
}

}  // namespace walrig
