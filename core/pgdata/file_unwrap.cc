#include "core/pgdata/file_unwrap.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "core/base/errno_status.h"
#include "core/base/string_util.h"
#include "core/pgdata/restored_mode.h"

namespace walrig {
namespace {

constexpr size_t kNameBytesMax = 4096;
constexpr size_t kComponentBytesMax = 255;
constexpr std::string_view kTablespaceDirectory = "pg_tblspc";
constexpr const char* kGlobalDirectory = "global";

Status BadName(std::string_view name, std::string_view why) {
  return Corruption(fmt::format("tar member '{}' {}", Printable(name), why));
}

Status CheckComponent(std::string_view name, std::string_view component) {
  if (component.empty()) return BadName(name, "has an empty part in its name");
  if (component == ".") return BadName(name, "has a '.' inside its name");
  if (component == "..") return BadName(name, "would leave the data directory by '..'");
  if (component.size() > kComponentBytesMax) return BadName(name, "has a part of more than 255 bytes in its name");
  return OkStatus();
}

int OpenAt2(int root, const char* path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (int attempt = 0;; ++attempt) {
    long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
    // EAGAIN: a rename elsewhere made the kernel unsure whether we stayed beneath.
    if (fd >= 0 || (errno != EINTR && errno != EAGAIN) || attempt == 100) return static_cast<int>(fd);
  }
}

// What openat2 does, one component after another.
int OpenByComponents(int root, std::string_view path, int flags, mode_t mode) {
  Fd held;
  int at = root;
  for (;;) {
    size_t slash = path.find('/');
    std::string component(path.substr(0, slash));
    if (slash == std::string_view::npos) return openat(at, component.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode);
    int next = openat(at, component.c_str(), O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    if (next < 0) return -1;
    held.reset(next);
    at = next;
    path.remove_prefix(slash + 1);
  }
}

std::pair<std::string_view, std::string_view> SplitLast(std::string_view path) {
  size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// Damage in the backup and trouble of this machine must not be confused.
Status MemberError(int err, std::string_view call, std::string_view name) {
  switch (err) {
    case EEXIST: return BadName(name, "occurs a second time, or stands where something else was made");
    case ELOOP:
    case EXDEV: return BadName(name, "leads through a symbolic link");
    case ENOTDIR: return BadName(name, "leads through a file that is not a directory");
    default: return ErrnoStatus(err, fmt::format("{} {}", call, Printable(name)));
  }
}

}  // namespace

Result<std::string> NormalizeMemberName(std::string_view name) {
  const std::string_view original = name;
  if (name.empty()) return BadName(name, "has no name");
  if (name.find('\0') != std::string_view::npos) return BadName(name, "has a NUL in its name");
  if (name.size() > kNameBytesMax) return BadName(name, "has a name of more than 4096 bytes");
  for (;;) {
    if (StartsWith(name, "/")) {
      name.remove_prefix(1);
    } else if (StartsWith(name, "./")) {
      name.remove_prefix(2);
    } else {
      break;
    }
  }
  if (EndsWith(name, "/")) name.remove_suffix(1);
  if (name == ".") name = {};
  for (std::string_view rest = name; !rest.empty();) {
    size_t slash = rest.find('/');
    WALRIG_TRY(CheckComponent(original, rest.substr(0, slash)));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
    if (rest.empty()) return BadName(original, "has an empty part in its name");
  }
  return std::string(name);
}

Status TreeFile::Write(ByteSpan bytes) {
  WALRIG_TRY(WriteAll(fd_.get(), bytes, name_));
  bytes_ += bytes.size();
  return OkStatus();
}

Status TreeFile::Close() {
  if ((mode_ & 0777u) != 0600u && fchmod(fd_.get(), mode_ & 0777u) != 0) return ErrnoStatus(errno, "chmod " + name_);
  // Begin writing back early and wait late: measured at half the wall time of syncing each file as it is closed.
  if (bytes_ > 0) sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  return fd_.Close(name_);
}

Result<std::unique_ptr<TreeWriter>> TreeWriter::Open(const std::string& directory, std::optional<TreeOwner> owner) {
  std::unique_ptr<TreeWriter> writer(new TreeWriter(owner));
  Root root;
  root.path = directory;
  WALRIG_ASSIGN(root.fd, OpenFd(directory, O_RDONLY | O_DIRECTORY));
  // Old kernels answer ENOSYS, old container filters EPERM.
  Fd probe(OpenAt2(root.fd.get(), ".", O_PATH | O_DIRECTORY, 0));
  writer->openat2_works_ = probe.valid();
  writer->roots_.push_back(std::move(root));
  return writer;
}

TreeWriter::Place TreeWriter::Resolve(std::string_view name) const {
  for (size_t i = 1; i < roots_.size(); ++i) {
    const std::string& prefix = roots_[i].prefix;
    if (!StartsWith(name, prefix)) continue;
    if (name.size() == prefix.size()) return {roots_[i].fd.get(), {}, prefix + "/"};
    if (name[prefix.size()] == '/') return {roots_[i].fd.get(), name.substr(prefix.size() + 1), prefix + "/"};
  }
  return {roots_[0].fd.get(), name, {}};
}

Result<Fd> TreeWriter::OpenAt(int root, std::string_view rest, int flags, mode_t mode) const {
  std::string path(rest.empty() ? "." : rest);
  int fd = openat2_works_ ? OpenAt2(root, path.c_str(), flags | O_NOFOLLOW, mode)
                          : OpenByComponents(root, path, flags, mode);
  if (fd < 0) return ErrnoStatus(errno, path);
  return Fd(fd);
}

Status TreeWriter::Own(int fd, const std::string& name) const {
  if (!owner_) return OkStatus();
  struct stat info{};
  if (fstat(fd, &info) != 0) return ErrnoStatus(errno, "stat " + name);
  // File systems that cannot change an owner often give the right one by themselves.
  if (info.st_uid == owner_->uid && info.st_gid == owner_->gid) return OkStatus();
  if (fchown(fd, owner_->uid, owner_->gid) != 0) return ErrnoStatus(errno, "change the owner of " + name);
  return OkStatus();
}

// `path` is the directory's full name.
Status TreeWriter::MakeParent(int parent, const std::string& base, std::string path) {
  if (mkdirat(parent, base.c_str(), 0700) != 0) {
    return errno == EEXIST ? OkStatus() : MemberError(errno, "mkdir", path);
  }
  if (owner_) {
    WALRIG_ASSIGN(Fd made, OpenFdAt(parent, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    WALRIG_TRY(Own(made.get(), path));
  }
  std::lock_guard lock(mutex_);
  made_directories_.insert(std::move(path));
  return OkStatus();
}

Status TreeWriter::MakeParents(const Place& place) {
  const std::string_view rest = place.rest;
  for (size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/', slash + 1)) {
    auto [above, last] = SplitLast(rest.substr(0, slash));
    auto parent = OpenAt(place.fd, above, O_PATH | O_DIRECTORY, 0);
    if (!parent.ok()) return MemberError(parent.status().detail().os_errno, "open", rest);
    WALRIG_TRY(MakeParent(parent->get(), std::string(last), place.prefix + std::string(rest.substr(0, slash))));
  }
  return OkStatus();
}

Result<Fd> TreeWriter::OpenParent(const Place& place, std::string_view* last) {
  auto [above, name] = SplitLast(place.rest);
  *last = name;
  auto parent = OpenAt(place.fd, above, O_PATH | O_DIRECTORY, 0);
  if (!parent.ok() && parent.status().detail().os_errno == ENOENT) {
    WALRIG_TRY(MakeParents(place));
    parent = OpenAt(place.fd, above, O_PATH | O_DIRECTORY, 0);
  }
  if (!parent.ok()) return MemberError(parent.status().detail().os_errno, "open the directory of", place.rest);
  return parent;
}

Status TreeWriter::SetDirectoryMode(const std::string& name, int fd, uint32_t mode) {
  struct stat info{};
  if (fstat(fd, &info) != 0) return ErrnoStatus(errno, "stat " + name);
  WALRIG_TRY(Own(fd, name));
  mode = (name.empty() ? RestoredRootMode(mode) : RestoredDirectoryMode(mode)) | (info.st_mode & S_ISGID);
  if (fchmod(fd, mode) != 0) return ErrnoStatus(errno, "chmod " + name);
  std::lock_guard lock(mutex_);
  if (name.empty()) root_mode_ = mode;
  named_directories_.insert(name);
  return OkStatus();
}

Status TreeWriter::MakeDirectory(const std::string& name, uint32_t mode) {
  Place place = Resolve(name);
  if (place.rest.empty()) return SetDirectoryMode(name, place.fd, mode);
  std::string_view last;
  WALRIG_ASSIGN(Fd parent, OpenParent(place, &last));
  std::string base(last);
  if (mkdirat(parent.get(), base.c_str(), 0700) != 0 && errno != EEXIST) return MemberError(errno, "mkdir", name);
  Fd made(openat(parent.get(), base.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!made.valid()) return MemberError(errno, "open", name);
  return SetDirectoryMode(name, made.get(), mode);
}

Status TreeWriter::EnsureDirectory(const std::string& name) {
  std::string_view last;
  WALRIG_ASSIGN(Fd parent, OpenParent(Resolve(name), &last));
  return MakeParent(parent.get(), std::string(last), name);
}

Status TreeWriter::MakeSymlink(const std::string& name, const std::string& target) {
  Place place = Resolve(name);
  if (place.rest.empty()) return BadName(name, "is a link in the place of a directory");
  if (target.empty() || target.find('\0') != std::string::npos) return BadName(name, "is a link without a target");
  std::string_view last;
  WALRIG_ASSIGN(Fd parent, OpenParent(place, &last));
  const std::string base(last);
  if (symlinkat(target.c_str(), parent.get(), base.c_str()) != 0) return MemberError(errno, "symlink", name);
  if (owner_ && fchownat(parent.get(), base.c_str(), owner_->uid, owner_->gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return ErrnoStatus(errno, "change the owner of " + name);
  }
  return OkStatus();
}

Result<TreeFile> TreeWriter::CreateFile(const std::string& name, uint32_t mode) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL;
  Place place = Resolve(name);
  if (place.rest.empty()) return BadName(name, "is a file in the place of a directory");
  auto fd = OpenAt(place.fd, place.rest, kFlags, 0600);
  if (!fd.ok() && fd.status().detail().os_errno == ENOENT) {
    WALRIG_TRY(MakeParents(place));
    fd = OpenAt(place.fd, place.rest, kFlags, 0600);
  }
  if (!fd.ok()) return MemberError(fd.status().detail().os_errno, "create", name);
  WALRIG_TRY(Own(fd->get(), name));
  return TreeFile(std::move(fd).value(), name, mode);
}

Result<TreeFile> TreeWriter::CreateOwnFile(const std::string& name) {
  WALRIG_ASSIGN(TreeFile file, CreateFile(name, 0600));
  std::lock_guard lock(mutex_);
  own_files_.push_back(name);
  return file;
}

Status TreeWriter::WriteFile(const std::string& name, uint32_t mode, std::string_view content) {
  WALRIG_ASSIGN(TreeFile file, CreateFile(name, mode));
  WALRIG_TRY(file.Write(AsBytes(content)));
  return file.Close();
}

Status TreeWriter::WriteOwnFile(const std::string& name, std::string_view content) {
  WALRIG_ASSIGN(TreeFile file, CreateOwnFile(name));
  WALRIG_TRY(file.Write(AsBytes(content)));
  return file.Close();
}

Result<std::string> TreeWriter::ReadFile(const std::string& name, uint64_t max_bytes) {
  Place place = Resolve(name);
  WALRIG_ASSIGN(Fd fd, OpenAt(place.fd, place.rest, O_RDONLY, 0));
  std::string text(max_bytes, '\0');
  WALRIG_ASSIGN(size_t got, ReadFull(fd.get(), {reinterpret_cast<uint8_t*>(text.data()), text.size()}, name));
  text.resize(got);
  return text;
}

Status TreeWriter::RemoveFile(const std::string& name) {
  std::string_view last;
  WALRIG_ASSIGN(Fd parent, OpenParent(Resolve(name), &last));
  if (unlinkat(parent.get(), std::string(last).c_str(), 0) != 0) return ErrnoStatus(errno, "remove " + name);
  return OkStatus();
}

Status TreeWriter::RenameFile(const std::string& from, const std::string& to) {
  std::string_view from_last, to_last;
  WALRIG_ASSIGN(Fd from_parent, OpenParent(Resolve(from), &from_last));
  WALRIG_ASSIGN(Fd to_parent, OpenParent(Resolve(to), &to_last));
  if (renameat(from_parent.get(), std::string(from_last).c_str(), to_parent.get(), std::string(to_last).c_str()) != 0) {
    return ErrnoStatus(errno, fmt::format("rename {} to {}", from, to));
  }
  return OkStatus();
}

Result<Fd> TreeWriter::OpenDirectory(const std::string& name) {
  Place place = Resolve(name);
  return OpenAt(place.fd, place.rest, O_RDONLY | O_DIRECTORY, 0);
}

Status TreeWriter::AddTablespace(const std::string& oid, const std::string& location) {
  std::string link = fmt::format("{}/{}", kTablespaceDirectory, oid);
  WALRIG_TRY(MakeSymlink(link, location));
  Root root;
  root.prefix = link;
  root.path = location;
  WALRIG_ASSIGN(root.fd, OpenFd(location, O_RDONLY | O_DIRECTORY));
  roots_.push_back(std::move(root));
  return OkStatus();
}

Status TreeWriter::FinishModes() {
  std::optional<uint32_t> root;
  std::vector<std::string> directories, files;
  {
    std::lock_guard lock(mutex_);
    root = root_mode_;
    files = own_files_;
    std::set_difference(made_directories_.begin(), made_directories_.end(), named_directories_.begin(),
                        named_directories_.end(), std::back_inserter(directories));
  }
  struct stat info{};
  if (!root) {
    // Backups over the replication protocol have no entry for the data directory itself.
    WALRIG_ASSIGN(Fd global, OpenDirectory(kGlobalDirectory));
    if (fstat(global.get(), &info) != 0) return ErrnoStatus(errno, std::string("stat ") + kGlobalDirectory);
    root = (info.st_mode & 0777u) == 0750u ? 0750 : 0700;
    WALRIG_TRY(MakeDirectory("", *root));
  }
  for (size_t i = 1; i < roots_.size(); ++i) directories.push_back(roots_[i].prefix);
  for (const std::string& name : directories) {
    WALRIG_ASSIGN(Fd fd, OpenDirectory(name));
    if (fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, "stat " + name);
    // A tablespace's directory that was there may be another's, and let us in by its group.
    if (info.st_uid != geteuid() && geteuid() != 0) continue;
    if (fchmod(fd.get(), MadeDirectoryMode(*root) | (info.st_mode & S_ISGID)) != 0) return ErrnoStatus(errno, "chmod " + name);
  }
  for (const std::string& name : files) {
    const Place place = Resolve(name);
    WALRIG_ASSIGN(Fd fd, OpenAt(place.fd, place.rest, O_RDONLY, 0));
    if (fchmod(fd.get(), MadeFileMode(*root)) != 0) return ErrnoStatus(errno, "chmod " + name);
  }
  return OkStatus();
}

std::vector<std::string> TreeWriter::RootPaths() const {
  std::vector<std::string> paths;
  for (const Root& root : roots_) paths.push_back(root.path);
  return paths;
}

}  // namespace walrig
