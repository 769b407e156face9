#include "core/pgdata/file_set.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/base/errno_status.h"
#include "core/base/string_util.h"
#include "core/io/dir_walk.h"
#include "core/postgres/data_dir.h"
#include "core/postgres/relation_file.h"

namespace walrig {
namespace {

std::string UserName(uid_t uid) {
  passwd entry{}, *found = nullptr;
  std::vector<char> text(16 * 1024);
  if (getpwuid_r(uid, &entry, text.data(), text.size(), &found) != 0 || found == nullptr) return {};
  return found->pw_name;
}

std::string GroupName(gid_t gid) {
  group entry{}, *found = nullptr;
  std::vector<char> text(64 * 1024);
  if (getgrgid_r(gid, &entry, text.data(), text.size(), &found) != 0 || found == nullptr) return {};
  return found->gr_name;
}

// FAILS WITH: kNotFound when the link vanished, what readlink says, kTooLarge.
Result<std::string> ReadLink(int dir_fd, const char* name, const std::string& path) {
  char target[PATH_MAX];
  const ssize_t n = readlinkat(dir_fd, name, target, sizeof target);
  if (n < 0) return ErrnoStatus(errno, "readlink " + path);
  if (static_cast<size_t>(n) == sizeof target) return TooLarge("target of the symbolic link " + path);
  return std::string(target, static_cast<size_t>(n));
}

std::string RealPath(const std::string& path) {
  std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : std::string();
}

// A file system's own, and root's.
constexpr std::string_view kLostAndFound = "lost+found";

// DROP TABLESPACE removes the directory first and its link a moment later.
constexpr int kDropLooksMax = 20;
constexpr uint64_t kDropPauseNs = 50'000'000;

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string FileSet::MemberName(const FileEntry& entry) const {
  const std::string& directory = directories_[entry.directory].member;
  const char* name = arena_.data() + entry.name;
  if (*name == '\0') return directory;
  return directory == "/" ? "/" + std::string(name) : directory + "/" + name;
}

std::string FileSet::Path(const FileEntry& entry) const {
  const char* name = arena_.data() + entry.name;
  if (entry.followed) return name + std::strlen(name) + 1;
  const std::string& directory = directories_[entry.directory].path;
  return *name == '\0' ? directory : directory + "/" + name;
}

std::string FileSet::LinkTarget(const FileEntry& entry) const {
  if (entry.kind != FileKind::kSymlink) return {};
  const char* name = arena_.data() + entry.name;
  return name + std::strlen(name) + 1;
}

class FileSetBuilder {
 public:
  FileSetBuilder(const Context& ctx, const std::string& root, const std::string& version_directory)
      : ctx_(ctx), root_(root), version_directory_(version_directory) {}

  Result<FileSet> Build();

 private:
  // One walk: of the data directory, or of a tablespace.
  struct Tree {
    std::string root;
    std::vector<uint32_t> directories;  // by depth: the directory that entries of that depth lie in
    bool is_tablespace = false;
  };

  Status FindTablespaces();
  Status Walk(Tree& tree);
  Result<WalkAnswer> Visit(Tree& tree, const WalkEntry& entry);
  Result<WalkAnswer> VisitDirectory(Tree& tree, const WalkEntry& entry);
  Result<WalkAnswer> VisitLink(Tree& tree, const WalkEntry& entry);
  Status VisitFile(Tree& tree, const WalkEntry& entry, const struct stat& info, std::string_view real_path);
  Status Follow(Tree& tree, const WalkEntry& entry, const std::string& path, const std::string& target);
  Status FollowDirectory(Tree& tree, const WalkEntry& entry, const std::string& real, const struct stat& info);
  Status KeepLink(Tree& tree, const WalkEntry& entry, const std::string& path, const std::string& target);
  Status WalkTablespace(const WalkEntry& entry, const std::string& link, const std::string& read);
  bool IsForeign(const Tree& tree, const WalkEntry& entry) const;
  Result<bool> WasDropped(const std::string& link, const std::string& target);
  Result<FileEntry> MakeEntry(uint32_t directory, std::string_view name, const struct stat& info, FileKind kind);
  uint32_t AddDirectory(std::string member, std::string path);
  uint32_t OwnerIndex(uid_t uid, gid_t gid);

