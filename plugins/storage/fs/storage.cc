#include "plugins/storage/fs/storage.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "plugins/storage/fs/file.h"
#include "plugins/storage/fs/lister.h"
#include "plugins/storage/fs/names.h"
#include "plugins/storage/fs/unfinished.h"
#include "walrig/sdk/call.h"

namespace walrig::fs {
namespace {

// Small objects are read in one go anyway.
constexpr uint64_t kReadAheadBytesMin = 256 * 1024;

// Nothing of this name is there, whichever way the system says so.
bool MeansAbsent(int err) { return err == ENOENT || err == ENOTDIR; }

}  // namespace

Result<std::unique_ptr<Storage>> FsStorage::Open(std::string_view prefix, const FsOptions& options) {
  for (const std::string_view scheme : {"file://localhost", "file://"}) {
    if (!prefix.starts_with(scheme)) continue;
    prefix.remove_prefix(scheme.size());
    break;
  }
  const std::string path(prefix);
  const std::string what = "option prefix (WALG_FILE_PREFIX): directory " + path;
  if (path.empty()) return ConfigError("option prefix (WALG_FILE_PREFIX) is empty").Hint("name a directory");
  Fd root(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) {
    if (errno == ENOENT) {
      return ConfigError(what + " does not exist")
          .Hint("create it, owned by the user that runs walrig: install -d -m 0700 -o postgres " + path);
    }
    if (errno == ENOTDIR) return ConfigError(what + " is not a directory");
    return ErrnoStatus(errno, what);
  }
  return std::unique_ptr<Storage>(new FsStorage(std::move(root), options));
}

StorageCapabilities FsStorage::capabilities() const {
  StorageCapabilities caps = kCapabilities;
  caps.put_if_absent = options_.put_if_absent;
  return caps;
}

Result<Fd> FsStorage::OpenObject(std::string_view key, int flags, struct stat* s) const {
  WALRIG_TRY(CheckKey(key));
  // A pipe that somebody left there must not make us wait. (openat2 refuses O_PATH with it.)
  const int wait_flag = (flags & O_PATH) == 0 ? O_NONBLOCK : 0;
  Fd fd = OpenBelow(tree_.root(), std::string(key), flags | wait_flag);
  if (!fd.valid()) {
    if (MeansAbsent(errno)) return NotFound("object " + std::string(key) + " does not exist");
    return ErrnoStatus(errno, "open object " + std::string(key));
  }
  if (::fstat(fd.get(), s) != 0) return ErrnoStatus(errno, "stat object " + std::string(key));
  if (!S_ISREG(s->st_mode)) return NotFound("object " + std::string(key) + " does not exist");
  return fd;
}

Result<ObjectInfo> FsStorage::Stat(const Context& ctx, std::string_view key) {
  WALRIG_TRY(ctx.Poll());
  struct stat s{};
  WALRIG_TRY(OpenObject(key, O_PATH, &s).status());
  ObjectInfo info;
  info.key = key;
  info.size_bytes = static_cast<uint64_t>(s.st_size);
  info.mtime_ns = MtimeNs(s);
  info.etag = EtagOf(s);
  return info;
}

Result<std::unique_ptr<Source>> FsStorage::Get(const Context& ctx, std::string_view key, const GetOptions& options) {
  WALRIG_TRY(ctx.Poll());
  struct stat s{};
  WALRIG_ASSIGN(Fd fd, OpenObject(key, O_RDONLY, &s));
  if (!options.if_match_etag.empty() && options.if_match_etag != EtagOf(s)) {
    return PreconditionFailed("object " + std::string(key) + " was replaced");
  }
  const uint64_t size_bytes = static_cast<uint64_t>(s.st_size);
  const uint64_t offset = std::min(options.offset, size_bytes);
  const uint64_t length = std::min(options.length, size_bytes - offset);
  if (length >= kReadAheadBytesMin) {
    ::posix_fadvise(fd.get(), static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_SEQUENTIAL);
  }
  return std::unique_ptr<Source>(std::make_unique<FileReader>(std::move(fd), std::string(key), offset, length));
}

Result<std::unique_ptr<Sink>> FsStorage::Put(const Context& ctx, std::string_view key, const PutOptions& options) {
  WALRIG_TRY(ctx.Poll());
  WALRIG_TRY(CheckKey(key));
  if (options.only_if_absent && !options_.put_if_absent) {
    return NotSupported("put_if_absent is off: this file system cannot make an object only once");
  }
  WALRIG_ASSIGN(std::unique_ptr<ObjectFile> file, ObjectFile::New(ctx, tree_, key, options));
  return std::unique_ptr<Sink>(std::move(file));
}

Result<ListPage> FsStorage::List(const Context& ctx, const ListOptions& options) {
  return Lister::List(ctx, tree_, options);
}

Status FsStorage::Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) {
  each->assign(keys.size(), OkStatus());
  std::set<std::string> folders;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (Status stop = sdk::PollStop(ctx); !stop.ok()) {
      std::fill(each->begin() + static_cast<ptrdiff_t>(i), each->end(), stop);
      return stop;
    }
    (*each)[i] = DeleteOne(keys[i]);
    if ((*each)[i].ok()) folders.insert(SplitKey(keys[i]).first);
  }
  std::set<std::string> left;
  for (const std::string& folder : folders) left.insert(tree_.PruneFolder(folder));
  if (!tree_.sync()) return OkStatus();
  for (const std::string& folder : left) {
    const Fd fd = OpenBelow(tree_.root(), folder, O_RDONLY | O_DIRECTORY);
    if (!fd.valid()) continue;
    if (const int err = SyncFolderFd(fd.get()); err != 0) return ErrnoStatus(err, "sync folder " + folder).OutcomeUnknown();
  }
  return OkStatus();
}

