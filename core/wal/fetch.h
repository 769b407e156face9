// wal-fetch: brings one WAL file back from the archive, as PostgreSQL's restore_command.
//
// The destination appears only when the file is whole and is what its name says, every record in it included: PostgreSQL takes a
// record that is not right for the end of WAL, and opens for writing there. Nothing is left otherwise.
//
// Source: WAL-G pg/wal_fetch_handler.go, internal/fetch_helper.go; deviations: docs/guide/wal.md. Look-ahead prefetch
// has its room beside this file and comes with a later version.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/storage.h"

namespace walrig {

class CodecProvider;

struct WalFetchOptions {
  std::string name;                 // %f: 24 digits, .history, .partial or .backup
  std::string destination;          // %p: must not exist; a relative path is taken from the working directory
  std::string preferred_extension;  // of the configured compressor: probed first
  uint64_t segment_bytes = 0;       // WALG_PG_WAL_SIZE when it was set; 0: what the segment's header says
};

struct WalFetchDeps {
  Storage& storage;
  CodecProvider& codecs;
  std::vector<Storage*> others{};  // of a failover: where the segment after this one may lie too

  std::vector<Storage*> AllStorages() const {
    std::vector<Storage*> all = others;
    all.insert(all.begin(), &storage);
    return all;
  }
};

struct WalFetchReport {
  std::string key;  // of the object that was read
  uint64_t plain_bytes = 0;
};

// What is wrong whatever the archive holds. FAILS WITH: kInvalidArgument (not a WAL file's name; the destination's
// directory is missing), kAlreadyExists (the destination is there).
Status CheckWalFetchArguments(const std::string& name, const std::string& destination);

// FAILS WITH: kNotFound only when the archive was readable, is an archive (core/catalog/archive_marker) and does not hold the
// file (PostgreSQL then goes on without it, so a network that is down or a mount that is away must never say this); what CheckWalFetchArguments says, kCorruption, kTruncated (the
// object), kConflict (another cluster's), storage errors.
Result<WalFetchReport> WalFetch(const Context& ctx, const WalFetchOptions& options, const WalFetchDeps& deps);

}  // namespace walrig