  const Context& ctx_;
  const std::string root_;
  const std::string version_directory_;
  uid_t root_owner_ = 0;
  std::vector<std::pair<dev_t, ino_t>> above_;  // directories that links led to, on the way to where we are
  FileSet set_;
  std::vector<std::string> tablespace_paths_;  // real ones, to be left out of the data directory's own walk
};

Result<FileSet> FileSetBuilder::Build() {
  set_.tablespaces_.set_base_prefix(root_);
  WALRIG_TRY(FindTablespaces());
  struct stat info {};
  if (stat(root_.c_str(), &info) != 0) return ErrnoStatus(errno, "stat " + root_);
  root_owner_ = info.st_uid;
  above_.emplace_back(info.st_dev, info.st_ino);
  Tree tree{root_, {AddDirectory("/", root_)}, false};
  WALRIG_ASSIGN(FileEntry entry, MakeEntry(0, "", info, FileKind::kDirectory));
  set_.entries_.push_back(entry);
  set_.catalog_bytes_ += static_cast<uint64_t>(info.st_size);
  WALRIG_TRY(Walk(tree));
  set_.arena_.shrink_to_fit();
  return std::move(set_);
}

Status FileSetBuilder::FindTablespaces() {
  const std::string folder = root_ + "/" + std::string(kTablespaceDirName);
  Status status = WalkDirectory(ctx_, folder, {}, [&](const WalkEntry& entry) -> Result<WalkAnswer> {
    if (!S_ISLNK(entry.info.st_mode)) return WalkAnswer::kSkip;
    std::string real = RealPath(folder + "/" + entry.name);
    if (!real.empty()) tablespace_paths_.push_back(std::move(real));
    return WalkAnswer::kSkip;
  });
  return status.code() == Code::kNotFound ? OkStatus() : std::move(status);
}

Status FileSetBuilder::Walk(Tree& tree) {
  return WalkDirectory(ctx_, tree.root, {}, [&](const WalkEntry& entry) { return Visit(tree, entry); });
}

// What lies in a tablespace's root and is not this server's, and what a file system puts into its root.
bool FileSetBuilder::IsForeign(const Tree& tree, const WalkEntry& entry) const {
  if (entry.depth != 0) return false;
  if (!tree.is_tablespace) return entry.name == kLostAndFound;
  return entry.name != version_directory_;
}

Result<WalkAnswer> FileSetBuilder::Visit(Tree& tree, const WalkEntry& entry) {
  if (IsForeign(tree, entry)) {
    ctx_.log->Write(LogLevel::kInfo, "backup",
                    fmt::format("{}/{} is not this server's and is left out", tree.root, Printable(entry.path)));
    return WalkAnswer::kSkip;
  }
  set_.catalog_bytes_ += static_cast<uint64_t>(entry.info.st_size);
  if (S_ISDIR(entry.info.st_mode)) return VisitDirectory(tree, entry);
  if (S_ISLNK(entry.info.st_mode)) return VisitLink(tree, entry);
  if (IsExcludedName(entry.name)) return WalkAnswer::kSkip;
  if (!S_ISREG(entry.info.st_mode)) {
    ctx_.log->Write(LogLevel::kWarning, "backup",
                    fmt::format("{}/{} is a socket, fifo or device and is not backed up", tree.root,
                                Printable(entry.path)));
    return WalkAnswer::kSkip;
  }
  WALRIG_TRY(VisitFile(tree, entry, entry.info, {}));
  return WalkAnswer::kSkip;
}

Result<WalkAnswer> FileSetBuilder::VisitDirectory(Tree& tree, const WalkEntry& entry) {
  const uint32_t parent = tree.directories[static_cast<size_t>(entry.depth)];
  WALRIG_ASSIGN(FileEntry made, MakeEntry(parent, entry.name, entry.info, FileKind::kDirectory));
  set_.entries_.push_back(made);
  if (IsExcludedName(entry.name)) return WalkAnswer::kSkip;
  std::string path = set_.Path(made);
  if (!tree.is_tablespace && std::find(tablespace_paths_.begin(), tablespace_paths_.end(), path) != tablespace_paths_.end()) {
    ctx_.log->Write(LogLevel::kWarning, "backup",
                    fmt::format("{} is a tablespace inside the data directory; it is stored as the tablespace only", path));
    return WalkAnswer::kSkip;
  }
  tree.directories.resize(static_cast<size_t>(entry.depth) + 1);
  tree.directories.push_back(AddDirectory(set_.MemberName(made), std::move(path)));
  return WalkAnswer::kDescend;
}

Result<WalkAnswer> FileSetBuilder::VisitLink(Tree& tree, const WalkEntry& entry) {
  const uint32_t parent = tree.directories[static_cast<size_t>(entry.depth)];
  const std::string path = tree.root + "/" + std::string(entry.path);
  Result<std::string> target = ReadLink(entry.dir_fd, entry.name, path);
  if (target.status().code() == Code::kNotFound) return WalkAnswer::kSkip;
  if (!target.ok()) return std::move(target).status();
  if (IsExcludedName(entry.name)) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) info = entry.info, info.st_mode = S_IFDIR | 0700;
    if (!S_ISDIR(info.st_mode)) return WalkAnswer::kSkip;
    WALRIG_ASSIGN(FileEntry made, MakeEntry(parent, entry.name, info, FileKind::kDirectory));
    set_.entries_.push_back(made);
    return WalkAnswer::kSkip;
  }
  const bool in_tblspc = set_.directories_[parent].member == "/" + std::string(kTablespaceDirName);
  WALRIG_TRY(in_tblspc && AllDigits(entry.name) ? WalkTablespace(entry, path, *target) : Follow(tree, entry, path, *target));
  return WalkAnswer::kSkip;
}

