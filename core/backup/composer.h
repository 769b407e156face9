// TarPlanner: cuts a file set into units of work for the packers, in the order in which files go into tars.
//
// A unit is a run of small files of about `unit_bytes` together, or one big file alone; it lies in one part and makes
// one slice or, for a big file, one slice for each `unit_bytes` of it. Units are computed as they are asked for, so
// that a million files cost nothing more.
//
// THREADS: Next from any thread; units come out in order, each once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "core/backup/push.h"
#include "core/pgdata/file_set.h"

namespace walrig {

struct TarUnit {
  size_t begin = 0, end = 0;    // positions in the order; TarPlanner::Index maps one to a file of the set
  uint64_t payload_bytes = 0;   // of all bodies
  uint32_t group = 0;           // files of different groups never share a part
  bool big = false;             // one file of more than unit_bytes
};

class TarPlanner {
 public:
  struct Options {
    uint64_t unit_bytes = 4u << 20;
    uint64_t part_bytes_max = 1073741823;  // a run ends when it alone exceeds this
    // kDatabase: files below base/ are grouped by directory, all others are one group. kRegular: one group.
    TarComposer composer = TarComposer::kRegular;
  };
  // `files` must outlive the planner.
  TarPlanner(const FileSet& files, const Options& options);

  std::optional<TarUnit> Next();
  size_t Index(size_t position) const { return order_.empty() ? position : order_[position]; }

 private:
  uint32_t GroupOf(size_t index) const { return groups_.empty() ? 0 : groups_[index]; }

  const FileSet& files_;
  const Options options_;
  std::vector<uint32_t> order_;   // empty: the order of the set
  std::vector<uint32_t> groups_;  // by index; empty: all 0
  std::mutex mutex_;
  size_t next_ = 0;               // guarded by mutex_
};

}  // namespace walrig
