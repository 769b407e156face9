// Pages: header, validity, PostgreSQL's page checksum.
//
//   0 u32 lsn hi  4 u32 lsn lo  8 u16 checksum  10 u16 flags  12 u16 lower  14 u16 upper  16 u16 special
//   18 u16 size | layout version  20 u32 prune xid; little-endian (src/include/storage/bufpage.h)
//
// The checksum is 32 interleaved FNV-1a-like sums (src/include/storage/checksum_impl.h). On x86 the widest of AVX-512,
// AVX2 and SSE2 that the CPU has is chosen at run time, and two pages run at once so that the latency of one multiply
// hides behind the other.
//
// THREADS: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/postgres/lsn.h"
#include "walrig/bytes.h"

namespace walrig {

inline constexpr size_t kPageHeaderBytes = 24;
inline constexpr size_t kBlockBytesDefault = 8192;
inline constexpr uint32_t kBlocksPerSegmentDefault = 131072;  // 1 GiB of 8 KiB

// A block size that a server can be built with: a power of two from 1 to 32 KiB.
constexpr bool IsBlockSize(size_t bytes) noexcept {
  return bytes >= 1024 && bytes <= 32768 && (bytes & (bytes - 1)) == 0;
}

struct PageHeader {
  Lsn lsn;
  uint16_t checksum = 0;
  uint16_t flags = 0;
  uint16_t lower = 0;
  uint16_t upper = 0;
  uint16_t special = 0;
  uint16_t size_version = 0;

  // PostgreSQL's PageIsNew. Such a page must be all zero to be sound.
  bool is_new() const noexcept { return upper == 0; }
};
// REQUIRES: `page` has kPageHeaderBytes.
PageHeader ReadPageHeader(const uint8_t* page) noexcept;

// WAL-G's and PostgreSQL's sanity of a header that is not new: known flags, header end <= lower <= upper <= special
// <= block size, LSN set, size and layout version right.
bool PageHeaderIsSane(const PageHeader& header, size_t block_bytes) noexcept;

enum class PageState {
  kNew,          // all zero
  kSound,        // checksum holds
  kNotZeroNew,   // pd_upper says new, but there are bytes: PostgreSQL refuses to read it
  kBadChecksum,
};

// The checksum that `page` should carry at `block_number`, which counts from the relation's first segment. Never 0.
// REQUIRES: `page` has kBlockBytesDefault bytes; any alignment.
uint16_t PageChecksum(const uint8_t* page, uint32_t block_number) noexcept;
// For other block sizes. REQUIRES: IsBlockSize(page.size()).
uint16_t PageChecksum(ByteSpan page, uint32_t block_number) noexcept;

// REQUIRES: IsBlockSize(page.size()); the cluster has checksums.
PageState CheckPage(ByteSpan page, uint32_t block_number) noexcept;

// Checks consecutive pages. Appends to *bad_blocks the absolute numbers of those that are neither new nor sound, in
// order, and returns how many. Pages with an LSN at or above `changed_since` are not judged: they may be torn, and WAL
// holds their image (basebackup.c). A short page at the end is not looked at.
// REQUIRES: IsBlockSize(block_bytes); bad_blocks may be null.
size_t CheckPages(ByteSpan pages, uint32_t first_block, size_t block_bytes, std::vector<uint32_t>* bad_blocks,
                  Lsn changed_since = Lsn{UINT64_MAX});

enum class PageChecksumCode { kPortable, kAvx2, kAvx512 };
// What CheckPages runs on this CPU, and whether a build runs here; for tests, benchmarks and `--version`.
PageChecksumCode BestPageChecksumCode() noexcept;
bool PageChecksumCodeRuns(PageChecksumCode code) noexcept;
// The checksums of consecutive pages by one certain build. REQUIRES: PageChecksumCodeRuns(code), IsBlockSize.
void PageChecksums(PageChecksumCode code, ByteSpan pages, uint32_t first_block, size_t block_bytes,
                   uint16_t* checksums) noexcept;

}  // namespace walrig