Status FsStorage::DeleteOne(const std::string& key) {
  WALRIG_TRY(CheckKey(key));
  const auto [folder, name] = SplitKey(key);
  const Fd parent = OpenBelow(tree_.root(), folder, O_PATH | O_DIRECTORY);
  if (!parent.valid()) {
    return MeansAbsent(errno) ? OkStatus() : ErrnoStatus(errno, "delete object " + key);
  }
  struct stat s{};
  const bool found = ::fstatat(parent.get(), name.c_str(), &s, AT_SYMLINK_NOFOLLOW) == 0;
  if (!found && !MeansAbsent(errno)) return ErrnoStatus(errno, "delete object " + key);
  // A folder or a link is not an object: there is none of this name.
  if (!found || !S_ISREG(s.st_mode)) return OkStatus();
  if (::unlinkat(parent.get(), name.c_str(), 0) == 0 || errno == ENOENT) return OkStatus();
  return ErrnoStatus(errno, "delete object " + key);
}

Status FsStorage::Copy(const Context& ctx, std::string_view from, std::string_view to) {
  WALRIG_TRY(ctx.Poll());
  WALRIG_TRY(CheckKey(to));
  struct stat s{};
  WALRIG_ASSIGN(const Fd source, OpenObject(from, O_RDONLY, &s));
  if (from == to) return OkStatus();
  const uint64_t size_bytes = static_cast<uint64_t>(s.st_size);
  WALRIG_ASSIGN(std::unique_ptr<ObjectFile> target,
                ObjectFile::New(ctx, tree_, to, PutOptions{.size_bytes = size_bytes}));
  WALRIG_TRY(target->WriteFrom(ctx, source.get(), size_bytes));
  return target->Commit(ctx);
}

Result<UnfinishedPage> FsStorage::ListUnfinished(const Context& ctx, std::string_view prefix,
                                                 std::string_view page_token) {
  return ListTempFiles(ctx, tree_, prefix, page_token);
}

Status FsStorage::AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                                  std::vector<Status>* each) {
  each->assign(uploads.size(), OkStatus());
  for (size_t i = 0; i < uploads.size(); ++i) {
    WALRIG_TRY(sdk::PollStop(ctx));
    (*each)[i] = RemoveTempFile(tree_, uploads[i]);
  }
  return OkStatus();
}

}  // namespace walrig::fs
