#include "core/postgres/page.h"

#include <cstring>

#include "core/base/assert.h"
#include "core/postgres/little_endian.h"

namespace walrig {
namespace {

constexpr size_t kLanes = 32;
constexpr size_t kRowBytes = kLanes * sizeof(uint32_t);
constexpr uint32_t kPrime = 16777619;
constexpr size_t kChecksumOffset = 8;

// Start values of the sums (src/include/storage/checksum_impl.h), chosen at random by PostgreSQL's authors.
constexpr uint32_t kBase[kLanes] = {
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756};

// 16, 32 and 64 bytes of lanes: SSE2 or NEON, AVX2, AVX-512. The compilers' vector types, since they promise the
// instructions that auto-vectorisation only may choose.
using Vector16 = uint32_t __attribute__((vector_size(16)));
#if defined(__x86_64__)
using Vector32 = uint32_t __attribute__((vector_size(32)));
using Vector64 = uint32_t __attribute__((vector_size(64)));
#endif

// The folded sums of kPages pages at once; one page's multiplies hide the latency of the other's. Inlined into callers that
// differ only in the instructions they may use.
template <typename Vector, size_t kPages>
[[gnu::always_inline]] inline void FoldPages(const uint8_t* const* pages, size_t block_bytes, uint32_t* folded) {
  constexpr size_t kVectors = kRowBytes / sizeof(Vector);
  Vector sums[kPages][kVectors];
  for (size_t page = 0; page < kPages; ++page) {
    // The checksum field itself counts as zero.
    alignas(64) uint8_t row[kRowBytes];
    std::memcpy(row, pages[page], kRowBytes);
    row[kChecksumOffset] = row[kChecksumOffset + 1] = 0;
    for (size_t v = 0; v < kVectors; ++v) {
      Vector value;
      std::memcpy(&sums[page][v], reinterpret_cast<const uint8_t*>(kBase) + v * sizeof(Vector), sizeof(Vector));
      std::memcpy(&value, row + v * sizeof(Vector), sizeof(Vector));
      value ^= sums[page][v];
      sums[page][v] = (value * kPrime) ^ (value >> 17);
    }
  }
  for (size_t offset = kRowBytes; offset < block_bytes; offset += kRowBytes) {
    for (size_t page = 0; page < kPages; ++page) {
      for (size_t v = 0; v < kVectors; ++v) {
        Vector value;
        std::memcpy(&value, pages[page] + offset + v * sizeof(Vector), sizeof(Vector));
        value ^= sums[page][v];
        sums[page][v] = (value * kPrime) ^ (value >> 17);
      }
    }
  }
  for (size_t page = 0; page < kPages; ++page) {
    Vector all = {};
    for (size_t v = 0; v < kVectors; ++v) {
      Vector value = sums[page][v];
      // Two more rounds with zeros mix the last row.
      value = (value * kPrime) ^ (value >> 17);
      value = (value * kPrime) ^ (value >> 17);
      all ^= value;
    }
    uint32_t lanes[sizeof(Vector) / sizeof(uint32_t)];
    std::memcpy(lanes, &all, sizeof(Vector));
    uint32_t fold = 0;
    for (uint32_t lane : lanes) fold ^= lane;
    folded[page] = fold;
  }
}

// Folds the two pages at pages[0] and pages[1], which may be the same.
using FoldPair = void (*)(const uint8_t* const* pages, size_t block_bytes, uint32_t* folded);

void FoldPairPortable(const uint8_t* const* pages, size_t block_bytes, uint32_t* folded) {
  // 16 registers do not hold two pages' sums.
  FoldPages<Vector16, 1>(pages, block_bytes, folded);
  FoldPages<Vector16, 1>(pages + 1, block_bytes, folded + 1);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void FoldPairAvx2(const uint8_t* const* pages, size_t block_bytes, uint32_t* folded) {
  FoldPages<Vector32, 2>(pages, block_bytes, folded);
}

[[gnu::target("avx512f")]] void FoldPairAvx512(const uint8_t* const* pages, size_t block_bytes, uint32_t* folded) {
  FoldPages<Vector64, 2>(pages, block_bytes, folded);
}
#endif

FoldPair FoldPairOf(PageChecksumCode code) {
#if defined(__x86_64__)
  if (code == PageChecksumCode::kAvx512) return FoldPairAvx512;
  if (code == PageChecksumCode::kAvx2) return FoldPairAvx2;
#endif
  return FoldPairPortable;
}

uint16_t FinishChecksum(uint32_t folded, uint32_t block_number) {
  return static_cast<uint16_t>((folded ^ block_number) % 65535 + 1);
}

bool AllZero(const uint8_t* page, size_t bytes) { return page[0] == 0 && std::memcmp(page, page + 1, bytes - 1) == 0; }

}  // namespace

PageHeader ReadPageHeader(const uint8_t* page) noexcept {
  PageHeader header;
  header.lsn = Lsn{uint64_t{LoadLe32(page)} << 32 | LoadLe32(page + 4)};
  header.checksum = LoadLe16(page + 8);
  header.flags = LoadLe16(page + 10);
  header.lower = LoadLe16(page + 12);
  header.upper = LoadLe16(page + 14);
  header.special = LoadLe16(page + 16);
  header.size_version = LoadLe16(page + 18);
  return header;
}

bool PageHeaderIsSane(const PageHeader& header, size_t block_bytes) noexcept {
  constexpr uint16_t kKnownFlags = 0x0007;
  constexpr uint16_t kLayoutVersionMax = 5;
  return (header.flags & ~kKnownFlags) == 0 && header.lower >= kPageHeaderBytes && header.lower <= header.upper &&
         header.upper <= header.special && header.special <= block_bytes && header.lsn.valid() &&
         (header.size_version & 0xFF00) == block_bytes && (header.size_version & 0x00FF) <= kLayoutVersionMax;
}

bool PageChecksumCodeRuns(PageChecksumCode code) noexcept {
#if defined(__x86_64__)
  if (code == PageChecksumCode::kAvx512) return __builtin_cpu_supports("avx512f");
  if (code == PageChecksumCode::kAvx2) return __builtin_cpu_supports("avx2");
#endif
  return code == PageChecksumCode::kPortable;
}

PageChecksumCode BestPageChecksumCode() noexcept {
  if (PageChecksumCodeRuns(PageChecksumCode::kAvx512)) return PageChecksumCode::kAvx512;
  if (PageChecksumCodeRuns(PageChecksumCode::kAvx2)) return PageChecksumCode::kAvx2;
  return PageChecksumCode::kPortable;
}

void PageChecksums(PageChecksumCode code, ByteSpan pages, uint32_t first_block, size_t block_bytes,
                   uint16_t* checksums) noexcept {
  WALRIG_ASSERT(IsBlockSize(block_bytes));
  const FoldPair fold_pair = FoldPairOf(code);
  const size_t count = pages.size() / block_bytes;
  for (size_t i = 0; i < count; i += 2) {
    const size_t second = i + 1 < count ? i + 1 : i;
    const uint8_t* pair[2] = {pages.data() + i * block_bytes, pages.data() + second * block_bytes};
    uint32_t folded[2];
    fold_pair(pair, block_bytes, folded);
    checksums[i] = FinishChecksum(folded[0], first_block + static_cast<uint32_t>(i));
    checksums[second] = FinishChecksum(folded[second - i], first_block + static_cast<uint32_t>(second));
  }
}

uint16_t PageChecksum(ByteSpan page, uint32_t block_number) noexcept {
  uint16_t checksum = 0;
  PageChecksums(BestPageChecksumCode(), page, block_number, page.size(), &checksum);
  return checksum;
}

uint16_t PageChecksum(const uint8_t* page, uint32_t block_number) noexcept {
  return PageChecksum(ByteSpan(page, kBlockBytesDefault), block_number);
}

PageState CheckPage(ByteSpan page, uint32_t block_number) noexcept {
  const PageHeader header = ReadPageHeader(page.data());
  if (header.is_new()) return AllZero(page.data(), page.size()) ? PageState::kNew : PageState::kNotZeroNew;
  return PageChecksum(page, block_number) == header.checksum ? PageState::kSound : PageState::kBadChecksum;
}

size_t CheckPages(ByteSpan pages, uint32_t first_block, size_t block_bytes, std::vector<uint32_t>* bad_blocks,
                  Lsn changed_since) {
  WALRIG_ASSERT(IsBlockSize(block_bytes));
  const FoldPair fold_pair = FoldPairOf(BestPageChecksumCode());
  const size_t count = pages.size() / block_bytes;
  size_t bad = 0;
  const auto report = [&](uint32_t block) {
    ++bad;
    if (bad_blocks != nullptr) bad_blocks->push_back(block);
  };
  const uint8_t* pair[2];
  uint32_t blocks[2];
  uint16_t expected[2];
  size_t waiting = 0;
  const auto judge = [&] {
    if (waiting == 0) return;
    if (waiting == 1) pair[1] = pair[0];
    uint32_t folded[2];
    fold_pair(pair, block_bytes, folded);
    for (size_t i = 0; i < waiting; ++i) {
      if (FinishChecksum(folded[i], blocks[i]) != expected[i]) report(blocks[i]);
    }
    waiting = 0;
  };
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* page = pages.data() + i * block_bytes;
    const uint32_t block = first_block + static_cast<uint32_t>(i);
    const PageHeader header = ReadPageHeader(page);
    if (!header.is_new()) {
      if (header.lsn >= changed_since) continue;
      pair[waiting] = page;
      blocks[waiting] = block;
      expected[waiting++] = header.checksum;
      if (waiting == 2) judge();
    } else if (!AllZero(page, block_bytes)) {
      judge();  // keeps the order of the report
      report(block);
    }
  }
  judge();
  return bad;
}

}  // namespace walrig
