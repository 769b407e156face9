// WalRecordReader: proves the records of WAL segments while their bytes pass by.
//
// A machine that is pushed: it takes the bytes of a segment, or of several that follow one another, from the first byte on, in
// pieces of any size. It keeps a page header and a record header and nothing else, since a record may have a gigabyte.
//
//   page header    24 bytes: magic u16, info u16, timeline u32, page address u64, rest of a record from before u32, padding;
//                  40 at the beginning of a segment (wal_page.h)
//   info           1: the page begins with the rest of a record; 2: long header; 4: no matter here; 8: the record begun before
//                  was abandoned after a crash, and another follows here (13.5, 14.1 and later)
//   record header  24 bytes: total length u32, xid u32, record before u64, info u8, resource manager u8, 2 bytes, CRC-32C u32
//   record         begins at a multiple of 8, goes on over pages and segments; the CRC is of what follows the header, then of
//                  the header up to the CRC
//
// After XLOG SWITCH the rest of the segment says nothing. The rules are those of xlogreader.c, so that a record is right here
// when recovery would take it. A record that began before the first byte cannot be proven: it is passed over.
//
// THREADS: one at a time. A value: a copy goes on from where the original was.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "core/postgres/lsn.h"
#include "core/postgres/timeline.h"
#include "core/postgres/wal_page.h"
#include "walrig/bytes.h"

namespace walrig {

// The first place at which recovery would stop.
struct WalBreak {
  Lsn at;                 // where the record begins that is not right
  std::string why;
  bool followed = false;  // a later page of the segment belongs to this WAL: so it does not end here, it is damaged
};

class WalRecordReader {
 public:
  // `first` is the header that the bytes begin with, as ParseWalLongHeader gave it; no page may be of a later timeline than
  // `timeline`, the name's.
  // REQUIRES: first.major != 0: the formats of other releases are not known.
  WalRecordReader(const WalLongHeader& first, Timeline timeline);

  void Add(ByteSpan bytes);

  // Of the next byte.
  Lsn position() const { return position_; }
  // Up to here every record was read and is right. At the end of a segment after XLOG SWITCH.
  Lsn end() const { return end_; }
  // A record, or the rest of one from before, has begun and not ended.
  bool in_record() const { return part_ == Part::kRest || part_ == Part::kData || (part_ == Part::kHead && got_ > 0); }
  // Nothing until a record is not right; what follows it is then only asked whether it is WAL.
  const std::optional<WalBreak>& broken() const { return broken_; }
  uint64_t records() const { return records_; }

 private:
  static constexpr size_t kRecordHeaderBytes = 24;
  enum class Part {
    kRest,        // of a record from before the first byte
    kHead,        // of a record
    kData,
    kPadding,     // up to the next multiple of 8
    kAfterSwitch,
    kBroken,
  };

  bool at_segment_start() const { return position_.value % segment_bytes_ == 0; }
  size_t TakePageHeader(ByteSpan bytes);
  void OnPage();
  std::string WrongPage(const WalLongHeader& page);  // "" when it is a page of this WAL
  void ContinueOn(const WalLongHeader& page);
  size_t TakeBody(ByteSpan bytes);
  size_t TakeHead(ByteSpan bytes);
  void OnRecord();
  void Break(Lsn at, std::string why, bool followed);

  uint16_t magic_;
  uint64_t system_identifier_;
  uint64_t segment_bytes_;
  uint64_t block_bytes_;
  Timeline timeline_max_;

  Lsn position_;
  Timeline timeline_ = 0;       // of the page before
  bool first_page_ = true;
  std::array<uint8_t, kWalLongHeaderBytes> page_{};
  size_t page_have_ = 0;        // of the header of this page
  size_t page_need_ = kWalLongHeaderBytes;

  Part part_ = Part::kHead;
  std::array<uint8_t, kRecordHeaderBytes> head_{};
  Lsn record_;                  // where it begins
  Lsn previous_;                // where the last right one began; 0 before any
  uint64_t total_ = 0;          // of the record
  uint64_t got_ = 0;            // of it, its header included
  uint64_t left_ = 0;           // of kRest and kPadding
  uint32_t crc_ = 0;
  Lsn end_;
  uint64_t records_ = 0;
  std::optional<WalBreak> broken_;
};

}  // namespace walrig
