#include "plugins/storage/fs/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>

#include "plugins/storage/fs/posix.h"
#include "walrig/sdk/call.h"

namespace walrig::fs {
namespace {

constexpr uint32_t kEntriesBetweenPolls = 1024;

struct CloseDir {
  void operator()(DIR* dir) const noexcept { ::closedir(dir); }
};

unsigned char TypeOf(int folder_fd, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type;
  struct stat s{};
  if (::fstatat(folder_fd, entry.d_name, &s, AT_SYMLINK_NOFOLLOW) != 0) return DT_UNKNOWN;
  return S_ISREG(s.st_mode) ? DT_REG : S_ISDIR(s.st_mode) ? DT_DIR : S_ISLNK(s.st_mode) ? DT_LNK : DT_UNKNOWN;
}

}  // namespace

Status ForEachEntry(const Context& ctx, int folder_fd, const std::string& folder,
                    const std::function<bool(const dirent& entry, unsigned char type)>& use) {
  const auto failed = [&folder](int err) { return err == ENOENT ? OkStatus() : ErrnoStatus(err, "list folder " + folder); };
  // A descriptor of its own: the offset of a duplicate would be shared.
  const int fd = ::openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, CloseDir> dir(fd < 0 ? nullptr : ::fdopendir(fd));
  if (dir == nullptr) {
    const int err = errno;
    if (fd >= 0) ::close(fd);
    return failed(err);
  }
  for (uint32_t count = 0;; ++count) {
    if (count % kEntriesBetweenPolls == 0) WALRIG_TRY(sdk::PollStop(ctx));
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) return errno == 0 ? OkStatus() : failed(errno);
    if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
    if (!use(*entry, TypeOf(folder_fd, *entry))) return OkStatus();
  }
}

}  // namespace walrig::fs
