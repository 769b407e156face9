#include "plugins/storage/fs/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <tuple>

#include "plugins/storage/fs/names.h"
#include "walrig/sdk/call.h"
#include "walrig/sdk/guard.h"

namespace walrig::fs {
namespace {

constexpr mode_t kFileMode = 0666;  // less the umask, as WAL-G
// Write-back that begins while we still write makes the final fsync short.
constexpr uint64_t kWriteBackBytes = 8u << 20;
constexpr size_t kCopyBytes = 8u << 20;
constexpr int kOpenAttemptsMax = 16;

bool CannotCopyInKernel(int err) {
  return err == EXDEV || err == EINVAL || err == ENOSYS || err == EOPNOTSUPP || err == EPERM || err == EBADF ||
         err == ETXTBSY;
}

// Of renaming without replacing and of linking: not on this file system (FUSE, exFAT), whichever way it says so. The
// temporary file was made in the same folder, so that rights are not what is missing.
bool MeansCannot(int err) { return err == EINVAL || err == ENOSYS || err == EPERM || err == EOPNOTSUPP; }

}  // namespace

ObjectFile::ObjectFile(Tree& tree, std::string_view key, const PutOptions& options)
    : tree_(tree), key_(key), size_expected_(options.size_bytes), only_if_absent_(options.only_if_absent) {
  std::tie(folder_, name_) = SplitKey(key);
}

ObjectFile::~ObjectFile() { Abort(); }

Result<std::unique_ptr<ObjectFile>> ObjectFile::New(const Context& ctx, Tree& tree, std::string_view key,
                                                    const PutOptions& options) {
  std::unique_ptr<ObjectFile> file(new ObjectFile(tree, key, options));
  WALRIG_TRY(file->Open(ctx));
  return file;
}

Status ObjectFile::Open(const Context& ctx) {
  for (int attempt = 0;; ++attempt) {
    const auto hold = tree_.HoldFolders();
    WALRIG_ASSIGN(folder_fd_, tree_.MakeFolder(folder_));
    struct stat s{};
    if (::fstatat(folder_fd_.get(), name_.c_str(), &s, AT_SYMLINK_NOFOLLOW) == 0) {
      if (S_ISDIR(s.st_mode)) return NameInvalid("object " + key_ + ": other objects lie below this name");
      if (only_if_absent_) return AlreadyExists("object " + key_ + " exists");
    }
    std::string temp = TempName(name_, ctx.clock->WallNs());
    fd_ = Fd(::openat(folder_fd_.get(), temp.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
    if (fd_.valid()) {
      // The sign of a living writer (unfinished.h). A file system without locks has none, which only costs tidiness.
      static_cast<void>(::flock(fd_.get(), LOCK_EX | LOCK_NB));
      GiveToOwnerOf(folder_fd_.get(), tree_.root(), fd_.get());
      temp_ = std::move(temp);
      return OkStatus();
    }
    // ENOENT: the folder was empty and got pruned between our two steps; EEXIST: the name is taken.
    if ((errno != ENOENT && errno != EEXIST) || attempt == kOpenAttemptsMax) {
      return ErrnoStatus(errno, "create object " + key_);
    }
  }
}

Status ObjectFile::Write(const Context& ctx, ByteSpan bytes) {
  WALRIG_TRY(ctx.Poll());
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, "write object " + key_);
    }
    bytes = bytes.subspan(static_cast<size_t>(n));
    WALRIG_TRY(Wrote(static_cast<uint64_t>(n)));
  }
  return OkStatus();
}

Status ObjectFile::Wrote(uint64_t count_bytes) {
  written_bytes_ += count_bytes;
  if (size_expected_ != kUnknownSize && written_bytes_ > size_expected_) {
    return InvalidArgument("object " + key_ + ": more than the announced " + std::to_string(size_expected_) + " bytes");
  }
  if (tree_.sync() && written_bytes_ - started_bytes_ >= kWriteBackBytes) {
    // Only a head start: an error will come back from fsync.
    ::sync_file_range(fd_.get(), static_cast<off_t>(started_bytes_),
                      static_cast<off_t>(written_bytes_ - started_bytes_), SYNC_FILE_RANGE_WRITE);
    started_bytes_ = written_bytes_;
  }
  return OkStatus();
}

