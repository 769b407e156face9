// TimelineHistory: the ancestors of a timeline, from its .history file.
//
//   1\t0/3000158\tno recovery target specified
//   parent, the LSN at which it was left, why. Oldest first; '#' begins a comment line.
//
// THREADS: a value.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/postgres/lsn.h"
#include "core/postgres/timeline.h"
#include "walrig/result.h"

namespace walrig {

struct HistoryEntry {
  Timeline timeline = 0;
  Lsn switch_point;    // first byte that no longer belongs to it
  std::string reason;
};

class TimelineHistory {
 public:
  // A timeline without a file (timeline 1, or one whose file is not at hand): it is its only member.
  explicit TimelineHistory(Timeline timeline) : timeline_(timeline) {}

  // FAILS WITH: kCorruption for a malformed line, timelines that do not ascend, switch points that descend, and a
  // parent that is not below `timeline`.
  static Result<TimelineHistory> Parse(Timeline timeline, std::string_view content);

  Timeline timeline() const { return timeline_; }
  const std::vector<HistoryEntry>& ancestors() const { return ancestors_; }
  Timeline parent() const { return ancestors_.empty() ? 0 : ancestors_.back().timeline; }

  // Where `ancestor` was left; nothing for the timeline itself and for strangers.
  std::optional<Lsn> SwitchPoint(Timeline ancestor) const;
  // Whether the byte at `lsn` on timeline `other` belongs to this history: other is the timeline itself, or an
  // ancestor that was not left before `lsn` (lsn <= switch point: PostgreSQL takes a backup that ends there).
  bool Contains(Timeline other, Lsn lsn) const;
  bool IsAncestor(Timeline other) const { return SwitchPoint(other).has_value(); }
  // The timeline whose WAL holds the byte at `lsn`.
  Timeline TimelineAt(Lsn lsn) const;

 private:
  Timeline timeline_ = 0;
  std::vector<HistoryEntry> ancestors_;
};

}  // namespace walrig
