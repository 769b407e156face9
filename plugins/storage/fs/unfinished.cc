#include "plugins/storage/fs/unfinished.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "plugins/storage/fs/folder.h"
#include "plugins/storage/fs/names.h"

namespace walrig::fs {
namespace {

constexpr size_t kUploadsMax = 1000;

std::string KeyOf(std::string_view folder, std::string_view temp) {
  if (temp.size() > kTempSuffixBytes) temp.remove_suffix(kTempSuffixBytes);  // a bare suffix is nobody's, but a name
  return std::string(folder).append(temp);
}

// Opens the temporary file and takes its lock; kConflict when a living writer has it. Without locks on this file
// system nobody is known to live.
Result<Fd> Lock(int folder_fd, const std::string& name, struct stat* s) {
  Fd fd(::openat(folder_fd, name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus(errno, "open temporary file " + name);
  if (::fstat(fd.get(), s) != 0) return ErrnoStatus(errno, "stat temporary file " + name);
  if (!S_ISREG(s->st_mode)) return NotFound("temporary file " + name + " is no file");
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Conflict("temporary file " + name + ": its writer is at work");
  }
  return fd;
}

class Walker {
 public:
  Walker(const Context& ctx, const Tree& tree, std::string_view prefix, std::string_view after)
      : ctx_(ctx), tree_(tree), prefix_(prefix), after_(after) {}

  Status Walk(const std::string& folder) {
    std::vector<std::string> folders;
    WALRIG_TRY(Scan(folder, &folders));
    for (const std::string& name : folders) {
      const std::string below = folder + name + "/";
      const size_t shared = std::min(below.size(), prefix_.size());
      const bool wanted = below.size() <= kKeyBytesMax && below.compare(0, shared, prefix_, 0, shared) == 0;
      if (wanted) WALRIG_TRY(Walk(below));
    }
    return OkStatus();
  }

  UnfinishedPage Take() {
    std::sort_heap(heap_.begin(), heap_.end(), ById);
    UnfinishedPage page;
    if (heap_.size() > kUploadsMax) {
      heap_.resize(kUploadsMax);
      page.next_page_token = heap_.back().id;
    }
    page.entries = std::move(heap_);
    return page;
  }

 private:
  static bool ById(const UnfinishedUpload& a, const UnfinishedUpload& b) { return a.id < b.id; }

  Status Scan(const std::string& folder, std::vector<std::string>* folders) {
    const Fd folder_fd = OpenBelow(tree_.root(), folder.empty() ? folder : folder.substr(0, folder.size() - 1),
                                   O_RDONLY | O_DIRECTORY);
    if (!folder_fd.valid()) return errno == ENOENT || errno == ENOTDIR ? OkStatus() : ErrnoStatus(errno, "list folder " + folder);
    return ForEachEntry(ctx_, folder_fd.get(), folder, [&](const dirent& entry, unsigned char type) {
      if (IsTempName(entry.d_name)) {
        Keep(folder_fd.get(), folder, entry.d_name);
      } else if (type == DT_DIR) {
        folders->emplace_back(entry.d_name);
      }
      return true;
    });
  }

  void Keep(int folder_fd, const std::string& folder, const std::string& name) {
    UnfinishedUpload upload{.key = KeyOf(folder, name), .id = folder + name};
    if (!upload.key.starts_with(prefix_) || (!after_.empty() && upload.id <= after_)) return;
    struct stat s{};
    // One that cannot be opened for writing is told all the same: removing it will say why.
    const Result<Fd> fd = Lock(folder_fd, name, &s);
    if (!fd.ok()) {
      if (fd.status().code() == Code::kConflict || fd.status().code() == Code::kNotFound) return;
      if (::fstatat(folder_fd, name.c_str(), &s, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(s.st_mode)) return;
    }
    upload.started_ns = MtimeNs(s);
    upload.size_bytes = static_cast<uint64_t>(s.st_size);
    heap_.push_back(std::move(upload));
    std::push_heap(heap_.begin(), heap_.end(), ById);
    if (heap_.size() <= kUploadsMax + 1) return;
    std::pop_heap(heap_.begin(), heap_.end(), ById);
    heap_.pop_back();
  }

  const Context& ctx_;
  const Tree& tree_;
  const std::string prefix_, after_;
  std::vector<UnfinishedUpload> heap_;  // the greatest of those kept stands first
};

}  // namespace

Result<UnfinishedPage> ListTempFiles(const Context& ctx, const Tree& tree, std::string_view prefix,
                                     std::string_view page_token) {
  const size_t slash = prefix.rfind('/');
  const std::string folder(slash == prefix.npos ? std::string_view() : prefix.substr(0, slash + 1));
  // No object can have such a name, and "../" must not be opened.
  if (!folder.empty() && !CheckKey(folder + "x").ok()) return UnfinishedPage();
  Walker walker(ctx, tree, prefix, page_token);
  WALRIG_TRY(walker.Walk(folder));
  return walker.Take();
}

Status RemoveTempFile(Tree& tree, const UnfinishedUpload& upload) {
  const auto [folder, name] = SplitKey(upload.id);
  if (!IsTempName(name) || upload.id.starts_with('/') || name.find('\0') != name.npos || (!folder.empty() && !CheckKey(folder + "/x").ok())) {
    return InvalidArgument("no unfinished upload has such an id");
  }
  {
    const Fd parent = OpenBelow(tree.root(), folder, O_PATH | O_DIRECTORY);
    if (!parent.valid()) {
      return errno == ENOENT || errno == ENOTDIR ? OkStatus() : ErrnoStatus(errno, "open folder " + folder);
    }
    struct stat s{};
    const Result<Fd> fd = Lock(parent.get(), name, &s);
    if (!fd.ok()) return fd.status().code() == Code::kNotFound ? OkStatus() : fd.status();
    // A writer that ended meanwhile renamed the file: then this name is gone, and its object stays.
    if (::unlinkat(parent.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
      return ErrnoStatus(errno, "remove temporary file " + upload.id);
    }
  }
  tree.PruneFolder(folder);
  return OkStatus();
}

}  // namespace walrig::fs