Status FileSetBuilder::Follow(Tree& tree, const WalkEntry& entry, const std::string& path, const std::string& target) {
  const std::string& directory = set_.directories_[tree.directories[static_cast<size_t>(entry.depth)]].member;
  const bool hides_data = LinkHidesData(directory.substr(1) + (directory == "/" ? "" : "/") + entry.name);
  const std::string real = RealPath(path);
  struct stat info {};
  const bool there = !real.empty() && stat(real.c_str(), &info) == 0;
  const bool allowed = there && (geteuid() != 0 || info.st_uid == root_owner_);
  if (hides_data && !allowed) {
    return InvalidArgument(fmt::format("{} is a symbolic link to {}, {}", Printable(path, 4096), Printable(target, 4096),
                                       there ? "which is not the data directory's owner's" : "which cannot be read"))
        .Hint("the server keeps data there: a backup without them would not be whole");
  }
  if (allowed && S_ISREG(info.st_mode)) {
    ctx_.log->Write(LogLevel::kInfo, "backup",
                    fmt::format("{} is a symbolic link; the file {} is backed up in its place", Printable(path, 4096), real));
    return VisitFile(tree, entry, info, real);
  }
  if (allowed && S_ISDIR(info.st_mode) && hides_data) return FollowDirectory(tree, entry, real, info);
  return KeepLink(tree, entry, path, target);
}

Status FileSetBuilder::FollowDirectory(Tree& tree, const WalkEntry& entry, const std::string& real, const struct stat& info) {
  const std::pair<dev_t, ino_t> here(info.st_dev, info.st_ino);
  const std::string path = tree.root + "/" + std::string(entry.path);
  if (std::find(above_.begin(), above_.end(), here) != above_.end()) {
    return InvalidArgument(fmt::format("the symbolic link {} leads back to {}, in which it lies", Printable(path, 4096), real));
  }
  ctx_.log->Write(LogLevel::kInfo, "backup",
                  fmt::format("{} is a symbolic link; the directory {} is backed up in its place", Printable(path, 4096), real));
  const uint32_t parent = tree.directories[static_cast<size_t>(entry.depth)];
  WALRIG_ASSIGN(FileEntry made, MakeEntry(parent, entry.name, info, FileKind::kDirectory));
  set_.entries_.push_back(made);
  above_.push_back(here);
  Tree below{real, {AddDirectory(set_.MemberName(made), real)}, tree.is_tablespace};
  Status status = Walk(below);
  above_.pop_back();
  return status;
}

Status FileSetBuilder::KeepLink(Tree& tree, const WalkEntry& entry, const std::string& path, const std::string& target) {
  const uint32_t parent = tree.directories[static_cast<size_t>(entry.depth)];
  WALRIG_ASSIGN(FileEntry made, MakeEntry(parent, entry.name, entry.info, FileKind::kSymlink));
  set_.arena_.append(target).push_back('\0');
  set_.entries_.push_back(made);
  ctx_.log->Write(LogLevel::kWarning, "backup",
                  fmt::format("{} is a symbolic link; the link is backed up, not what it points to", Printable(path, 4096)));
  return OkStatus();
}

