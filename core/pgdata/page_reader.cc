#include "core/pgdata/page_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/checksum.h"
#include "core/base/fd.h"
#include "core/postgres/page.h"

namespace walrig {
namespace {

// A page that another process is writing looks torn for a moment only. PostgreSQL's base backup reads again once;
// the pauses make a busy machine no reason for a false finding.
constexpr int kRereadsMax = 5;
constexpr uint64_t kRereadPauseNs = 1'000'000;

// Reads the page at `block` of the file again until it is sound, new or changed since the backup began. The good copy
// replaces the one in `page`: what is stored is what was judged. True when it stays bad.
Result<bool> StaysBad(const Context& ctx, const RangeRead& range, const PageCheck& check, uint32_t block,
                      MutableByteSpan page) {
  Buffer again(check.block_bytes);
  const uint64_t offset = uint64_t{block} * check.block_bytes;
  for (int round = 0; round < kRereadsMax; ++round) {
    if (round > 0) ctx.clock->SleepNs(kRereadPauseNs, ctx.stop.fd());
    WALRIG_TRY(ctx.Poll());
    WALRIG_ASSIGN(size_t n, PreadFull(range.fd, again.span(), offset, range.path));
    if (n < check.block_bytes) return false;  // truncated meanwhile: WAL says so too
    std::vector<uint32_t> bad;
    if (CheckPages(again.first(n), range.first_block + block, check.block_bytes, &bad, check.backup_start) == 0) {
      std::memcpy(page.data(), again.data(), n);
      return false;
    }
  }
  return true;
}

Status CheckChunk(const Context& ctx, const RangeRead& range, const PageCheck& check, uint64_t chunk_offset,
                  MutableByteSpan read, RangeOutcome& outcome) {
  const uint32_t first = static_cast<uint32_t>(chunk_offset / check.block_bytes);
  std::vector<uint32_t> bad;
  outcome.pages_checked += read.size() / check.block_bytes;
  if (CheckPages(read, range.first_block + first, check.block_bytes, &bad, check.backup_start) == 0) return OkStatus();
  for (uint32_t absolute : bad) {
    const uint32_t block = absolute - range.first_block;
    MutableByteSpan page = read.subspan(size_t{block - first} * check.block_bytes, check.block_bytes);
    WALRIG_ASSIGN(bool corrupt, StaysBad(ctx, range, check, block, page));
    if (corrupt) outcome.corrupt_blocks.push_back(block);
  }
  return OkStatus();
}

}  // namespace

Result<RangeOutcome> ReadRange(const Context& ctx, const RangeRead& range, const PageCheck& check,
                               MutableByteSpan buffer, const ReadLimit& limit, const RangeChunk& chunk) {
  RangeOutcome outcome;
  const bool paged = check.enabled && range.paged;
  uint64_t done = 0;
  bool ended = false;
  while (done < range.length) {
    WALRIG_TRY(ctx.Poll());
    const size_t want = static_cast<size_t>(std::min<uint64_t>(buffer.size(), range.length - done));
    MutableByteSpan piece = buffer.first(want);
    size_t got = 0;
    if (!ended) {
      if (limit) WALRIG_TRY(limit(ctx, want));
      WALRIG_ASSIGN(got, PreadFull(range.fd, piece, range.offset + done, range.path));
      if (paged) WALRIG_TRY(CheckChunk(ctx, range, check, range.offset + done, piece.first(got), outcome));
      ended = got < want;
    }
    if (got < want) {
      std::memset(piece.data() + got, 0, want - got);
      outcome.padded_bytes += want - got;
    }
    outcome.crc32c = Crc32c(outcome.crc32c, piece);
    WALRIG_TRY(chunk(piece));
    done += want;
  }
  return outcome;
}

}  // namespace walrig
