// wal-push: archives one WAL file, and others that wait, as PostgreSQL's archive_command.
//
// Success means that the file is in the archive, whole and durable: PostgreSQL recycles it afterwards. A file that does
// not look like what its name says, or that belongs to another cluster, is refused before anything is stored.
//
// Source: WAL-G pg/wal_push_handler.go, bguploader.go; deviations: docs/guide/wal.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/pipeline/codec.h"
#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/storage.h"

namespace walrig {

class CodecProvider;

struct WalPushOptions {
  std::string path;                  // %p: of the file; its last part is the WAL file's name
  std::string pgdata;                // PGDATA, for the markers of background uploads; may be empty
  uint64_t segment_bytes = 0;        // WALG_PG_WAL_SIZE when it was set; 0: what the segment's header says
  bool prevent_overwrite = false;    // WALG_PREVENT_WAL_OVERWRITE; histories are always guarded
  bool individual_metadata = false;  // WALG_UPLOAD_WAL_METADATA=INDIVIDUAL: <name>.json beside the object
  size_t compress_workers = 2;       // threads that compress this file
  size_t background_workers = 15;    // others uploaded at a time; WALG_UPLOAD_CONCURRENCY - 1
  size_t background_files_max = 31;  // in one call; TOTAL_BG_UPLOADED_LIMIT - 1
  std::string archive_id;            // names the storages of the settings, for the note that they have the archive's marker
  bool rename_ready = false;         // PG_READY_RENAME: .ready of background uploads becomes .done
};

struct WalPushDeps {
  Storage& storage;
  Codec codec;            // what new objects are written with
  CodecProvider& codecs;  // to read an object that is there already, for the overwrite guard
  // Where the guard compares too, since the name may have been archived there meanwhile, and what gets the archive's marker.
  std::vector<Storage*> others{};
};

struct WalPushReport {
  std::string name;
  bool already_archived = false;  // by a background upload, or with equal content under the guard
  uint64_t plain_bytes = 0;
  uint64_t stored_bytes = 0;
  size_t background_files = 0;  // others that were archived meanwhile
};

// Whether walg_data has a note that the archive of `options.archive_id` was given its marker. Without one, and for a history, WalPush
// puts the marker into deps.storage and deps.others, and notes it: no later call asks for it.
bool ArchiveIsNoted(const WalPushOptions& options);

// FAILS WITH: kInvalidArgument (not a WAL file's name), kNotFound (no such file), kCorruption (header or size do not
// fit the name), kConflict (another cluster's segment; or, under the guard, different content is archived), storage
// errors. Failures of background uploads are logged, not returned: PostgreSQL will ask for those files itself.
Result<WalPushReport> WalPush(const Context& ctx, const WalPushOptions& options, const WalPushDeps& deps);

}  // namespace walrig
