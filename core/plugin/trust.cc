#include "core/plugin/trust.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>
#include <vector>

#include "core/base/errno_status.h"

namespace walrig {
namespace {

std::string UserName(uid_t uid) {
  struct passwd entry;
  struct passwd* found = nullptr;
  std::vector<char> buffer(4096);
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return found->pw_name;
  return fmt::format("uid {}", uid);
}

std::string GroupName(gid_t gid) {
  struct group entry;
  struct group* found = nullptr;
  std::vector<char> buffer(16384);
  if (getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return found->gr_name;
  return fmt::format("{}", gid);
}

bool IsAllowedGroup(gid_t gid, const std::string& name) { return !name.empty() && GroupName(gid) == name; }

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return "/";
  return path.substr(0, slash);
}

bool OwnerPasses(uid_t uid, const TrustPolicy& policy) {
  return uid == 0 || (policy.level == TrustLevel::kUser && uid == policy.euid);
}

std::string WantedOwner(const TrustPolicy& policy) {
  if (policy.level == TrustLevel::kSystem || policy.euid == 0) return "root";
  return "root or " + UserName(policy.euid);
}

// One file or directory by itself.
TrustVerdict CheckOne(const std::string& path, const struct stat& st, const TrustPolicy& policy) {
  const unsigned mode = st.st_mode & 07777u;
  if (!OwnerPasses(st.st_uid, policy)) {
    return {TrustProblem::kBadOwner,
            PermissionDenied(fmt::format("{} belongs to {} (mode {:04o}), not to {}", path, UserName(st.st_uid), mode,
                                         WantedOwner(policy)))
                .Hint(fmt::format("chown root {}, or set WALRIG_PLUGIN_TRUST=any where that is no danger", path)),
            path};
  }
  std::string fix = "chmod go-w " + path;
  // A sticky directory such as /tmp is meant to be so.
  if ((mode & S_ISVTX) != 0) fix = "move the plugin elsewhere";
  if ((mode & S_IWOTH) == 0) fix += ", set WALRIG_PLUGIN_ALLOW_GROUP=" + GroupName(st.st_gid) + " if its group is trusted";
  const bool group_writes = (mode & S_IWGRP) != 0 && !IsAllowedGroup(st.st_gid, policy.allow_group);
  if (group_writes || (mode & S_IWOTH) != 0) {
    return {TrustProblem::kBadMode,
            PermissionDenied(fmt::format("{} (owner {}, mode {:04o}) is writable by {}", path, UserName(st.st_uid), mode,
                                         (mode & S_IWOTH) != 0 ? "everybody" : "its group"))
                .Hint(fix + ", or set WALRIG_PLUGIN_TRUST=any where that is no danger"),
            path};
  }
  return {};
}

TrustVerdict Missing(int err, const std::string& path) {
  return {TrustProblem::kMissing, ErrnoStatus(err, "stat " + path), path};
}

// `path` is resolved; everything from it up to the trusted root.
TrustVerdict CheckUpwards(std::string path, const TrustPolicy& policy) {
  for (bool first = true;; first = false, path = ParentOf(path)) {
    if (!first && path == policy.trusted_root && path != "/") return {};
    struct stat st;
    if (stat(path.c_str(), &st) != 0) return Missing(errno, path);
    TrustVerdict verdict = CheckOne(path, st, policy);
    if (verdict.problem != TrustProblem::kNone) {
      if (!first) verdict.problem = TrustProblem::kBadParent;
      return verdict;
    }
    if (path == "/") return {};
  }
}

Result<std::string> Resolve(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> text(realpath(path.c_str(), nullptr), &std::free);
  if (text == nullptr) return ErrnoStatus(errno, "resolve " + path);
  return std::string(text.get());
}

// A path that goes through links: the directories that hold them must pass, too.
TrustVerdict CheckNamed(const std::string& path, const std::string& resolved, const TrustPolicy& policy) {
  TrustVerdict verdict = CheckUpwards(resolved, policy);
  verdict.resolved = resolved;
  if (verdict.problem != TrustProblem::kNone || path == resolved) return verdict;
  std::string at = path;
  for (int depth = 0; at != "/" && depth < 64; ++depth, at = ParentOf(at)) {
    struct stat st;
    if (lstat(at.c_str(), &st) != 0) return Missing(errno, at);
    if (!S_ISLNK(st.st_mode)) continue;
    auto holder = Resolve(ParentOf(at));
    if (!holder.ok()) return {TrustProblem::kMissing, std::move(holder).status(), at};
    TrustVerdict above = CheckUpwards(*holder, policy);
    if (above.problem == TrustProblem::kNone) continue;
    above.problem = TrustProblem::kBadParent;
    above.status = std::move(above.status).With(at + " is a link");
    return above;
  }
  return verdict;
}

enum class Wanted : uint8_t { kCode, kData, kDirectory };

TrustVerdict Check(const std::string& path, const TrustPolicy& policy, Wanted wanted) {
  if (path.empty() || path[0] != '/') {
    return {TrustProblem::kMissing, InvalidArgument("\"" + path + "\" is no absolute path"), path};
  }
  auto resolved = Resolve(path);
  if (!resolved.ok()) {
    return {resolved.status().code() == Code::kPermission ? TrustProblem::kBadMode : TrustProblem::kMissing,
            std::move(resolved).status(), path};
  }
  struct stat st;
  if (stat(resolved->c_str(), &st) != 0) return Missing(errno, path);
  const bool want_file = wanted != Wanted::kDirectory;
  if (want_file ? !S_ISREG(st.st_mode) : !S_ISDIR(st.st_mode)) {
    return {TrustProblem::kNotRegular,
            PermissionDenied(path + (want_file ? " is no regular file" : " is no directory")), *resolved};
  }
  struct statvfs fs;
  if (wanted == Wanted::kCode && statvfs(resolved->c_str(), &fs) == 0 && (fs.f_flag & ST_NOEXEC) != 0) {
    return {TrustProblem::kNoExec,
            PermissionDenied(path + " lies on a file system that is mounted noexec, from which nothing can be loaded")
                .Hint("move the plugin to another file system, or mount this one with exec"),
            *resolved};
  }
  if (policy.level == TrustLevel::kAny) return {TrustProblem::kNone, OkStatus(), *resolved};
  return CheckNamed(path, *resolved, policy);
}

}  // namespace

Result<TrustLevel> ParseTrustLevel(std::string_view text) {
  for (const TrustLevel level : {TrustLevel::kSystem, TrustLevel::kUser, TrustLevel::kAny}) {
    if (text == TrustLevelName(level)) return level;
  }
  return ConfigError(fmt::format("\"{}\" is no level of trust in plugins", text)).Hint("use system, user or any");
}

std::string_view TrustLevelName(TrustLevel level) {
  switch (level) {
    case TrustLevel::kSystem: return "system";
    case TrustLevel::kUser: return "user";
    case TrustLevel::kAny: return "any";
  }
  return "unknown";
}

TrustPolicy DefaultTrustPolicy() {
  TrustPolicy policy;
  policy.euid = geteuid();
  policy.level = policy.euid == 0 || IsPrivilegeRaised() ? TrustLevel::kSystem : TrustLevel::kUser;
  return policy;
}

bool IsPrivilegeRaised() { return getauxval(AT_SECURE) != 0; }

std::string_view TrustProblemName(TrustProblem problem) {
  switch (problem) {
    case TrustProblem::kNone: return "ok";
    case TrustProblem::kMissing: return "missing";
    case TrustProblem::kBadOwner: return "bad_owner";
    case TrustProblem::kBadMode: return "bad_mode";
    case TrustProblem::kBadParent: return "bad_parent";
    case TrustProblem::kNotRegular: return "not_regular";
    case TrustProblem::kNoExec: return "noexec";
  }
  return "unknown";
}

TrustVerdict CheckTrustedFile(const std::string& path, const TrustPolicy& policy) {
  return Check(path, policy, Wanted::kCode);
}
TrustVerdict CheckTrustedData(const std::string& path, const TrustPolicy& policy) {
  return Check(path, policy, Wanted::kData);
}
TrustVerdict CheckTrustedDir(const std::string& path, const TrustPolicy& policy) {
  return Check(path, policy, Wanted::kDirectory);
}

}  // namespace walrig
