// Reads a range of a file of a running server: exactly the bytes that the walk promised, with the pages checked on the way.
//
// A file that has shrunk since the walk is filled up with zeros and one that has grown is cut: WAL replay makes both
// right. A page that was torn by a concurrent write is read again a few times before it counts as corrupt, and a page
// changed since the backup began never does: WAL holds its image.
//
// THREADS: a function without state; one fd may serve many threads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/postgres/lsn.h"
#include "walrig/bytes.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

struct PageCheck {
  bool enabled = false;
  Lsn backup_start{};          // pages with this LSN or a later one are not judged
  uint32_t block_bytes = 8192;
};

struct RangeRead {
  int fd = -1;
  std::string path;            // for messages, and for the segment number of a relation
  uint64_t offset = 0;         // a multiple of the block size when pages are checked
  uint64_t length = 0;
  uint32_t first_block = 0;    // block number, within the relation, of the file's first page
  bool paged = false;          // check pages, if `check.enabled`
};

struct RangeOutcome {
  uint32_t crc32c = 0;         // of what was handed on
  uint64_t padded_bytes = 0;   // zeros in place of what the file no longer had
  uint64_t pages_checked = 0;
  std::vector<uint32_t> corrupt_blocks;  // numbers within this file, ascending
};

using RangeChunk = std::function<Status(ByteSpan)>;
// Asked before each read for leave to read so many bytes; empty: no limit.
using ReadLimit = std::function<Status(const Context&, uint64_t bytes)>;

// Hands the range on in pieces of at most buffer.size() bytes, each hot in the cache.
// REQUIRES: buffer.size() is a multiple of the block size.
// FAILS WITH: kIoError and the like from reading, whatever `chunk` and `limit` say, kCancelled.
Result<RangeOutcome> ReadRange(const Context& ctx, const RangeRead& range, const PageCheck& check,
                               MutableByteSpan buffer, const ReadLimit& limit, const RangeChunk& chunk);

}  // namespace walrig
