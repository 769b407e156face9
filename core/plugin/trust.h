// Trust: which files may become code of this process. Asked before anything of a plugin runs.
//
// The rule: the resolved file, and every directory from it up to "/", belongs to root or to the user that runs walrig
// (to root alone when root runs it, or at level system) and is writable by nobody else; sticky directories such as
// /tmp do not pass. A symbolic link passes when the directory that holds it passes too.
//
// THREADS: pure but for stat.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig {

enum class TrustLevel : uint8_t {
  kSystem,  // root's files only; environment and home directories are not searched
  kUser,    // also the files of the user that runs walrig
  kAny,     // whatever was named; for developers and tests
};
Result<TrustLevel> ParseTrustLevel(std::string_view text);
std::string_view TrustLevelName(TrustLevel level);

struct TrustPolicy {
  TrustLevel level = TrustLevel::kUser;
  uid_t euid = 0;
  // Group that may write: Debian before 12 made /usr/local 2775 root:staff. Name of the group or "".
  std::string allow_group;
  // The walk upwards ends below this directory. "/" but in tests.
  std::string trusted_root = "/";
};

// Of this process: level kSystem for root and for set-uid programs, else kUser.
TrustPolicy DefaultTrustPolicy();

// Whether the process has privileges that its caller does not have (set-uid, file capabilities): then environment and
// home directories do not count, whatever the level.
bool IsPrivilegeRaised();

enum class TrustProblem : uint8_t { kNone, kMissing, kBadOwner, kBadMode, kBadParent, kNotRegular, kNoExec };
std::string_view TrustProblemName(TrustProblem problem);  // "ok", "missing", "bad_owner", ...

struct TrustVerdict {
  TrustProblem problem = TrustProblem::kNone;
  Status status;         // says path, owner, mode and what would put it right; OK when trusted
  std::string resolved;  // without links
};

// A plugin file, with all directories above it.
TrustVerdict CheckTrustedFile(const std::string& path, const TrustPolicy& policy);
// A file that is only read, such as plugins.lock, with all directories above it.
TrustVerdict CheckTrustedData(const std::string& path, const TrustPolicy& policy);
// A plugin directory, with all above it. A directory that is not there: kMissing, kNotFound.
TrustVerdict CheckTrustedDir(const std::string& path, const TrustPolicy& policy);

}  // namespace walrig
