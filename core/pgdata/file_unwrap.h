// TreeWriter: makes the files of a data directory from the members of tars, and nothing outside of it.
//
// Names come from a storage that may be hostile. Each is first brought into one form (NormalizeMemberName), then
// resolved by the kernel below the target's descriptor with openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS), or component by
// component with O_NOFOLLOW where that call is not there: no member can leave the target, not even through a link that
// another member made a moment ago. A file is always created, never opened: a second member of the same name is an
// error, and the order of parallel tars cannot matter.
//
// Tablespaces are roots of their own: members below pg_tblspc/<oid> of a registered one go to its location directly.
//
// Modes are made such that PostgreSQL starts with them (restored_mode.h); FinishModes sets those that no member says.
//
// OWNS: the descriptors of its roots. THREADS: after the roots are registered, all methods from any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "walrig/result.h"

namespace walrig {

// A tar member's name as a path relative to the data directory: without leading slashes or "./", without a trailing
// slash; "" for the root itself ("/", ".", "./").
// FAILS WITH: kCorruption for what no data directory holds: an empty name, NUL, "..", "." or empty components inside,
// components beyond 255 bytes, names beyond 4 KiB.
Result<std::string> NormalizeMemberName(std::string_view name);

// A file being written. Start of write-back happens when it is closed; durability comes with SyncTree.
class TreeFile {
 public:
  TreeFile(Fd fd, std::string name, uint32_t mode) : fd_(std::move(fd)), name_(std::move(name)), mode_(mode) {}
  Status Write(ByteSpan bytes);
  // Sets the mode (umask does not count) and closes. Without it the file stays 0600.
  Status Close();
  uint64_t bytes() const noexcept { return bytes_; }

 private:
  Fd fd_;
  std::string name_;
  uint32_t mode_;
  uint64_t bytes_ = 0;
};

// Who gets everything that a TreeWriter makes, when it is not the process's own user: only root may say so.
struct TreeOwner {
  uid_t uid = 0;
  gid_t gid = 0;
};

class TreeWriter {
 public:
  // `directory` must exist. FAILS WITH: what opening says.
  static Result<std::unique_ptr<TreeWriter>> Open(const std::string& directory, std::optional<TreeOwner> owner = {});

  // Makes pg_tblspc/<oid> a link to `location`, an existing directory, and sends members below it there.
  // FAILS WITH: kAlreadyExists, what opening and linking say.
  Status AddTablespace(const std::string& oid, const std::string& location);

  // All `name`s below are normalised. Parents that have no member of their own yet are made 0700. Of a file's mode only
  // the nine permission bits count, of a directory's what RestoredDirectoryMode takes; a set-group-id bit that a
  // directory inherited stays. FAILS WITH: kCorruption when the name is taken by something else, occurs a second time
  // (not for directories), or leads through a link or a file; else what the system says.
  Status MakeDirectory(const std::string& name, uint32_t mode);
  Status MakeSymlink(const std::string& name, const std::string& target);
  Result<TreeFile> CreateFile(const std::string& name, uint32_t mode);
  // Small files in one call.
  Status WriteFile(const std::string& name, uint32_t mode, std::string_view content);
  // A file of ours, of which no member says the mode.
  Result<TreeFile> CreateOwnFile(const std::string& name);
  Status WriteOwnFile(const std::string& name, std::string_view content);
  // A directory that no member may have named; nothing when something of that name is there.
  Status EnsureDirectory(const std::string& name);

  // The beginning of a file that this restore made. FAILS WITH: kNotFound; kInvalidArgument for a symbolic link.
  Result<std::string> ReadFile(const std::string& name, uint64_t max_bytes);
  // Removes a file or a link that this restore made. FAILS WITH: kNotFound.
  Status RemoveFile(const std::string& name);
  // Replaces `to`. Both in the data directory itself, not in a tablespace.
  Status RenameFile(const std::string& from, const std::string& to);
  // Opens a directory for fsync.
  Result<Fd> OpenDirectory(const std::string& name);

  // When all members are there: gives modes to what no member named (parents, tablespaces' own directories, files of
  // ours, and the root, by that of global), so that group access is whole or not there.
  Status FinishModes();
  // Absolute paths of all roots: the data directory first.
  std::vector<std::string> RootPaths() const;

 private:
  struct Root {
    std::string prefix;  // "" or "pg_tblspc/16387"
    std::string path;
    Fd fd;
  };
  struct Place {
    int fd;
    std::string_view rest;  // relative to fd; "" is the root itself
    std::string prefix;     // of the root, for full names: "" or "pg_tblspc/16387/"
  };

  explicit TreeWriter(std::optional<TreeOwner> owner) : owner_(owner) {}
  Place Resolve(std::string_view name) const;
  Result<Fd> OpenAt(int root, std::string_view rest, int flags, mode_t mode) const;
  Result<Fd> OpenParent(const Place& place, std::string_view* last);
  Status MakeParents(const Place& place);
  Status MakeParent(int parent, const std::string& base, std::string path);
  Status SetDirectoryMode(const std::string& name, int fd, uint32_t mode);
  Status Own(int fd, const std::string& name) const;

  const std::optional<TreeOwner> owner_;
  std::vector<Root> roots_;
  bool openat2_works_ = false;
  std::mutex mutex_;  // guards what follows
  std::optional<uint32_t> root_mode_;
  std::set<std::string> made_directories_, named_directories_;  // by full name; of the former some may be in the latter
  std::vector<std::string> own_files_;
};

}  // namespace walrig
