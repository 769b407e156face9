// The archive's marker: an object by which an archive that lacks a file is told from a place that is no archive at all.
//
// A mount point without its mount, an exchanged bucket or a mistyped prefix answers "not there" to everything. PostgreSQL takes
// that for the end of WAL, or for a timeline that does not exist, and opens for writing. So a place in which there is neither the
// marker nor any other object says nothing about a file. With objects and no marker it is an archive of WAL-G or of an older
// walrig. Place and name of the object: docs/formats/storage_layout.md.
//
// THREADS: functions without state.
#pragma once

#include <vector>

#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/storage.h"

namespace walrig {

// Puts the marker unless it is there.
Status EnsureArchiveMarker(const Context& ctx, Storage& storage);

// The same for several; what fails is warned of, since what was stored there stands without it.
void MarkArchives(const Context& ctx, Storage& storage, const std::vector<Storage*>& others);

// Call it when an object is absent. OK when the storage holds an archive that lacks it. FAILS WITH: kUnavailable when there is
// nothing at all; what asking fails with, never kNotFound.
Status CheckIsArchive(const Context& ctx, Storage& storage);

}  // namespace walrig
