// WalContentCheck: whether what passes by is what the name of a WAL file promises.
//
// Segments and partial ones: header, size, and every record that lies in it whole. A record that begins before or ends behind
// it is proven when the check of the segment before is gone on with. Histories parse; other files only have a size that makes sense.
//
// THREADS: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/postgres/wal_name.h"
#include "core/postgres/wal_record.h"
#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig {

class WalContentCheck {
 public:
  struct Expected {
    WalFile file;                    // what the name says
    uint64_t system_identifier = 0;  // 0: any
    uint64_t segment_bytes = 0;      // 0: any that its header says
    int major = 0;                   // 0: any
  };

  // `before`: the reader of the segment before this one, which goes on here; it is dropped when it has come to a break.
  explicit WalContentCheck(const Expected& expected, std::optional<WalRecordReader> before = std::nullopt);

  // FAILS WITH: kCorruption (another file's content, too much of it), kConflict (another cluster's). Records that are not
  // right are told by Finish.
  Status Add(ByteSpan bytes);

  // REQUIRES: all of the file was added. FAILS WITH: kCorruption: it is too short, does not parse, or a record in it is damaged.
  Status Finish() const;

  // Of a segment whose release is known; nothing before its header has passed by.
  const std::optional<WalRecordReader>& records() const { return records_; }

  uint64_t segment_bytes() const { return segment_bytes_; }  // as the header says; 0 before it has passed by

  // Where the WAL ends although the segment goes on: the last segment of a timeline or of a server that crashed, or one whose
  // rest was lost. Nothing of a .partial file, which ends like that. Whoever knows whether WAL follows decides.
  std::optional<WalBreak> early_end() const;

 private:
  bool is_segment() const { return expected_.file.kind == WalFileKind::kSegment || expected_.file.kind == WalFileKind::kPartial; }
  size_t HeadBytes() const;
  Status WrongSize(std::string_view found) const;
  Status CheckHeader();

  const Expected expected_;
  std::optional<WalRecordReader> records_;
  std::string head_;            // of a segment its header, of a history all
  uint64_t total_ = 0;
  uint64_t segment_bytes_ = 0;  // once the header is known
};

}  // namespace walrig
