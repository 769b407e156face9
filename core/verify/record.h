// What the workers of one backup's verification share: the backup's documents, and the record of what was found.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/catalog/backup_objects.h"
#include "core/layout/proof.h"
#include "core/layout/sentinel.h"
#include "core/pgdata/member_table.h"
#include "core/postgres/control_file.h"
#include "core/verify/backup_verify.h"

namespace walrig {

// THREADS: Add* from any; result() and Take() only while no worker runs.
class VerifyRecord {
 public:
  VerifyRecord(std::string backup_name, size_t findings_max) : findings_max_(findings_max) {
    result_.backup_name = std::move(backup_name);
  }

  void Add(std::string_view where, std::string_view what) {
    std::lock_guard lock(mutex_);
    if (++result_.findings_count <= findings_max_) result_.findings.push_back({std::string(where), std::string(what)});
  }
  void AddObject(uint64_t stored_bytes) {
    std::lock_guard lock(mutex_);
    ++result_.objects;
    result_.stored_bytes += stored_bytes;
  }
  void AddFile(uint64_t plain_bytes, uint64_t pages, uint64_t corrupt_pages) {
    std::lock_guard lock(mutex_);
    ++result_.files;
    result_.plain_bytes += plain_bytes;
    result_.pages += pages;
    result_.corrupt_pages += corrupt_pages;
  }

  BackupVerifyResult& result() { return result_; }
  BackupVerifyResult Take() {
    result_.ok = result_.findings_count == 0;
    return std::move(result_);
  }

 private:
  std::mutex mutex_;  // guards result_ while workers run
  BackupVerifyResult result_;
  const size_t findings_max_;
};

struct BackupUnderTest {
  BackupUnderTest(std::string backup_name, size_t findings_max)
      : name(std::move(backup_name)), record(name, findings_max) {}

  std::string name;
  Sentinel sentinel;
  BackupObjects objects;
  std::optional<Proof> proof;
  MemberTable members;
  std::optional<ControlData> control;  // from pg_control.tar, set before the parts are read
  VerifyRecord record;
};

}  // namespace walrig
