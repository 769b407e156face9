// Blocks: the memory of an upload, in pieces of one size, within a budget.
//
// OWNS: all blocks, also those that were taken. THREADS: one at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "walrig/bytes.h"

namespace walrig::s3 {

inline constexpr size_t kBlockBytes = 256 * 1024;

class Blocks {
 public:
  explicit Blocks(size_t count_max) : count_max_(count_max) {}
  // nullptr when the budget is used up.
  uint8_t* Take() {
    if (free_.empty()) {
      if (all_.size() >= count_max_) return nullptr;
      all_.emplace_back(kBlockBytes);
      return all_.back().data();
    }
    uint8_t* block = free_.back();
    free_.pop_back();
    return block;
  }
  void GiveBack(uint8_t* block) { free_.push_back(block); }

 private:
  const size_t count_max_;
  std::vector<Buffer> all_;
  std::vector<uint8_t*> free_;
};

}  // namespace walrig::s3
