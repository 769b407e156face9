#include "core/base/owner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/base/errno_status.h"
#include "core/base/fd.h"
#include "core/base/random.h"

namespace walrig {
namespace {

// The rights that a group has in a folder, and that new ones in it belong to the group.
constexpr mode_t kGroupRights = S_ISGID | S_IRWXG;

// Gives the folder away before it has its name: whoever finds it there makes something in it for the right owner.
Status MakeFolderAsRoot(const std::string& folder) {
  struct stat there = {};
  if (::lstat(folder.c_str(), &there) == 0) return OkStatus();
  const std::string unnamed = fmt::format("{}.{:016x}", folder, SeedFromSystem());
  if (::mkdir(unnamed.c_str(), 0777) != 0) return ErrnoStatus(errno, "create " + folder);
  const size_t slash = folder.rfind('/');
  const std::string above = slash == std::string::npos ? "." : folder.substr(0, slash + 1);
  const Result<Fd> parent = OpenFd(above, O_RDONLY | O_DIRECTORY);
  const Result<Fd> made = OpenFd(unnamed, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (parent.ok() && made.ok()) GiveToOwnerOf(parent->get(), made->get());
  // Not over an empty one that another made: he may be making something in it.
  int answer = ::renameat2(AT_FDCWD, unnamed.c_str(), AT_FDCWD, folder.c_str(), RENAME_NOREPLACE);
  if (answer != 0 && (errno == EINVAL || errno == ENOSYS)) answer = ::rename(unnamed.c_str(), folder.c_str());
  if (answer == 0) return OkStatus();
  const int error = errno;
  ::rmdir(unnamed.c_str());
  return error == EEXIST || error == ENOTEMPTY ? OkStatus() : ErrnoStatus(error, "create " + folder);
}

Status MakeFolder(const std::string& folder) {
  if (::geteuid() == 0) return MakeFolderAsRoot(folder);
  if (::mkdir(folder.c_str(), 0777) == 0 || errno == EEXIST) return OkStatus();
  return ErrnoStatus(errno, "create " + folder);
}

}  // namespace

void GiveToOwnerOf(int folder_fd, int fd) noexcept {
  if (::geteuid() != 0) return;
  struct stat folder = {};
  struct stat made = {};
  if (::fstat(folder_fd, &folder) != 0 || ::fstat(fd, &made) != 0 || made.st_uid != 0) return;
  if (folder.st_uid == 0 && folder.st_gid == 0) return;
  if (::fchown(fd, folder.st_uid, folder.st_gid) != 0 || !S_ISDIR(made.st_mode)) return;
  static_cast<void>(::fchmod(fd, (made.st_mode & 07777) | (folder.st_mode & kGroupRights)));
}

Status MakeFolders(const std::string& path) {
  for (size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string folder = path.substr(0, end);
    if (folder.empty() || folder == "/" || folder.ends_with("/")) continue;
    WALRIG_TRY(MakeFolder(folder));
  }
  return OkStatus();
}

}  // namespace walrig
