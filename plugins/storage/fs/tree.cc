#include "plugins/storage/fs/tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "plugins/storage/fs/names.h"

namespace walrig::fs {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY;
// As WAL-G: 0755 less the umask.
constexpr mode_t kFolderMode = 0755;
// Another process may prune a folder between our making it and our using it. It must lose interest some time.
constexpr int kMakeAttemptsMax = 16;

}  // namespace

Result<Fd> Tree::OpenFolder(const std::string& folder) const {
  Fd fd = OpenBelow(root(), folder, kFolderFlags);
  if (fd.valid()) return fd;
  if (errno == ENOTDIR || errno == ENAMETOOLONG) errno = ENOENT;
  return ErrnoStatus(errno, "open folder " + folder);
}

Result<Fd> Tree::MakeFolder(const std::string& folder) {
  for (int attempt = 0;; ++attempt) {
    Fd fd = OpenBelow(root(), folder, kFolderFlags);
    if (fd.valid()) return fd;
    if (errno != ENOENT || attempt == kMakeAttemptsMax) return ErrnoStatus(errno, "open folder " + folder);
    WALRIG_TRY(MakeMissing(folder));
  }
}

Status Tree::MakeMissing(const std::string& folder) {
  const std::unique_lock lock(folders_mutex_);
  std::string done;
  size_t begin = 0;
  while (begin <= folder.size()) {
    size_t end = folder.find('/', begin);
    if (end == std::string::npos) end = folder.size();
    const std::string part = folder.substr(begin, end - begin);
    Fd parent = OpenBelow(root(), done, kFolderFlags);
    if (!parent.valid()) {
      // Pruned under our hands: the caller begins again.
      return errno == ENOENT ? OkStatus() : ErrnoStatus(errno, "open folder " + done);
    }
    if (::mkdirat(parent.get(), part.c_str(), kFolderMode) == 0) {
      const Fd made = OpenBelow(parent.get(), part, kFolderFlags);
      if (made.valid()) GiveToOwnerOf(parent.get(), root(), made.get());
      if (const int err = sync_ ? SyncFolderFd(parent.get()) : 0; err != 0) {
        Status failure = ErrnoStatus(err, "sync the folder of " + folder.substr(0, end));
        // The next writer would find it made, and sync nothing; one that is quick has a file in it already.
        if (::unlinkat(parent.get(), part.c_str(), AT_REMOVEDIR) != 0) unsynced_ = failure;
        return failure;
      }
    } else if (errno != EEXIST) {
      if (errno == ENOENT) return OkStatus();
      return ErrnoStatus(errno, "make folder " + folder.substr(0, end));
    }
    done = folder.substr(0, end);
    begin = end + 1;
  }
  return OkStatus();
}

Status Tree::AwaitFolders() {
  const std::shared_lock lock(folders_mutex_);
  return unsynced_;
}

std::string Tree::PruneFolder(const std::string& folder) {
  const std::unique_lock lock(prune_mutex_);
  std::string left = folder;
  while (!left.empty()) {
    auto [above, name] = SplitKey(left);
    const Fd parent = OpenBelow(root(), above, O_PATH | O_DIRECTORY);
    const bool gone = parent.valid() ? ::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT
                                     : errno == ENOENT;
    if (!gone) break;
    left = above;
  }
  return left;
}

}  // namespace walrig::fs
