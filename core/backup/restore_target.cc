#include "core/backup/restore_target.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <system_error>
#include <vector>

#include "core/backup/restore_owner.h"
#include "core/base/errno_status.h"
#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/postgres/data_dir.h"

namespace walrig {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

std::string ParentOf(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

// The directory itself, or the nearest one above that is there.
std::string NearestDirectory(std::string path) {
  struct stat info{};
  while (path != "/" && stat(path.c_str(), &info) != 0) path = ParentOf(path);
  return path;
}

bool HasFile(const std::string& directory, std::string_view name) {
  struct stat info{};
  return lstat(fmt::format("{}/{}", directory, name).c_str(), &info) == 0;
}

// A name that lies in the directory, other than `ignored`; "" when it is empty or absent.
Result<std::string> FirstEntry(const std::string& path, std::string_view ignored) {
  std::unique_ptr<DIR, CloseDir> dir(opendir(path.c_str()));
  if (dir == nullptr) {
    if (errno == ENOENT) return std::string();
    return ErrnoStatus(errno, "open directory " + path);
  }
  errno = 0;
  while (const dirent* entry = readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && name != ignored) return std::string(name);
  }
  if (errno != 0) return ErrnoStatus(errno, "read directory " + path);
  return std::string();
}

Status RequireEmpty(const std::string& path, std::string_view what, std::string_view otherwise, std::string_view ignored) {
  WALRIG_ASSIGN(std::string found, FirstEntry(path, ignored));
  if (found.empty()) return OkStatus();
  if (HasFile(path, kPostmasterPidName)) {
    return AlreadyExists(fmt::format("{} {} holds {}: a server seems to run in it", what, path, kPostmasterPidName))
        .Hint("stop the server and restore into an empty directory");
  }
  if (HasFile(path, kRestoreMarker)) {
    return AlreadyExists(fmt::format("{} {} holds a restore that was interrupted", what, path))
        .Hint("remove its content and restore again");
  }
  return AlreadyExists(fmt::format("{} {} is not empty: it holds '{}'", what, path, Printable(found)))
      .Hint(fmt::format("restore into an empty directory{}; one that is a mount point needs a directory below it",
                        otherwise));
}

std::string Resolved(const std::string& path) {
  std::error_code error;
  std::string resolved = std::filesystem::weakly_canonical(path, error).string();
  return error ? path : resolved;
}

// Different paths may lead to one directory: through links, or with "..".
Status CheckResolvedPlaces(const std::string& target, const RestorePlan& plan) {
  TablespaceSpec resolved;
  for (const Tablespace& tablespace : plan.tablespaces.tablespaces()) {
    WALRIG_TRY(resolved.Add(tablespace.name, Resolved(tablespace.location)));
  }
  return resolved.CheckPlaces(Resolved(target)).Hint("move them with --tablespace-mapping OLD=NEW or --restore-spec FILE");
}

Status CheckSpace(const std::string& target, const RestorePlan& plan) {
  if (plan.sentinel.uncompressed_bytes <= 0) return OkStatus();
  const auto needed_bytes = static_cast<uint64_t>(plan.sentinel.uncompressed_bytes);
  // How much goes where is not written anywhere, so all places together must do.
  std::map<dev_t, uint64_t> free_bytes;
  std::vector<std::string> places{target};
  for (const Tablespace& tablespace : plan.tablespaces.tablespaces()) places.push_back(tablespace.location);
  for (const std::string& place : places) {
    const std::string directory = NearestDirectory(place);
    struct stat info{};
    struct statvfs volume{};
    if (stat(directory.c_str(), &info) != 0) return ErrnoStatus(errno, "stat " + directory);
    if (statvfs(directory.c_str(), &volume) != 0) return ErrnoStatus(errno, "statvfs " + directory);
    free_bytes[info.st_dev] = static_cast<uint64_t>(volume.f_bavail) * volume.f_frsize;
  }
  uint64_t total_bytes = 0;
  for (const auto& [device, bytes] : free_bytes) total_bytes += bytes;
  if (total_bytes >= needed_bytes) return OkStatus();
  return NoSpace(fmt::format("{} has {} free, the backup needs {}", target, FormatBytes(total_bytes),
                             FormatBytes(needed_bytes)));
}

Status Own(const std::string& path, const std::optional<TreeOwner>& owner) {
  if (!owner || chown(path.c_str(), owner->uid, owner->gid) == 0) return OkStatus();
  return ErrnoStatus(errno, "change the owner of " + path)
      .Hint(fmt::format("run backup-fetch as the user that PostgreSQL runs as ({})", UserText(owner->uid)));
}

// What is made on the way is `owner`'s too: under a strict umask of root's the server could not pass it.
Status MakeDirectories(const std::string& path, mode_t mode, const std::optional<TreeOwner>& owner, bool fsync) {
  struct stat info{};
  if (stat(path.c_str(), &info) == 0) {
    return S_ISDIR(info.st_mode) ? OkStatus() : InvalidArgument(path + " is not a directory");
  }
  if (errno != ENOENT) return ErrnoStatus(errno, "stat " + path);
  const std::string parent = ParentOf(path);
  WALRIG_TRY(MakeDirectories(parent, 0755, owner, fsync));
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return ErrnoStatus(errno, "make directory " + path);
  WALRIG_TRY(Own(path, owner));
  return fsync ? FsyncDir(parent) : OkStatus();
}

// A directory of the restore itself. A set-group-id bit is the administrator's decision about the group of what is in it.
Status TakeDirectory(const std::string& path, const std::optional<TreeOwner>& owner, bool fsync) {
  WALRIG_TRY(MakeDirectories(path, 0700, owner, fsync));
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return ErrnoStatus(errno, "stat " + path);
  // That of a tablespace may be another's and let us in by its group.
  if (geteuid() != 0 && info.st_uid != geteuid()) return OkStatus();
  WALRIG_TRY(Own(path, owner));
  return chmod(path.c_str(), 0700u | (info.st_mode & S_ISGID)) == 0 ? OkStatus() : ErrnoStatus(errno, "chmod " + path);
}

Status CheckDirectoryOrAbsent(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) == 0) {
    if (!S_ISDIR(info.st_mode)) return InvalidArgument(path + " is not a directory");
    return access(path.c_str(), R_OK | W_OK | X_OK) == 0 ? OkStatus() : ErrnoStatus(errno, "write into " + path);
  }
  if (errno != ENOENT) return ErrnoStatus(errno, "stat " + path);
  if (lstat(path.c_str(), &info) == 0) return InvalidArgument(path + " is a symbolic link that leads nowhere");
  const std::string above = NearestDirectory(path);
  return access(above.c_str(), W_OK | X_OK) == 0 ? OkStatus() : ErrnoStatus(errno, "make a directory in " + above);
}

