// LocalWalFile: a WAL file of this host, opened and found to be what its name says.
//
// THREADS: a value that owns its descriptor.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/fd.h"
#include "core/postgres/wal_name.h"
#include "walrig/result.h"

namespace walrig {

struct LocalWalFile {
  std::string path;
  std::string name;  // last part of the path
  WalFile kind;
  Fd fd;
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
};

// Opens and checks. Segments and partial ones: the first header fits name and size, and the cluster's identity when
// ../global/pg_control is readable beside the file's directory. Histories: they parse. `segment_bytes`: 0 for any.
// FAILS WITH: kInvalidArgument (name), kNotFound, kCorruption, kConflict (another cluster).
Result<LocalWalFile> OpenLocalWalFile(const std::string& path, uint64_t segment_bytes);

}  // namespace walrig
