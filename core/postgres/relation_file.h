// RelationPath: the file of a relation, by its path relative to the data directory.
//
//   base/DB/REL[_FORK][.SEG]   global/REL...   pg_tblspc/OID/PG_VV_CATALOG/DB/REL...   temporary: tBACKEND_REL...
//
// Tested on whole components relative to PGDATA, never on substrings of an absolute path (as WAL-G does, for which
// /database/x/log is a relation).
// THREADS: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/postgres/page.h"

namespace walrig {

enum class RelationFork : uint8_t { kMain, kFreeSpaceMap, kVisibilityMap, kInit };

inline constexpr uint32_t kDefaultTablespaceOid = 1663;
inline constexpr uint32_t kGlobalTablespaceOid = 1664;

struct RelationPath {
  uint32_t tablespace = 0;   // kDefaultTablespaceOid below base, kGlobalTablespaceOid in global
  uint32_t database = 0;     // 0 in global
  uint32_t relfilenode = 0;
  RelationFork fork = RelationFork::kMain;
  uint32_t segment = 0;      // 0: no suffix
  bool temporary = false;
};

// Nothing when `path` (relative, a leading '/' is allowed) is no file of a relation.
std::optional<RelationPath> ParseRelationPath(std::string_view path);

// Absolute number of the first block of a segment; nothing when the relation would exceed 2^32 - 1 blocks.
std::optional<uint32_t> FirstBlockOfSegment(uint32_t segment, uint32_t blocks_per_segment = kBlocksPerSegmentDefault);

// Whether the pages of this file carry checksums, when the cluster has them (basebackup.c: noChecksumFiles and the
// name rule of is_checksummed_file): any fork of a relation, permanent or temporary, below base, global or pg_tblspc.
bool IsChecksummedFile(std::string_view path);

// Whether WAL-G may store it as an increment: the main fork of a permanent relation below base or pg_tblspc.
bool IsPagedFile(std::string_view path);

}  // namespace walrig