Status CheckOwner(const std::string& target) {
  struct stat info{};
  if (geteuid() == 0 || stat(target.c_str(), &info) != 0 || info.st_uid == geteuid()) return OkStatus();
  return PermissionDenied(fmt::format("target directory {} belongs to user {}, and backup-fetch runs as {}", target,
                                      UserText(info.st_uid), UserText(geteuid())))
      .Hint("PostgreSQL starts only in a directory of its own user: run backup-fetch as that user, in a directory of its own");
}

}  // namespace

bool HoldsUnfinishedRestore(const std::string& target) { return HasFile(target, kRestoreMarker); }

Result<std::string> AbsoluteTarget(const std::string& path) {
  if (path.empty()) return InvalidArgument("no target directory was given");
  std::string absolute = path;
  if (path[0] != '/') {
    char cwd[PATH_MAX];
    if (getcwd(cwd, sizeof(cwd)) == nullptr) return ErrnoStatus(errno, "getcwd");
    absolute = fmt::format("{}/{}", cwd, path);
  }
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
  if (absolute == "/") return InvalidArgument("the root directory is no target of a restore");
  return absolute;
}

Status CheckTarget(const std::string& target, const RestorePlan& plan, bool check_space) {
  WALRIG_TRY(CheckResolvedPlaces(target, plan));
  WALRIG_TRY(CheckDirectoryOrAbsent(target));
  WALRIG_TRY(CheckOwner(target));
  WALRIG_TRY(RequireEmpty(target, "target directory", "", ""));
  for (const Tablespace& tablespace : plan.tablespaces.tablespaces()) {
    const std::string what = fmt::format("directory of tablespace {}", tablespace.name);
    static constexpr std::string_view kMapping = ", by --tablespace-mapping OLD=NEW or --restore-spec FILE";
    Status status = CheckDirectoryOrAbsent(tablespace.location);
    // PostgreSQL looks at nothing but its own folder in there, so it may be a file system's root.
    if (status.ok()) status = RequireEmpty(tablespace.location, what, kMapping, "lost+found");
    if (status.ok()) continue;
    // What is in the way has hints of its own, that name the options where they help.
    return status.code() == Code::kAlreadyExists
               ? status
               : std::move(status).Hint("move it with --tablespace-mapping OLD=NEW or --restore-spec FILE");
  }
  return check_space ? CheckSpace(target, plan) : OkStatus();
}

Result<std::unique_ptr<TreeWriter>> PrepareTarget(const std::string& target, const RestorePlan& plan,
                                                  const std::optional<TreeOwner>& owner, bool fsync) {
  WALRIG_TRY(TakeDirectory(target, owner, fsync));
  WALRIG_ASSIGN(std::unique_ptr<TreeWriter> tree, TreeWriter::Open(target, owner));
  WALRIG_TRY(tree->WriteFile(kRestoreMarker, 0600,
                             fmt::format("restore of {} has begun and has not ended\n", plan.backup_name)));
  for (const Tablespace& tablespace : plan.tablespaces.tablespaces()) {
    WALRIG_TRY(TakeDirectory(tablespace.location, owner, fsync));
    WALRIG_TRY(tree->AddTablespace(tablespace.name, tablespace.location));
  }
  return tree;
}

}  // namespace walrig
