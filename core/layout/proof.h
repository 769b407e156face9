// Proof: <backup>/walrig.json, the hash and size of every object of a backup as it lies in the storage.
//
//   {"version":1,"walrig":"0.1.0","hash":"xxh128","objects":[
//     {"name":"tar_partitions/part_001.tar.zst","stored_size":N,"plain_size":N,"xxh128":"32 hex"},...],
//    "manifest":{"name":"backup_manifest","algorithm":"CRC32C","files":N}}
//
// Names are relative to the backup's folder. The proof itself and the sentinel, which comes later, are not listed. docs/formats/proof.md. WAL-G ignores the object, deletes and copies it with the backup.
// THREADS: a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "walrig/result.h"

namespace walrig {

inline constexpr int kProofVersion = 1;

struct ProofObject {
  std::string name;             // "tar_partitions/part_001.tar.zst", "metadata.json"
  uint64_t stored_bytes = 0;
  uint64_t plain_bytes = 0;     // after decryption and decompression
  std::string xxh128;           // of the stored bytes; 32 lower-case digits
  std::string sha256 = {};      // of a document that is to be sealed, for the seal; walrig.json does not hold it
};

struct ProofManifest {
  std::string name;             // "backup_manifest"
  std::string algorithm;        // of the files' checksums: "CRC32C", "SHA256"
  uint64_t files = 0;
};

struct Proof {
  int version = kProofVersion;
  std::string walrig;           // version of the writer
  std::string hash = "xxh128";
  bool sealed = false;          // a seal was written with it
  bool wal_elsewhere = false;   // the WAL of the backup is kept in another place
  std::vector<ProofObject> objects;
  std::optional<ProofManifest> manifest;
  Json unknown;                 // an object; keys of later minor additions

  const ProofObject* Find(std::string_view name) const;
};

// FAILS WITH: kCorruption naming the key, for names that occur twice or leave the backup's folder; kNotSupported for a
// higher version or another hash.
Result<Proof> ParseProof(std::string_view text, std::string_view what = "walrig.json");
std::string SerializeProof(const Proof& proof);

}  // namespace walrig
