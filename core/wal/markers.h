// UploadMarkers: which WAL files a background upload has archived before PostgreSQL asked for them.
//
// A marker is <walg_data>/walg_archive_status/<name> with one line "walrig 1 <bytes> <crc32c>" of the file's content.
// It is a hint: who finds one still asks the storage whether the object is there, and the file whether it is the same.
// WAL-G's markers are empty and cut the last extension off the name, so that one of X.partial looks like one of X
// (pg/wal_push_handler.go at 43fb039f); they are not believed, only removed.
//
// THREADS: any; distinct names do not disturb each other.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/wal/local_file.h"
#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/stream.h"

namespace walrig {

// That an archive was given its marker (core/catalog/archive_marker): <walg_data>/walrig_archive_<hash of what names it>, empty.
class ArchiveNote {
 public:
  ArchiveNote(const std::string& wal_directory, std::string_view archive_id);
  bool Exists() const;
  Status Add(const Context& ctx) const;

 private:
  std::string directory_;
  std::string path_;
};

class UploadMarkers {
 public:
  // `wal_directory` is pg_wal (or wherever the files to push lie); markers live in its walg_data.
  explicit UploadMarkers(const std::string& wal_directory);

  // Whether a marker of exactly this content is there.
  bool Matches(const LocalWalFile& file) const;
  // Whether any marker of this name is there.
  bool Exists(std::string_view name) const;
  // Writes the marker, which gets its name, and counts, with Commit; creates directories as needed. A caller that asks
  // before it uploads knows that the upload will not be in vain, and be begun again by each later call.
  Result<std::unique_ptr<Sink>> Prepare(const Context& ctx, const LocalWalFile& file) const;
  // Missing is fine.
  void Remove(std::string_view name) const;
  // Removes those of files that do not wait any more: with PG_READY_RENAME nobody asks for them again.
  void RemoveStale(const std::string& archive_status_dir) const;

 private:
  std::string directory_;
};

}  // namespace walrig
