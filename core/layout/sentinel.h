// Sentinel: <backup>_backup_stop_sentinel.json, whose existence makes a backup exist.
//
// Reads version 1, version 2, WAL-E's lower-case "spec" and the very old form that embeds the list of files; writes
// version 2. docs/formats/sentinel.md lists the keys. Keys match in any case; unknown ones are kept.
// THREADS: a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/postgres/lsn.h"
#include "core/postgres/tablespace.h"
#include "walrig/result.h"

namespace walrig {

inline constexpr std::string_view kDateFormatText = "%Y-%m-%dT%H:%M:%S.%fZ";

// The four keys of an increment, complete or not there at all.
struct DeltaInfo {
  Lsn lsn;                // parent's start
  std::string from;       // parent
  std::string full_name;  // the chain's full backup
  int64_t count = 0;      // distance from it

  // catchup-push writes DeltaFrom "" and counts 1.
  bool is_catchup() const { return from.empty(); }
};

struct Sentinel {
  std::optional<Lsn> start_lsn;
  std::optional<Lsn> finish_lsn;
  std::optional<DeltaInfo> delta;
  int pg_version = 0;                    // server_version_num
  std::optional<uint64_t> system_identifier;
  int64_t uncompressed_bytes = 0;
  int64_t compressed_bytes = 0;
  int64_t data_catalog_bytes = 0;        // 0: absent
  std::optional<TablespaceSpec> tablespaces;
  std::optional<Json> user_data;
  bool files_metadata_disabled = false;

  int version = 1;                       // 2 when the keys below are there
  int64_t start_time_ns = 0;             // since 1970; 0: unknown
  int64_t finish_time_ns = 0;
  std::string hostname;
  std::string data_directory;
  bool permanent = false;                // at creation; metadata.json is what counts

  // {"Files":...,"TarFileSets":...,"DatabasesByNames":...} of a very old sentinel, to be given to ReadFilesMetadata;
  // empty: none.
  std::string embedded_files_metadata;

  Json unknown;                          // keys that we do not know, an object; written again at the end

  bool is_delta() const { return delta.has_value(); }
  // files_metadata.json must be there: without it nobody can say whether the backup is whole.
  bool files_metadata_required() const { return version >= 2 && !files_metadata_disabled; }
};

// `what` names the object in messages. FAILS WITH: kCorruption for anything but an object, a key of the wrong type or
// out of range (named), and delta keys that are incomplete.
Result<Sentinel> ParseSentinel(std::string_view text, std::string_view what = "sentinel");

// One line, keys in WAL-G's order, HTML characters escaped as Go does.
std::string SerializeSentinel(const Sentinel& sentinel);

}  // namespace walrig