Status ObjectFile::WriteFrom(const Context& ctx, int source, uint64_t size_bytes) {
  std::unique_ptr<Buffer> buffer;  // only when the kernel cannot
  while (size_bytes > 0) {
    WALRIG_TRY(sdk::PollStop(ctx));
    const size_t want = static_cast<size_t>(std::min<uint64_t>(size_bytes, kCopyBytes));
    ssize_t n = 0;
    if (buffer == nullptr) {
      n = ::copy_file_range(source, nullptr, fd_.get(), nullptr, want, 0);
      if (n < 0 && CannotCopyInKernel(errno)) {
        buffer = std::make_unique<Buffer>(kIoBufferBytes);
        continue;
      }
      if (n > 0) WALRIG_TRY(Wrote(static_cast<uint64_t>(n)));
    } else {
      n = ::read(source, buffer->data(), std::min(want, buffer->size()));
      if (n > 0) WALRIG_TRY(Write(ctx, buffer->first(static_cast<size_t>(n))));
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "copy object " + key_);
    if (n == 0) return Truncated("copy object " + key_ + ": the source ended early");
    size_bytes -= static_cast<uint64_t>(n);
  }
  return OkStatus();
}

Status ObjectFile::Commit(const Context& ctx) {
  if (!fd_.valid()) return Internal("commit of object " + key_ + " after commit or abort");
  Status status = ctx.Poll();
  if (status.ok() && size_expected_ != kUnknownSize && written_bytes_ != size_expected_) {
    status = InvalidArgument("object " + key_ + ": " + std::to_string(written_bytes_) + " bytes came, " +
                             std::to_string(size_expected_) + " were announced");
  }
  if (status.ok() && tree_.sync() && ::fsync(fd_.get()) != 0) status = ErrnoStatus(errno, "sync object " + key_);
  if (status.ok()) status = GiveName();
  if (!status.ok()) {
    Abort();
    return status;
  }
  temp_.clear();
  fd_.Close();
  return tree_.sync() ? SyncFolder() : OkStatus();
}

Status ObjectFile::SyncFolder() {
  Status status;
  if (const int err = SyncFolderFd(folder_fd_.get()); err != 0) status = ErrnoStatus(err, "sync the folder of object " + key_);
  if (status.ok()) status = tree_.AwaitFolders();
  // Not "outcome unknown": whoever looks whether it is there would find it, and call it stored.
  if (!status.ok() && !replaced_) ::unlinkat(folder_fd_.get(), name_.c_str(), 0);
  return status;
}

Status ObjectFile::GiveName() {
  if (only_if_absent_) return GiveNewName();
  const int dir = folder_fd_.get();
  if (::renameat2(dir, temp_.c_str(), dir, name_.c_str(), RENAME_NOREPLACE) == 0) return OkStatus();
  if (::renameat(dir, temp_.c_str(), dir, name_.c_str()) != 0) return ErrnoStatus(errno, "name object " + key_);
  replaced_ = true;
  return OkStatus();
}

Status ObjectFile::GiveNewName() {
  const int dir = folder_fd_.get();
  if (::renameat2(dir, temp_.c_str(), dir, name_.c_str(), RENAME_NOREPLACE) == 0) return OkStatus();
  int err = errno;
  if (MeansCannot(err)) {
    // A file system without it (NFS): a second name and the removal of the first are as atomic.
    if (::linkat(dir, temp_.c_str(), dir, name_.c_str(), 0) == 0) {
      ::unlinkat(dir, temp_.c_str(), 0);
      return OkStatus();
    }
    err = errno;
    if (MeansCannot(err)) {
      return NotSupported("name object " + key_ + ": this file system can neither rename without replacing nor make hard links, "
                          "one of which is needed to make an object only once")
          .Hint("set WALRIG_STORAGE=fs,put_if_absent=false if no two writers share this directory: one would replace the other's objects unnoticed");
    }
  }
  if (err == EEXIST) return AlreadyExists("object " + key_ + " exists");
  return ErrnoStatus(err, "name object " + key_);
}

void ObjectFile::Abort() noexcept {
  fd_.Close();
  if (temp_.empty()) return;
  ::unlinkat(folder_fd_.get(), temp_.c_str(), 0);
  temp_.clear();
  // When it fails an empty folder stays, which harms nobody.
  sdk::GuardSilently([&] { tree_.PruneFolder(folder_); });
}

Result<size_t> FileReader::Read(const Context& ctx, MutableByteSpan buffer) {
  WALRIG_TRY(ctx.Poll());
  if (left_ == 0) return size_t{0};
  const size_t want = static_cast<size_t>(std::min<uint64_t>(left_, buffer.size()));
  ssize_t n = 0;
  do {
    n = ::pread(fd_.get(), buffer.data(), want, static_cast<off_t>(offset_));
  } while (n < 0 && errno == EINTR);
  if (n < 0) return ErrnoStatus(errno, "read object " + key_);
  if (n == 0) return Truncated("read object " + key_ + ": the file became shorter while it was read");
  offset_ += static_cast<uint64_t>(n);
  left_ -= static_cast<uint64_t>(n);
  return static_cast<size_t>(n);
}

}  // namespace walrig::fs
