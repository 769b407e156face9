#include "core/io/dir_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "core/base/errno_status.h"
#include "core/base/fd.h"

namespace walrig {
namespace {

// The names of one directory, end to end in one block: a directory of a million names costs little more than them.
class Names {
 public:
  void Add(const char* name) {
    starts_.push_back(text_.size());
    text_.append(name, std::strlen(name) + 1);
  }
  void Sort() {
    std::sort(starts_.begin(), starts_.end(),
              [this](size_t a, size_t b) { return std::strcmp(&text_[a], &text_[b]) < 0; });
  }
  size_t count() const { return starts_.size(); }
  const char* operator[](size_t i) const { return &text_[starts_[i]]; }

 private:
  std::string text_;
  std::vector<size_t> starts_;
};

bool IsDotName(const char* name) { return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0; }

// What open or stat say of a name that another process removed, or put something else in the place of, meanwhile.
bool Vanished(int err) { return err == ENOENT || err == ENOTDIR || err == ELOOP; }

// All names of an open directory, in byte order. The descriptor stays the caller's.
Result<Names> ReadNames(int dir_fd, const std::string& path) {
  Fd own(::openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own.valid() && errno == ENOENT) return Names();
  if (!own.valid()) return ErrnoStatus(errno, fmt::format("open directory {}", path));
  DIR* stream = ::fdopendir(own.get());
  if (stream == nullptr) return ErrnoStatus(errno, fmt::format("open directory {}", path));
  static_cast<void>(own.release());
  std::unique_ptr<DIR, int (*)(DIR*)> closer(stream, ::closedir);
  Names names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream);
    if (entry == nullptr && (errno == 0 || errno == ENOENT)) break;
    if (entry == nullptr) return ErrnoStatus(errno, fmt::format("read directory {}", path));
    if (!IsDotName(entry->d_name)) names.Add(entry->d_name);
  }
  names.Sort();
  return names;
}

class Walker {
 public:
  Walker(const Context& ctx, const std::string& root, const WalkOptions& options, const WalkVisitor& visit)
      : ctx_(ctx), root_(root), options_(options), visit_(visit) {}

  // Recursion is bounded by depth_max.
  Status Walk(int dir_fd, int depth) {
    WALRIG_ASSIGN(Names names, ReadNames(dir_fd, FullPath()));
    const size_t path_bytes = path_.size();
    for (size_t i = 0; i < names.count(); ++i) {
      WALRIG_TRY(ctx_.Poll());
      if (!path_.empty()) path_ += '/';
      path_ += names[i];
      Status status = Show(dir_fd, names[i], depth);
      path_.resize(path_bytes);
      WALRIG_TRY(std::move(status));
    }
    return OkStatus();
  }

 private:
  Status Show(int dir_fd, const char* name, int depth) {
    struct stat info = {};
    if (::fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (Vanished(errno)) return OkStatus();
      return ErrnoStatus(errno, fmt::format("stat {}", FullPath()));
    }
    WALRIG_ASSIGN(WalkAnswer answer, visit_(WalkEntry{path_, dir_fd, name, info, depth}));
    if (!S_ISDIR(info.st_mode) || answer == WalkAnswer::kSkip) return OkStatus();
    if (depth + 1 >= options_.depth_max) {
      return TooLarge(fmt::format("{} is nested deeper than {} directories", root_, options_.depth_max));
    }
    Fd child(::openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!child.valid()) {
      if (Vanished(errno)) return OkStatus();
      return ErrnoStatus(errno, fmt::format("open directory {}", FullPath()));
    }
    return Walk(child.get(), depth + 1);
  }

  std::string FullPath() const { return path_.empty() ? root_ : root_ + '/' + path_; }

  const Context& ctx_;
  const std::string& root_;
  const WalkOptions& options_;
  const WalkVisitor& visit_;
  std::string path_;  // of the entry that is looked at, relative to the root
};

}  // namespace

Status WalkDirectory(const Context& ctx, const std::string& root, const WalkOptions& options,
                     const WalkVisitor& visit) {
  WALRIG_ASSIGN(Fd fd, OpenFd(root, O_RDONLY | O_DIRECTORY));
  return Walker(ctx, root, options, visit).Walk(fd.get(), 0);
}

}  // namespace walrig
