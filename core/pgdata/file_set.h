// FileSet: what a data directory holds, as a value: one walk, before the first byte of a file is read.
//
// Made small, since a cluster may have a million files: some 70 bytes a file. Names lie in one arena, without the
// directory; modes, owners are numbered. The order is that of the walk: a directory before its content, names
// in byte order.
//
// Member names are WAL-G's: "/" + path relative to the data directory; tablespaces appear under
// "/pg_tblspc/<oid>/..." whatever their place on disk (WAL-G internal/bundle.go).
//
// THREADS: built by one; then the description of the files is constant, and each FileOutcome belongs to whoever packs
// that file.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
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
  bool followed = false;     // a file that a symbolic link in its place leads to
  FileOutcome outcome;
};

class FileSet {
 public:
  struct Owner {
    uint32_t uid = 0, gid = 0;
    std::string user, group;  // empty when the system does not know them
  };

  // Entries by index, in walk order. pg_control is not among them.
  size_t size() const { return entries_.size(); }
  const FileEntry& entry(size_t index) const { return entries_[index]; }
  FileOutcome& outcome(size_t index) { return entries_[index].outcome; }
  std::string MemberName(const FileEntry& entry) const;
  std::string_view BaseName(const FileEntry& entry) const { return arena_.data() + entry.name; }  // "" of a root
  std::string Path(const FileEntry& entry) const;
  std::string LinkTarget(const FileEntry& entry) const;  // of a symlink, else ""
  const Owner& owner(const FileEntry& entry) const { return owners_[entry.owner]; }

  // global/pg_control, which is read last and stands apart. Nothing when the walk did not meet it.
  const std::optional<FileEntry>& control() const { return control_; }

  const TablespaceSpec& tablespaces() const { return tablespaces_; }
  uint64_t payload_bytes() const { return payload_bytes_; }    // sum of member sizes, without pg_control
  uint64_t catalog_bytes() const { return catalog_bytes_; }    // WAL-G's DataCatalogSize: every object that was met
  uint64_t files() const { return files_; }                    // regular files among the entries

 private:
  friend class FileSetBuilder;

  struct Directory {
    std::string member;  // "/base/5"; the root is "/"
    std::string path;    // absolute, on this machine
  };

  std::deque<FileEntry> entries_;  // never moved while it grows: a vector would hold everything twice for a moment
  std::string arena_;  // NUL-terminated names; a symlink's target follows its name, and a followed file's real path
  std::vector<Directory> directories_;
  std::vector<Owner> owners_;
  std::optional<FileEntry> control_;
  TablespaceSpec tablespaces_;
  uint64_t payload_bytes_ = 0, catalog_bytes_ = 0, files_ = 0;
};

// Walks `data_directory` (absolute, symbolic links resolved). Files that vanish meanwhile are left out; sockets, fifos
// and devices are left out with a warning. Names that PostgreSQL does not want copied are left out at any depth, as
// WAL-G does (data_dir.h); a directory of such a name keeps its entry, and so does a symbolic link of such a name,
// as a directory: a restore needs pg_wal (WAL-G drops the link).
// A tablespace inside the data directory is packed once, as the tablespace.
//
// A symbolic link to a plain file (a configuration file, a key), and one in the place of a directory or file of the
// server's own (LinkHidesData), is followed: what it leads to is packed in its place, so that a server starts from the
// backup alone. As root only what belongs to the owner of the data directory is followed: who may write there must not
// have root read for him. Other symbolic links are kept as links with their real target (WAL-G stores the link's own name
// there), aloud.
//
// Of a tablespace only `version_directory` (TablespaceVersionDirectory) is this server's: another major's directory,
// lost+found and whatever else lies there is left out, as is a lost+found in the data directory.
// FAILS WITH: kPermission for what cannot be read, kIoError, kCancelled, kInvalidArgument when a link in pg_tblspc or in the
// place of the server's own data leads nowhere, or back to what it lies in, or when a tablespace is without
// `version_directory`, which is an unmounted file system.
Result<FileSet> WalkDataDirectory(const Context& ctx, const std::string& data_directory,
                                  const std::string& version_directory);

}  // namespace walrig
