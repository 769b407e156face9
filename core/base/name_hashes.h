// NameHashes: whether any of a great many names occurred twice, for 8 bytes a name.
//
// Two different names of equal hash (one chance in 10^7 for a million) count as one name.
// THREADS: one at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace walrig {

class NameHashes {
 public:
  void Add(std::string_view name) { hashes_.push_back(std::hash<std::string_view>()(name)); }
  // Sorts; in any order with Add.
  bool HasDuplicate() {
    std::sort(hashes_.begin(), hashes_.end());
    return std::adjacent_find(hashes_.begin(), hashes_.end()) != hashes_.end();
  }

 private:
  std::vector<uint64_t> hashes_;
};

}  // namespace walrig
