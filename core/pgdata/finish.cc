#include "core/pgdata/finish.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "core/base/errno_status.h"
#include "core/base/fd.h"
#include "core/pipeline/worker_pool.h"

namespace walrig {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

constexpr size_t kBatchFiles = 64;

// Opens for fsync, even what the mode forbids to its own owner.
Result<Fd> OpenForSync(int dir_fd, const char* name, const std::string& path) {
  int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0) return Fd(fd);
  if (errno != EACCES) return ErrnoStatus(errno, "open " + path);
  struct stat info{};
  if (fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return ErrnoStatus(errno, "stat " + path);
  if (fchmodat(dir_fd, name, info.st_mode | S_IRUSR, 0) != 0) return ErrnoStatus(errno, "chmod " + path);
  Fd opened(openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  int error = errno;
  if (fchmodat(dir_fd, name, info.st_mode & 07777u, 0) != 0) return ErrnoStatus(errno, "chmod " + path);
  if (!opened.valid()) return ErrnoStatus(error, "open " + path);
  return opened;
}

// Hands out what is below some roots, a batch of names of one directory at a time.
class TreeWalk {
 public:
  explicit TreeWalk(const std::vector<std::string>& roots) : waiting_(roots.rbegin(), roots.rend()) {}

  struct Batch {
    std::string directory;
    std::vector<std::string> files;
    bool directory_ended = false;  // then the directory itself is to be synced, too
  };

  // An empty directory name says that there is nothing left. THREADS: any.
  Result<Batch> Next() {
    std::lock_guard lock(mutex_);
    Batch batch;
    if (dir_ == nullptr) {
      if (waiting_.empty()) return batch;
      current_ = std::move(waiting_.back());
      waiting_.pop_back();
      dir_.reset(opendir(current_.c_str()));
      if (dir_ == nullptr) return ErrnoStatus(errno, "open directory " + current_);
    }
    batch.directory = current_;
    while (batch.files.size() < kBatchFiles) {
      errno = 0;
      const dirent* entry = readdir(dir_.get());
      if (entry == nullptr) {
        if (errno != 0) return ErrnoStatus(errno, "read directory " + current_);
        dir_.reset();
        batch.directory_ended = true;
        break;
      }
      WALRIG_TRY(Take(*entry, &batch));
    }
    return batch;
  }

 private:
  Status Take(const dirent& entry, Batch* batch) {
    if (strcmp(entry.d_name, ".") == 0 || strcmp(entry.d_name, "..") == 0) return OkStatus();
    unsigned char type = entry.d_type;
    if (type == DT_UNKNOWN) {
      struct stat info{};
      if (fstatat(dirfd(dir_.get()), entry.d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return ErrnoStatus(errno, "stat " + current_ + "/" + entry.d_name);
      }
      type = S_ISDIR(info.st_mode) ? DT_DIR : S_ISREG(info.st_mode) ? DT_REG : DT_LNK;
    }
    if (type == DT_DIR) waiting_.push_back(current_ + "/" + entry.d_name);
    if (type == DT_REG) batch->files.emplace_back(entry.d_name);
    return OkStatus();
  }

  std::mutex mutex_;
  std::vector<std::string> waiting_;  // guarded by mutex_, as all that follows
  std::string current_;
  Dir dir_;
};

Status SyncBatch(const Context& ctx, const TreeWalk::Batch& batch, SyncReport* report) {
  WALRIG_ASSIGN(Fd directory, OpenFd(batch.directory, O_RDONLY | O_DIRECTORY));
  for (const std::string& name : batch.files) {
    WALRIG_TRY(ctx.Poll());
    std::string path = batch.directory + "/" + name;
    WALRIG_ASSIGN(Fd file, OpenForSync(directory.get(), name.c_str(), path));
    WALRIG_TRY(FsyncFd(file.get(), path));
    ++report->files;
  }
  if (batch.directory_ended) {
    WALRIG_TRY(FsyncDirFd(directory.get(), batch.directory));
    ++report->directories;
  }
  return OkStatus();
}

std::string ParentOf(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<SyncReport> SyncTrees(const Context& ctx, const std::vector<std::string>& roots, size_t workers) {
  TreeWalk walk(roots);
  SyncReport total;
  std::mutex mutex;
  {
    WorkerPool pool(workers);
    for (size_t i = 0; i < std::max<size_t>(workers, 1); ++i) {
      pool.Submit([&]() -> Status {
        SyncReport mine;
        while (!pool.failed()) {
          WALRIG_ASSIGN(TreeWalk::Batch batch, walk.Next());
          if (batch.directory.empty()) break;
          WALRIG_TRY(SyncBatch(ctx, batch, &mine));
        }
        std::lock_guard lock(mutex);
        total.files += mine.files;
        total.directories += mine.directories;
        return OkStatus();
      });
    }
    WALRIG_TRY(pool.Wait());
  }
  for (const std::string& root : roots) {
    // One that we may not read holds no name of ours that is not synced: who makes a directory syncs it there.
    Status synced = FsyncDir(ParentOf(root));
    if (!synced.ok() && synced.code() != Code::kPermission) return synced;
  }
  return total;
}

Status PublishControlFile(TreeWriter& tree, bool fsync) {
  WALRIG_TRY(tree.RenameFile(kControlFileWaiting, kControlFileName));
  if (!fsync) return OkStatus();
  WALRIG_ASSIGN(Fd directory, tree.OpenDirectory("global"));
  return FsyncDirFd(directory.get(), "global");
}

}  // namespace walrig
