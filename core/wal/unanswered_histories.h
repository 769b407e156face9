// UnansweredHistories: which timeline histories a standby asked for while the archive could not answer.
//
// PostgreSQL goes on as if such a history did not exist, on the timeline that it knows, and may replay past the point
// where the other one begins: then it can never follow it. So until the archive has answered, the standby gets no segment
// of a lower timeline.
//
// One file a history, <pg_wal>/walg_data/walrig_unanswered/0000000N.history. THREADS: any; no state but the directory.
#pragma once

#include <string>
#include <vector>

#include "core/postgres/timeline.h"
#include "walrig/context.h"
#include "walrig/status.h"

namespace walrig {

class UnansweredHistories {
 public:
  explicit UnansweredHistories(const std::string& wal_directory);

  // FAILS WITH: what creating a directory or a file says.
  Status Add(const Context& ctx, Timeline timeline) const;
  // The archive has answered, or nothing was noted.
  void Remove(Timeline timeline) const;
  // Those above `timeline`, ascending. A directory that cannot be read holds none: nothing could be noted there either.
  std::vector<Timeline> Above(Timeline timeline) const;
  // Where the answer about a history may be put for a moment.
  std::string AnswerPath(Timeline timeline) const;

 private:
  std::string directory_;
};

}  // namespace walrig
