// LocalWalFile: a WAL file of this host, opened and found to be what its name says.
//
// THREADS: a value that owns its descriptor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/fd.h"
#include "core/postgres/wal_name.h"
#include "core/postgres/wal_record.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

struct LocalWalFile {
  std::string path;
  std::string name;  // last part of the path
  WalFile kind;
  Fd fd;
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  uint64_t system_identifier = 0;  // of the cluster that wrote it; 0: its kind does not say
};

// Opens and checks. Segments and partial ones: the first header fits name and size, and the cluster's identity when
// ../global/pg_control is readable beside the file's directory. Histories: they parse. `segment_bytes`: 0 for any.
// FAILS WITH: kInvalidArgument (name), kNotFound, kCorruption, kConflict (another cluster).
Result<LocalWalFile> OpenLocalWalFile(const std::string& path, uint64_t segment_bytes);

// Reads the file and proves the WAL records in it (core/postgres/wal_content); other files than segments are not read.
// FAILS WITH: kCorruption (a record is damaged), kTruncated; what reading fails with. `*early_end` becomes what
// WalContentCheck::early_end says.
Status CheckRecords(const Context& ctx, const LocalWalFile& file, std::optional<WalBreak>* early_end);

// Whether the name still means the file that was opened, as it was then. PostgreSQL renames a segment that is archived
// and writes it anew for a later place; who was still reading it (two wal-push of one file, after a crash of the
// archiver) would store that under the old name. FAILS WITH: kNotFound (renamed or removed), kConflict (another).
Status CheckUnchanged(const LocalWalFile& file);

// The identity of the cluster whose pg_wal holds `path`, whether or not that is a link to another disk; 0 when no
// pg_control is at hand, or it is being rewritten right now.
uint64_t SystemIdentifierBeside(const std::string& path);

}  // namespace walrig
