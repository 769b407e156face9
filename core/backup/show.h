// backup-show: everything the storage says about one backup.
//
// THREADS: a function without state.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/catalog/backup_objects.h"
#include "core/catalog/backups.h"
#include "walrig/storage.h"

namespace walrig {

struct BackupShowOptions {
  BackupSelector selector;
};

struct BackupShowReport {
  BackupEntry entry;
  std::vector<std::string> chain;     // full first; only itself for a full backup; empty when it cannot be followed
  BackupObjects objects;
  std::optional<Proof> proof;
  std::vector<std::string> problems;  // documents that are missing or unreadable, tars without a counterpart
};

// FAILS WITH: kNotFound, storage errors. Damage is in `problems`.
Result<BackupShowReport> BackupShow(const Context& ctx, const BackupShowOptions& options, Storage& storage);

// For --json.
Json BackupShowJson(const BackupShowReport& report);
// For people: label and value, in order; a value may be empty.
std::vector<std::pair<std::string, std::string>> BackupShowLines(const BackupShowReport& report);

}  // namespace walrig
