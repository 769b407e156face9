// One stored object from one source: the write path for small objects and WAL.
//
// THREADS: functions without state; they return after their threads have ended.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "core/pipeline/codec.h"
#include "core/pipeline/ordered_compressor.h"
#include "walrig/storage.h"

namespace walrig {

struct PutEncodedOptions {
  PutOptions put{};                  // size_bytes is ignored: the stored size is not known before
  size_t workers = 1;                // for PutEncodedFile; a Source is read by one thread
  size_t slice_bytes = 4u << 20;     // plain bytes of one slice of a file
  // For PutEncodedFile: asked when all was read and written, before the commit; an error of its own ends the put.
  std::function<Status()> before_commit{};
};

// Reads `plain` to its end, encodes and puts it under `key`, and commits. On failure nothing is visible, except after an
// outcome_unknown. FAILS WITH: what the source, the codec and the storage fail with.
Result<ObjectStats> PutEncoded(const Context& ctx, Storage& storage, std::string_view key, const Codec& codec,
                               Source& plain, const PutEncodedOptions& options = {});

// The same for `length` bytes from `offset` of an open file, in slices that `options.workers` threads encode at once
// when the compressor is concatenable. FAILS WITH: also kTruncated when the file is shorter.
struct FileRange {
  int fd = -1;               // borrowed, read with pread
  uint64_t offset = 0;
  uint64_t length = 0;
  std::string_view name;     // for messages
};
Result<ObjectStats> PutEncodedFile(const Context& ctx, Storage& storage, std::string_view key, const Codec& codec,
                                   const FileRange& file, const PutEncodedOptions& options = {});

}  // namespace walrig
