// What the workers of one backup's verification share: the backup's documents, and the record of what was found.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/catalog/backup_objects.h"
#include "core/layout/proof.h"
#include "core/layout/seal.h"
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
    // An error that came up from below often begins with the place.
    if (what.size() > where.size() + 2 && what.substr(0, where.size()) == where && what.substr(where.size(), 2) == ": ") {
      what.remove_prefix(where.size() + 2);
    }
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

  // What is not looked at, and why.
  void LeaveOut(std::string_view what, std::string_view why) {
    std::lock_guard lock(mutex_);
    result_.left_out.push_back({std::string(what), std::string(why)});
  }

  BackupVerifyResult& result() { return result_; }
  BackupVerifyResult Take() {
    result_.ok = result_.findings_count == 0 && result_.not_verified.empty();
    return std::move(result_);
  }

 private:
  std::mutex mutex_;  // guards result_ while workers run
  BackupVerifyResult result_;
  const size_t findings_max_;
};

// Notices members whose paths lead through a link that is another member, in whatever order they come.
// THREADS: any.
class LinkGuard {
 public:
  // Whether `name` leads through a link that was met.
  bool Crosses(std::string_view name) {
    std::lock_guard lock(mutex_);
    bool crosses = false;
    for (size_t slash = name.rfind('/'); slash != std::string_view::npos; slash = name.rfind('/')) {
      name = name.substr(0, slash);
      if (links_.count(name) != 0) crosses = true;
      if (directories_.find(name) == directories_.end()) {
        directories_.emplace(name);
      } else if (links_.empty()) {
        break;  // its parents are known as well
      }
    }
    return crosses;
  }
  // The same for a link; also whether something below it was met before.
  bool MeetsLink(std::string_view name) {
    const bool crosses = Crosses(name);
    std::lock_guard lock(mutex_);
    links_.emplace(name);
    return crosses || directories_.count(name) != 0;
  }

 private:
  std::mutex mutex_;
  std::set<std::string, std::less<>> links_;        // guarded by mutex_
  std::set<std::string, std::less<>> directories_;  // guarded by mutex_
};

struct BackupUnderTest {
  BackupUnderTest(std::string backup_name, size_t findings_max)
      : name(std::move(backup_name)), record(name, findings_max) {}

  std::string name;
  Sentinel sentinel;
  BackupObjects objects;
  std::optional<Proof> proof;
  std::optional<Seal> seal;            // checked
  MemberTable members;
  std::optional<ControlData> control;  // from pg_control.tar, set before the parts are read
  std::string control_unknown = "pg_control could not be read";  // why there is none
  LinkGuard links;
  VerifyRecord record;
};

}  // namespace walrig
