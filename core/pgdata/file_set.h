// FileSet: what a data directory holds, as a value: one walk, before the first byte of a file is read.
//
// Made small, since a cluster may have a million files: some 70 bytes a file. Names lie in one arena, without the
// directory; modes, owners are numbered. The order is that of the walk: each directory's entry follows its contents'
// siblings in byte order, and the files of one directory lie together.
//
// Member names are WAL-G's: "/" + path relative to the data directory; tablespaces appear under
// "/pg_tblspc/<oid>/..." whatever their place on disk (WAL-G internal/bundle.go).
//
// THREADS: built by one; then the description of the files is constant, and each FileOutcome belongs to whoever packs
// that file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/postgres/tablespace.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

enum class FileKind : uint8_t { kFile, kDirectory, kSymlink };

// What became of a file when it was packed; written by the packer.
struct FileOutcome {
  uint32_t crc32c = 0;       // of the stored body
  uint32_t part = 0;         // number of the tar part; 0: none
  uint32_t corrupt_blocks = 0;
  bool stored = false;       // false: vanished before it was opened
};

// 64 bytes a file, and its name.
struct FileEntry {
  uint64_t size_bytes = 0;   // at walk time: what the tar member will have
  int64_t mtime_ns = 0;
  uint32_t directory = 0;    // index into directories
  uint32_t name = 0;         // offset into the arena; of the part after the last '/'
  uint32_t owner = 0;        // index into owners
  uint16_t mode = 0;         // permission bits, with set-id and sticky
  FileKind kind = FileKind::kFile;
  bool paged = false;        // a relation file that consists of checksummed pages
  FileOutcome outcome;
};

class FileSet {
 public:
  struct Owner {
    uint32_t uid = 0, gid = 0;
    std::string user, group;  // empty when the system does not know them
  };
  struct Directory {
    std::string member;  // "/base/5"; the root is "/"
    std::string path;    // absolute, on this machine
  };

  // Entries by index, in walk order. pg_control is not among them.
  size_t size() const { return entries_.size(); }
  const FileEntry& entry(size_t index) const { return entries_[index]; }
  FileOutcome& outcome(size_t index) { return entries_[index].outcome; }
  std::string MemberName(size_t index) const;
  std::string Path(size_t index) const;
  std::string LinkTarget(size_t index) const;  // of a symlink, else ""
  const Owner& owner(const FileEntry& entry) const { return owners_[entry.owner]; }
  const Directory& directory(const FileEntry& entry) const { return directories_[entry.directory]; }

  // global/pg_control, which is read last.
  bool has_control_file() const { return !control_path_.empty(); }
  const std::string& control_path() const { return control_path_; }
  const FileEntry& control_entry() const { return control_; }
  void set_control_entry(const FileEntry& entry) { control_ = entry; }

  const TablespaceSpec& tablespaces() const { return tablespaces_; }
  uint64_t payload_bytes() const { return payload_bytes_; }    // sum of member sizes, without pg_control
  uint64_t catalog_bytes() const { return catalog_bytes_; }    // WAL-G's DataCatalogSize: every object that was met
  uint64_t files() const { return files_; }
  uint64_t memory_bytes() const;

 private:
  friend class FileSetBuilder;

  std::vector<FileEntry> entries_;
  std::string arena_;  // NUL-terminated names; a symlink's target follows its name
  std::vector<Directory> directories_;
  std::vector<Owner> owners_;
  std::string control_path_;
  FileEntry control_;
  TablespaceSpec tablespaces_;
  uint64_t payload_bytes_ = 0, catalog_bytes_ = 0, files_ = 0;
};

// Walks `data_directory` (absolute, symbolic links resolved). Files that vanish meanwhile are left out; sockets, fifos
// and devices are left out with a warning. Names that PostgreSQL does not want copied are left out at any depth, as
// WAL-G does (data_dir.h); a directory of such a name keeps its entry, and so does a symbolic link of such a name,
// as a directory: a restore needs pg_wal (WAL-G drops the link).
// FAILS WITH: kPermission for what cannot be read, kIoError, kCancelled, kInvalidArgument when a tablespace lies
// inside the data directory or a link in pg_tblspc leads nowhere.
Result<FileSet> WalkDataDirectory(const Context& ctx, const std::string& data_directory);

}  // namespace walrig
