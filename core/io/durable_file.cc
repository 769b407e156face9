#include "core/io/durable_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>

#include "core/base/errno_status.h"
#include "core/base/owner.h"
#include "core/base/random.h"

namespace walrig {
namespace {

constexpr uint64_t kWriteBackBytes = 8u << 20;

struct Parts {
  std::string directory;
  std::string name;
};

Parts SplitPath(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// The pid and counter keep threads and processes of one machine apart, the random part those of several machines on
// one network file system. Not derived from the target's name, which may be as long as a name can be.
std::string NewTempName() {
  static std::atomic<uint64_t> counter{0};
  return fmt::format("{}{}-{}-{:08x}", kTempFilePrefix, ::getpid(), counter.fetch_add(1),
                     static_cast<uint32_t>(SeedFromSystem()));
}

std::string ProcPath(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

// A file that no name leads to, and to which one can be given; invalid where the system has no such thing.
Fd OpenUnnamed(int directory, mode_t mode) {
  Fd fd(::openat(directory, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, mode));
  struct stat made = {};
  struct stat seen = {};
  const bool linkable = fd.valid() && ::fstat(fd.get(), &made) == 0 && ::stat(ProcPath(fd.get()).c_str(), &seen) == 0 &&
                        made.st_dev == seen.st_dev && made.st_ino == seen.st_ino;
  return linkable ? std::move(fd) : Fd();
}

}  // namespace

DurableFile::DurableFile(std::string path, Fd directory, Fd fd, std::string temp_name, DurableFileOptions options)
    : path_(std::move(path)),
      name_(SplitPath(path_).name),
      directory_(std::move(directory)),
      fd_(std::move(fd)),
      temp_name_(std::move(temp_name)),
      options_(options) {}

DurableFile::~DurableFile() { Abort(); }

Result<std::unique_ptr<DurableFile>> DurableFile::Create(const std::string& path, DurableFileOptions options) {
  Parts parts = SplitPath(path);
  if (parts.name.empty() || parts.name == "." || parts.name == "..") {
    return InvalidArgument(fmt::format("create {}: not the name of a file", path));
  }
  if (parts.name.size() > NAME_MAX) return NameInvalid(fmt::format("create {}: the name is too long", path));
  WALRIG_ASSIGN(Fd directory, OpenFd(parts.directory, O_RDONLY | O_DIRECTORY));
  struct stat info = {};
  if (!options.replace && ::fstatat(directory.get(), parts.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
    return AlreadyExists(fmt::format("create {}: it exists", path));
  }
  std::string temp_name;
  Fd fd = OpenUnnamed(directory.get(), options.mode);
  while (!fd.valid()) {
    temp_name = NewTempName();
    fd.reset(::openat(directory.get(), temp_name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, options.mode));
    if (!fd.valid() && errno != EEXIST && errno != EINTR) return ErrnoStatus(errno, fmt::format("create {}", path));
  }
  std::unique_ptr<DurableFile> file(
      new DurableFile(path, std::move(directory), std::move(fd), std::move(temp_name), options));
  if (options.owner_of_folder) GiveToOwnerOf(file->directory_.get(), file->fd());
  if (::fchmod(file->fd(), options.mode) != 0) return ErrnoStatus(errno, fmt::format("set the mode of {}", path));
  return file;
}

Status DurableFile::Write(const Context& ctx, ByteSpan bytes) {
  WALRIG_TRY(ctx.Poll());
  if (!fd_.valid()) return Internal(fmt::format("write {}: it is closed", path_));
  if (Status written = WriteAll(fd_.get(), bytes, "write"); !written.ok()) return std::move(written).With(path_);
  bytes_ += bytes.size();
  if (options_.sync && bytes_ - written_back_bytes_ >= kWriteBackBytes) {
    // Only a hint: the sync at the end finds what this could not start.
    static_cast<void>(::sync_file_range(fd_.get(), static_cast<off_t>(written_back_bytes_),
                                        static_cast<off_t>(bytes_ - written_back_bytes_), SYNC_FILE_RANGE_WRITE));
    written_back_bytes_ = bytes_;
  }
  return OkStatus();
}

Status DurableFile::Commit(const Context& ctx) {
  WALRIG_TRY(ctx.Poll());
  if (!fd_.valid()) return Internal(fmt::format("commit {}: it is closed", path_));
  Status status = options_.sync ? FsyncFd(fd_.get(), path_) : OkStatus();
  // Where files can be without a name (no network file system), there is nothing that only close() would tell.
  if (status.ok() && !temp_name_.empty()) status = fd_.Close(path_);
  if (status.ok()) status = Publish();
  if (!status.ok()) {
    Abort();
    return status;
  }
  if (!options_.sync) return OkStatus();
  Status synced = FsyncDirFd(directory_.get(), fmt::format("the directory of {}", path_));
  return synced.ok() ? std::move(synced) : std::move(synced).OutcomeUnknown();
}

// Gives the file its name.
Status DurableFile::Publish() {
  const int dir = directory_.get();
  if (temp_name_.empty()) {
    if (::linkat(AT_FDCWD, ProcPath(fd_.get()).c_str(), dir, name_.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      fd_.reset();
      return OkStatus();
    }
    if (errno != EEXIST || !options_.replace) return ErrnoStatus(errno, fmt::format("name {}", path_));
    // A link replaces nothing: the whole file takes the place of the other under a name that lives for a moment.
    WALRIG_TRY(GiveTempName());
    fd_.reset();
  }
  const unsigned flags = options_.replace ? 0 : RENAME_NOREPLACE;
  if (::renameat2(dir, temp_name_.c_str(), dir, name_.c_str(), flags) == 0) {
    temp_name_.clear();
    return OkStatus();
  }
  if (!options_.replace && (errno == EINVAL || errno == ENOSYS)) {
    // A file system without RENAME_NOREPLACE (NFS): a hard link is as atomic, and Abort removes the other name.
    if (::linkat(dir, temp_name_.c_str(), dir, name_.c_str(), 0) == 0) {
      Abort();
      return OkStatus();
    }
  }
  return ErrnoStatus(errno, fmt::format("name {}", path_));
}

Status DurableFile::GiveTempName() {
  for (;;) {
    std::string name = NewTempName();
    if (::linkat(AT_FDCWD, ProcPath(fd_.get()).c_str(), directory_.get(), name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      temp_name_ = std::move(name);
      return OkStatus();
    }
    if (errno != EEXIST) return ErrnoStatus(errno, fmt::format("name {}", path_));
  }
}

void DurableFile::Abort() noexcept {
  fd_.reset();
  if (temp_name_.empty()) return;
  ::unlinkat(directory_.get(), temp_name_.c_str(), 0);
  temp_name_.clear();
}

Status WriteFileDurably(const Context& ctx, const std::string& path, std::string_view content,
                        DurableFileOptions options) {
  WALRIG_ASSIGN(std::unique_ptr<DurableFile> file, DurableFile::Create(path, options));
  WALRIG_TRY(file->Write(ctx, AsBytes(content)));
  return file->Commit(ctx);
}

}  // namespace walrig