// `real_path` of a file that a link leads to; else "".
Status FileSetBuilder::VisitFile(Tree& tree, const WalkEntry& entry, const struct stat& info, std::string_view real_path) {
  const uint32_t parent = tree.directories[static_cast<size_t>(entry.depth)];
  WALRIG_ASSIGN(FileEntry made, MakeEntry(parent, entry.name, info, FileKind::kFile));
  made.followed = !real_path.empty();
  if (made.followed) set_.arena_.append(real_path).push_back('\0');
  const std::string member = set_.MemberName(made);
  if (IsControlFile(member)) {
    set_.control_ = made;
    return OkStatus();
  }
  made.paged = made.size_bytes > 0 && IsChecksummedFile(member);
  set_.payload_bytes_ += made.size_bytes;
  ++set_.files_;
  set_.entries_.push_back(made);
  return OkStatus();
}

Status FileSetBuilder::WalkTablespace(const WalkEntry& entry, const std::string& link, const std::string& read) {
  struct stat info {};
  if (stat(link.c_str(), &info) != 0) {
    const int error = errno;
    struct stat again {};
    if (error == ENOENT && lstat(link.c_str(), &again) != 0) return OkStatus();  // DROP TABLESPACE, just now
    if (error != ENOENT) return ErrnoStatus(error, "stat " + link);
    return InvalidArgument(fmt::format("the tablespace link {} points to {}, which does not exist", link, read))
        .Hint("drop the tablespace, or mount its file system");
  }
  // The server takes a relative link too; a restore would not know to what.
  const std::string target = read.starts_with('/') ? read : RealPath(link);
  WALRIG_ASSIGN(const bool dropped, WasDropped(link, target));
  if (dropped) return OkStatus();
  WALRIG_TRY(set_.tablespaces_.Add(entry.name, target).With("tablespace " + link));
  Tree tree{target, {AddDirectory(fmt::format("/{}/{}", kTablespaceDirName, entry.name), target)}, true};
  return Walk(tree);
}

// FAILS WITH: kInvalidArgument when the link stays and leads to a directory that holds nothing of this server.
Result<bool> FileSetBuilder::WasDropped(const std::string& link, const std::string& target) {
  for (int look = 0; look < kDropLooksMax; ++look) {
    struct stat info {};
    if (stat((link + "/" + version_directory_).c_str(), &info) == 0) return false;
    if (errno != ENOENT) return ErrnoStatus(errno, "stat " + link + "/" + version_directory_);
    if (lstat(link.c_str(), &info) != 0 && errno == ENOENT) return true;
    ctx_.clock->SleepNs(kDropPauseNs, ctx_.stop.fd());
    WALRIG_TRY(ctx_.Poll());
  }
  return InvalidArgument(fmt::format("the tablespace {} in {} holds no {}", link, target, version_directory_))
      .Hint("mount its file system, or drop the tablespace: a backup would lack its tables");
}

Result<FileEntry> FileSetBuilder::MakeEntry(uint32_t directory, std::string_view name, const struct stat& info,
                                            FileKind kind) {
  if (set_.arena_.size() + name.size() + PATH_MAX > UINT32_MAX || set_.entries_.size() >= UINT32_MAX)
    return TooLarge("the data directory holds more files than walrig can list");
  FileEntry entry;
  entry.size_bytes = kind == FileKind::kFile ? static_cast<uint64_t>(info.st_size) : 0;
  entry.mtime_ns = int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  entry.directory = directory;
  entry.name = static_cast<uint32_t>(set_.arena_.size());
  set_.arena_.append(name).push_back('\0');
  entry.owner = OwnerIndex(info.st_uid, info.st_gid);
  entry.mode = static_cast<uint16_t>(info.st_mode & 07777);
  entry.kind = kind;
  return entry;
}

uint32_t FileSetBuilder::AddDirectory(std::string member, std::string path) {
  set_.directories_.push_back({std::move(member), std::move(path)});
  return static_cast<uint32_t>(set_.directories_.size() - 1);
}

uint32_t FileSetBuilder::OwnerIndex(uid_t uid, gid_t gid) {
  for (size_t i = set_.owners_.size(); i-- > 0;)
    if (set_.owners_[i].uid == uid && set_.owners_[i].gid == gid) return static_cast<uint32_t>(i);
  set_.owners_.push_back({uid, gid, UserName(uid), GroupName(gid)});
  return static_cast<uint32_t>(set_.owners_.size() - 1);
}

Result<FileSet> WalkDataDirectory(const Context& ctx, const std::string& data_directory,
                                  const std::string& version_directory) {
  return FileSetBuilder(ctx, data_directory, version_directory).Build();
}

}  // namespace walrig
