// The cluster that is backed up: what its server says and what its files say, brought together.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>

#include "core/backup/server.h"
#include "core/postgres/control_file.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

struct Cluster {
  ServerInfo server;
  std::string data_directory;  // symbolic links resolved
  ControlData control;
};

// Asks the server, and looks whether it is that of `data_directory`. `wal_segment_bytes` is the user's own word, compared
// with the server's; 0 none.
// FAILS WITH: kInvalidArgument (another server's directory), kNotSupported (its version), kConfig (the segment size),
// kPermission, kNotFound, and what the server fails with.
Result<Cluster> LookAtCluster(const Context& ctx, BackupServer& server, const std::string& data_directory,
                              uint64_t wal_segment_bytes);

// The bytes of pg_control, and what they say. That of a running server may be read in the middle of a write: its CRC
// tells, and it is read again, for 100 ms. FAILS WITH: as ParseControlFile, kPermission, kNotFound.
Result<std::string> ReadControlFile(const Context& ctx, const std::string& data_directory, ControlData* parsed);

}  // namespace walrig
