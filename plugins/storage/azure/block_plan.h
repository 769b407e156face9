// BlockPlan: how large each block of an upload is, and how many are held at once.
//
// A blob has at most 50 000 blocks of at most 4000 MiB. The first blocks are as large as AZURE_BUFFER_SIZE and the memory
// budget allow. When the size is known they are large enough from the start; otherwise they double each 8000 blocks,
// with fewer at once, until one fills the budget. After 40 000 blocks (more than a TiB with the usual budget) they double
// every 1000, whatever the budget says: an upload of that size is not given up for memory.
//
// THREADS: a value.
#pragma once

#include <cstdint>

#include "walrig/result.h"

namespace walrig::azure {

inline constexpr uint64_t kBlocksMax = 50'000;
inline constexpr uint64_t kBlockBytesMax = 4000ull << 20;

class BlockPlan {
 public:
  struct Input {
    uint64_t block_bytes = 8u << 20;
    uint32_t buffers_max = 4;
    uint64_t budget_bytes = 32u << 20;
    uint64_t size_bytes = UINT64_MAX;  // UINT64_MAX: unknown
  };
  // FAILS WITH: kTooLarge when the size is beyond what a blob can be.
  static Result<BlockPlan> Make(const Input& input);

  // Of the block of this number, from 0.
  uint64_t BlockBytes(uint64_t number) const;
  // How many blocks of that size are in memory at once, the one that fills included; at least 1.
  uint32_t Buffers(uint64_t block_bytes) const;

 private:
  uint64_t first_bytes_ = 0;
  uint64_t budget_bytes_ = 0;
  uint32_t buffers_max_ = 1;
  bool grows_ = true;
};

}  // namespace walrig::azure
