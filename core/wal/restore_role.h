// RestoreRole: who asks for a WAL file, and what PostgreSQL is told when it could not be fetched.
//
// PostgreSQL takes every exit code of restore_command from 1 to 125 for "the archive ends here". With recovery.signal it
// then opens for writing, without a word: an error must never look like that. 126 and above end the server, which can
// be started again. A standby only waits for the next segment after 1 to 125, and would be shut down by 126.
//
// A history is another matter there too, and so is a segment where timelines part: a standby takes one that could not be
// fetched for one that does not exist (core/wal/unanswered_files).
//
// Source: PostgreSQL src/backend/access/transam/xlogarchive.c (RestoreArchivedFile), xlogrecovery.c (readRecoverySignalFile).
// THREADS: any; RestorePatience one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace walrig {

enum class RestoreRole : uint8_t {
  kRecovery,  // recovery.signal without standby.signal: a failure ends recovery early
  kStandby,   // standby.signal: a failure of a segment means "not now"
  kOther,     // pg_rewind, people: no server depends on the code's being low
};

struct RestorePlace {
  RestoreRole role = RestoreRole::kOther;
  std::string wal_directory;  // pg_wal of the standby; "" for other roles
};

// PostgreSQL calls restore_command in its data directory; pg_rewind keeps its caller's and gives <data>/pg_wal/NAME. So
// both are looked at: `working_directory`, and the destination's data directory when its parent is called pg_wal. What
// looks like a recovery in one of them is one: its code harms nobody else. So does a signal file that cannot be seen.
RestorePlace FindRestorePlace(const std::string& working_directory, const std::string& destination);

// What the settings say of a failure.
struct RestorePolicy {
  std::optional<int> error_code;                     // WALRIG_WAL_FETCH_ERROR_CODE, when somebody set it
  uint64_t patience_ns = 300ull * 1'000'000'000;     // WALRIG_RESTORE_PATIENCE
  uint64_t deadline_ns = 0;                          // WALRIG_COMMAND_TIMEOUT, on the monotonic clock; 0 for none
};

// How long a standby asks for a history that meets errors, when the patience is not shorter. Longer would delay a promotion.
inline constexpr uint64_t kHistoryPatienceNs = 10ull * 1'000'000'000;
inline constexpr int kStopRecoveryCode = 126;  // PostgreSQL: FATAL, to be started again
inline constexpr int kNotNowCode = 1;          // PostgreSQL: not in the archive

// After each failure: whether to try again, when, and whether to say so; else the exit code.
class RestorePatience {
 public:
  RestorePatience(RestoreRole role, bool is_history) : role_(role), is_history_(is_history) {}

  struct Next {
    bool again = false;
    uint64_t pause_ns = 0;  // before the next try
    bool tell = false;      // the first failure, and one a minute
    uint64_t left_ns = 0;   // of the patience
    int exit_code = 0;      // when it is not tried again
  };
  // `hopeless`: the same again cannot succeed (a typing error).
  Next AfterFailure(uint64_t now_ns, const RestorePolicy& policy, bool hopeless);

  RestoreRole role() const { return role_; }
  // A standby that cannot remember an unanswered file must not be told that there is none.
  void TreatAsRecovery() { role_ = RestoreRole::kRecovery; }

 private:
  uint64_t LimitNs(const RestorePolicy& policy) const;

  RestoreRole role_;
  const bool is_history_;
  std::optional<uint64_t> first_failure_ns_;
  uint64_t told_ns_ = 0;
  uint64_t pause_ns_ = 0;
};

}  // namespace walrig
