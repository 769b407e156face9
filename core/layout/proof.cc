#include "core/layout/proof.h"

#include <fmt/format.h>

#include "core/base/name_hashes.h"
#include "core/base/string_util.h"
#include "core/layout/document_reader.h"
#include "core/layout/json_line.h"

namespace walrig {
namespace {

constexpr std::string_view kWalElsewhere = "elsewhere";

bool NameIsSafe(std::string_view name) {
  if (name.empty() || name.front() == '/') return false;
  for (const std::string& part : Split(name, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return name.find('\0') == std::string_view::npos;
}

bool IsXxh128(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Status Required(DocumentReader& reader, std::string_view key, uint64_t* value) {
  std::optional<uint64_t> number;
  WALRIG_TRY(reader.Uint(key, &number));
  if (!number.has_value()) return reader.Bad(key, "is missing");
  *value = *number;
  return OkStatus();
}

Result<ProofObject> ReadObject(const Json& json, std::string_view what) {
  WALRIG_ASSIGN(DocumentReader reader, DocumentReader::New(json, what));
  ProofObject object;
  WALRIG_TRY(reader.String("name", &object.name));
  if (!NameIsSafe(object.name)) return reader.Bad("name", "is missing or leaves the backup's folder");
  WALRIG_TRY(Required(reader, "stored_size", &object.stored_bytes));
  WALRIG_TRY(Required(reader, "plain_size", &object.plain_bytes));
  WALRIG_TRY(reader.String("xxh128", &object.xxh128));
  if (!IsXxh128(object.xxh128)) return reader.Bad("xxh128", "is no 32 hexadecimal digits");
  return object;
}

Result<ProofManifest> ReadManifest(const Json& json, std::string_view what) {
  WALRIG_ASSIGN(DocumentReader reader, DocumentReader::New(json, what));
  ProofManifest manifest;
  WALRIG_TRY(reader.String("name", &manifest.name));
  if (!NameIsSafe(manifest.name)) return reader.Bad("name", "is missing or leaves the backup's folder");
  WALRIG_TRY(reader.String("algorithm", &manifest.algorithm));
  WALRIG_TRY(Required(reader, "files", &manifest.files));
  return manifest;
}

}  // namespace

const ProofObject* Proof::Find(std::string_view name) const {
  for (const ProofObject& object : objects) {
    if (object.name == name) return &object;
  }
  return nullptr;
}

Result<Proof> ParseProof(std::string_view text, std::string_view what) {
  WALRIG_ASSIGN(const Json json, ParseJson(text, what));
  WALRIG_ASSIGN(DocumentReader reader, DocumentReader::New(json, what));
  Proof proof;
  proof.version = 0;
  proof.hash.clear();
  WALRIG_TRY(reader.Int32("version", &proof.version));
  if (proof.version < 1) return reader.Bad("version", "is missing or below 1");
  if (proof.version > kProofVersion) {
    return NotSupported(fmt::format("{}: version {}, known is {}", what, proof.version, kProofVersion))
        .Hint("a newer walrig wrote this backup");
  }
  WALRIG_TRY(reader.String("walrig", &proof.walrig));
  WALRIG_TRY(reader.String("hash", &proof.hash));
  if (proof.hash != "xxh128") return NotSupported(fmt::format("{}: hash '{}' is not known", what, Printable(proof.hash)));
  WALRIG_TRY(reader.Bool("sealed", &proof.sealed));
  std::string wal;
  WALRIG_TRY(reader.String("wal", &wal));
  proof.wal_elsewhere = wal == kWalElsewhere;
  const Json* objects = reader.Take("objects");
  if (objects == nullptr || !objects->is_array()) return reader.Bad("objects", "is missing or no array");
  NameHashes names;
  for (size_t i = 0; i < objects->size(); ++i) {
    WALRIG_ASSIGN(ProofObject object, ReadObject((*objects)[i], fmt::format("{}: objects[{}]", what, i)));
    names.Add(object.name);
    proof.objects.push_back(std::move(object));
  }
  if (names.HasDuplicate()) return reader.Bad("objects", "holds a name twice");
  if (const Json* manifest = reader.Take("manifest"); manifest != nullptr) {
    WALRIG_ASSIGN(proof.manifest, ReadManifest(*manifest, fmt::format("{}: manifest", what)));
  }
  proof.unknown = reader.Unknown();
  return proof;
}

std::string SerializeProof(const Proof& proof) {
  JsonLine line;
  line.Number("version", proof.version);
  line.String("walrig", proof.walrig);
  line.String("hash", proof.hash);
  if (proof.sealed) line.Bool("sealed", true);
  if (proof.wal_elsewhere) line.String("wal", kWalElsewhere);
  std::string objects = "[";
  for (const ProofObject& object : proof.objects) {
    JsonLine one;
    one.String("name", object.name);
    one.Number("stored_size", object.stored_bytes);
    one.Number("plain_size", object.plain_bytes);
    one.String("xxh128", object.xxh128);
    if (objects.size() > 1) objects += ',';
    objects += '\n' + std::move(one).Finish();
  }
  line.Raw("objects", objects + "\n]");
  if (proof.manifest.has_value()) {
    JsonLine manifest;
    manifest.String("name", proof.manifest->name);
    manifest.String("algorithm", proof.manifest->algorithm);
    manifest.Number("files", proof.manifest->files);
    line.Raw("manifest", std::move(manifest).Finish());
  }
  line.All(proof.unknown);
  return std::move(line).Finish() + "\n";
}

}  // namespace walrig
