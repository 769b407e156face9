// Seal: <backup>/walrig.json.seal, what a backup is made of, as only somebody can say it who encrypts for the cipher's key. Where
// that key is public (recipients, OpenPGP) this is anybody who has it.
//
//   {"version":1,"backup":"base_...","documents":[{"name":"walrig.json","size":N,"sha256":"64 hex"},...]}
//
// The object is this text passed through the backup's cipher. Documents are named as in the backup's folder, and the sentinel
// kSealedSentinelName. walrig.json is always there, and itself lists every tar. docs/formats/proof.md.
// THREADS: a value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/result.h"

namespace walrig {

inline constexpr int kSealVersion = 1;
inline constexpr uint64_t kSealBytesMax = 64u << 10;  // plain
inline constexpr std::string_view kSealedSentinelName = "backup_stop_sentinel.json";

struct SealedDocument {
  std::string name;
  uint64_t size_bytes = 0;
  std::string sha256;  // 64 lower-case digits
};

struct Seal {
  int version = kSealVersion;
  std::string backup;
  std::vector<SealedDocument> documents;

  const SealedDocument* Find(std::string_view name) const;
};

// FAILS WITH: kCorruption naming the key, for a name that occurs twice and for a seal without walrig.json or sentinel;
// kNotSupported for a higher version.
Result<Seal> ParseSeal(std::string_view text, std::string_view what);
std::string SerializeSeal(const Seal& seal);

// `text` as a document of a seal. FAILS WITH: what Sha256::New says.
Result<SealedDocument> SealDocument(std::string_view name, std::string_view text);

// FAILS WITH: kCorruption naming `key` when `text` is not the document that was sealed as `name`, or none was.
Status CheckSealed(const Seal& seal, std::string_view name, std::string_view text, std::string_view key);
// The same for bytes that were hashed as they passed.
Status CompareSealed(const SealedDocument& sealed, uint64_t size_bytes, std::string_view sha256, std::string_view key);

}  // namespace walrig
