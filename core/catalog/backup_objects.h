// The tars of one backup as they lie in the storage: which there are, what each is, and how it was encoded.
//
// Readers rely on the listing, never on numbering: parts have gaps, composers add copy_<n>, old releases end names of
// uncompressed objects with a dot, WAL-E has no pg_control.tar.
//
// THREADS: values and functions without state.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/storage.h"

namespace walrig {

struct TarObject {
  enum class Kind { kPart, kControl, kLabel };
  Kind kind = Kind::kPart;
  std::string key;        // of the storage
  std::string file_name;  // "part_001.tar.zst"
  std::string stem;       // "part_001.tar": how TarFileSets and the listing are matched, whatever the extension
  std::string extension;  // "zst"; "" when stored as it is
  uint64_t size_bytes = 0;
};

struct BackupObjects {
  std::vector<TarObject> parts;              // largest first, so that parallel workers end together
  std::vector<TarObject> control;            // pg_control.tar; more than one means two extensions
  std::vector<TarObject> label;              // backup_label.tar
  std::vector<std::string> foreign;          // keys in tar_partitions that are no tar of a backup
  std::vector<std::string> unlisted;         // keys of tars that SetAsideUnlisted took out
  bool has_manifest = false;                 // <backup>/backup_manifest
  bool has_files_metadata = false;
  bool has_proof = false;
  bool has_seal = false;
  uint64_t manifest_size_bytes = 0;
  uint64_t stored_bytes = 0;                 // of all tars
};

// What `file_name` is; nullopt for a foreign one.
std::optional<TarObject> ClassifyTarName(std::string_view file_name);

// FAILS WITH: what listing fails with.
Result<BackupObjects> ListBackupObjects(const Context& ctx, Storage& storage, const std::string& backup_name);

}  // namespace walrig
