// Aliveness: which of several storages can be used, remembered from run to run, with WAL-G's moving average.
//
// Each check of a storage is a 1 or a 0 in an exponential moving average. A living storage counts as dead once the average falls
// below dead_limit, a dead one as living again above alive_limit, so that one which comes and goes is left alone. The
// weight of a check falls linearly: for a living storage from alpha_alive_max at dead_limit to alpha_alive_min at 1, for
// a dead one from alpha_dead_max at 0 to alpha_dead_min at 1. Other than WAL-G, a storage that has just failed its check is
// not used in this run whatever its average.
// A verdict is corrected by what the storage does afterwards: one that fails a call is not believed to live until the
// verdict expires.
// The file is a cache: damaged or missing it is begun anew, and failing to write it harms nobody.
//
// THREADS: functions and values without state; AlivenessBook any.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "walrig/storage.h"

namespace walrig {

struct AlivenessPolicy {
  int64_t lifetime_ns = 900'000'000'000;
  int64_t dead_lifetime_ns = INT64_MAX;  // of a verdict that says dead, where that is shorter
  double alive_limit = 0.99;
  double dead_limit = 0.88;
  double alpha_alive_max = 0.05, alpha_alive_min = 0.01;
  double alpha_dead_max = 0.5, alpha_dead_min = 0.1;
};

struct Aliveness {
  double average = 0;        // WAL-G: actual_aliveness
  bool alive = false;        // by the limits; WAL-G: previous_aliveness
  bool last_check = false;   // WAL-G: potential_aliveness, as 1 or 0
  int64_t updated_ns = 0;

  bool usable() const { return alive && last_check; }
};

// What is known after a check. Without an earlier state the check decides.
Aliveness AfterCheck(const Aliveness* before, bool check, int64_t now_ns, const AlivenessPolicy& policy);

// Lists one name; with write_bytes > 0 also writes and deletes an object of so many bytes, "walrig_storage_check".
Status CheckStorage(const Context& ctx, Storage& storage, uint64_t write_bytes);

using AlivenessCache = std::map<std::string, Aliveness, std::less<>>;
// Never fails: what cannot be read is not known.
AlivenessCache LoadAliveness(const std::string& path);
// Merges `fresh` into the file under a lock, so that two runs do not lose each other's checks.
Status SaveAliveness(const Context& ctx, const std::string& path, const AlivenessCache& fresh);

// Whether a failed call speaks against the storage, and not against the object or the caller: out of reach, full, read-only,
// refusing who asks. Not: absent, taken, damaged, cancelled.
bool SpeaksAgainstStorage(const Status& status);

// What is believed about several storages, kept in a file from run to run.
class AlivenessBook {
 public:
  // `path` "": known in this run only.
  AlivenessBook(std::string path, const AlivenessPolicy& policy);

  // The verdict of an earlier check; nothing when there is none, or its time is over: the storage has to be checked.
  std::optional<Aliveness> Verdict(const Context& ctx, const std::string& id) const;
  // Enters a check. Save writes.
  Aliveness Enter(const Context& ctx, const std::string& id, bool check);
  void Save(const Context& ctx);

  // A call of a storage that counted as alive failed, in a way that speaks against it. With `counts` that is a failed check:
  // the next runs go elsewhere until the verdict expires. Without, the verdict is forgotten and the next run checks: for
  // readers, who must not do without a storage that only had a bad moment. Writes at once.
  void Correct(const Context& ctx, const std::string& id, bool counts);

 private:
  const std::string path_;
  const AlivenessPolicy policy_;
  mutable std::mutex mutex_;
  AlivenessCache known_;  // guarded by mutex_
  AlivenessCache fresh_;  // guarded by mutex_; what Save has to write
};

}  // namespace walrig
