#include "core/wal/restore_role.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "core/postgres/recovery_conf.h"

namespace walrig {
namespace {

constexpr uint64_t kFirstPauseNs = 250'000'000;
constexpr uint64_t kPauseMaxNs = 5'000'000'000;
constexpr uint64_t kTellEveryNs = 60'000'000'000;

enum class Seen : uint8_t { kNo, kYes, kUnknown };

Seen Look(const std::filesystem::path& directory, std::string_view name) {
  struct stat st {};
  if (stat((directory / name).c_str(), &st) == 0) return Seen::kYes;
  return errno == ENOENT || errno == ENOTDIR ? Seen::kNo : Seen::kUnknown;
}

RestoreRole RoleIn(const std::filesystem::path& directory) {
  // With both files PostgreSQL is a standby.
  if (Look(directory, kStandbySignalName) == Seen::kYes) return RestoreRole::kStandby;
  return Look(directory, kRecoverySignalName) == Seen::kNo ? RestoreRole::kOther : RestoreRole::kRecovery;
}

}  // namespace

RestorePlace FindRestorePlace(const std::string& working_directory, const std::string& destination) {
  std::filesystem::path directories[2] = {working_directory};
  const std::filesystem::path parent = std::filesystem::path(destination).parent_path();
  if (parent.filename() == "pg_wal") {
    directories[1] = parent.parent_path();
    if (directories[1].is_relative()) directories[1] = directories[0] / directories[1];
  }
  RestorePlace place;
  for (const std::filesystem::path& directory : directories) {
    if (directory.empty()) continue;
    const RestoreRole role = RoleIn(directory);
    if (role == RestoreRole::kRecovery) return {.role = role, .wal_directory = {}};
    if (role == RestoreRole::kStandby) place = {.role = role, .wal_directory = (directory / "pg_wal").string()};
  }
  return place;
}

uint64_t RestorePatience::LimitNs(const RestorePolicy& policy) const {
  switch (role_) {
    case RestoreRole::kRecovery:
      return policy.patience_ns;
    case RestoreRole::kStandby:
      // A segment at once: the standby goes on streaming, and asks again.
      return is_history_ ? std::min(kHistoryPatienceNs, policy.patience_ns) : 0;
    case RestoreRole::kOther:
      return 0;
  }
  return 0;
}

RestorePatience::Next RestorePatience::AfterFailure(uint64_t now_ns, const RestorePolicy& policy, bool hopeless) {
  const bool first = !first_failure_ns_.has_value();
  if (first) first_failure_ns_ = now_ns;
  const uint64_t limit_ns = hopeless ? 0 : LimitNs(policy);
  const uint64_t waited_ns = now_ns - *first_failure_ns_;
  uint64_t left_ns = waited_ns < limit_ns ? limit_ns - waited_ns : 0;
  if (policy.deadline_ns != 0) left_ns = std::min(left_ns, policy.deadline_ns > now_ns ? policy.deadline_ns - now_ns : 0);
  if (left_ns == 0) {
    const int code = role_ == RestoreRole::kStandby ? kNotNowCode : kStopRecoveryCode;
    return {.tell = true, .exit_code = policy.error_code.value_or(code)};
  }
  pause_ns_ = pause_ns_ == 0 ? kFirstPauseNs : std::min(pause_ns_ * 2, kPauseMaxNs);
  Next next{.again = true, .pause_ns = std::min(pause_ns_, left_ns), .left_ns = left_ns};
  next.tell = first || now_ns - told_ns_ >= kTellEveryNs;
  if (next.tell) told_ns_ = now_ns;
  return next;
}

}  // namespace walrig
