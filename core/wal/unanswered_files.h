// UnansweredFiles: which WAL files a standby asked for while the archive could not answer.
//
// PostgreSQL goes on as if such a file did not exist. Without a history it stays on the timeline that it knows. Where one
// timeline leaves another, it asks for the segment of the newer one and then for that of the older, which goes on past the
// fork. Either way it replays what was abandoned, and can never follow the right timeline again. So until the archive has
// answered about them, the standby gets no segment of a timeline below such a history, nor the same segment of a timeline
// below such a segment.
//
// One file each, <pg_wal>/walg_data/walrig_unanswered/NAME. THREADS: any; no state but the directory.
//
// Source: PostgreSQL 15 src/backend/access/transam/xlogrecovery.c (XLogFileReadAnyTLI, rescanLatestTimeLine).
#pragma once

#include <string>
#include <vector>

#include "core/postgres/wal_name.h"
#include "walrig/context.h"
#include "walrig/status.h"

namespace walrig {

class UnansweredFiles {
 public:
  explicit UnansweredFiles(const std::string& wal_directory);

  // Whether PostgreSQL may take another file in place of `file`: histories, and segments of all timelines but the first.
  static bool Matters(const WalFile& file);

  // FAILS WITH: what creating a directory or a file says.
  Status Add(const Context& ctx, const std::string& name) const;
  // The archive has answered, or nothing was noted.
  void Remove(const std::string& name) const;
  // Those to be answered before `segment` may be handed out, in the order of their names. A directory that cannot be read
  // holds none: nothing could be noted there either.
  std::vector<std::string> Before(const WalName& segment) const;
  // Where the answer about a file may be put for a moment.
  std::string AnswerPath(const std::string& name) const;

 private:
  std::string directory_;
};

}  // namespace walrig
