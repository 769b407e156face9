#include "core/postgres/wal_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"
#include "core/base/checksum.h"
#include "core/postgres/little_endian.h"

namespace walrig {
namespace {

constexpr size_t kRecordCrcOffset = 20;
constexpr uint8_t kXlogManager = 0;
constexpr uint8_t kOperationMask = 0xF0;
constexpr uint8_t kSwitch = 0x40;

constexpr uint64_t PaddingAfter(Lsn lsn) { return -lsn.value & 7; }

WalLongHeader ParsePage(const uint8_t* p) {
  WalLongHeader page;
  page.magic = LoadLe16(p);
  page.info = LoadLe16(p + 2);
  page.timeline = LoadLe32(p + 4);
  page.page_address = Lsn{LoadLe64(p + 8)};
  page.continued_bytes = LoadLe32(p + 16);
  return page;
}

}  // namespace

WalRecordReader::WalRecordReader(const WalLongHeader& first, Timeline timeline)
    : magic_(first.magic),
      system_identifier_(first.system_identifier),
      segment_bytes_(first.segment_bytes),
      block_bytes_(first.block_bytes),
      timeline_max_(timeline),
      position_(first.page_address),
      end_(first.page_address) {
  WALRIG_ASSERT(first.major != 0 && block_bytes_ >= kWalLongHeaderBytes && segment_bytes_ % block_bytes_ == 0);
}

void WalRecordReader::Add(ByteSpan bytes) {
  while (!bytes.empty()) {
    const uint64_t in_page = position_.value % block_bytes_;
    if (in_page == 0 && part_ == Part::kAfterSwitch) {
      if (at_segment_start()) {
        part_ = Part::kHead;
      } else {
        const uint64_t n = std::min<uint64_t>(bytes.size(), segment_bytes_ - position_.value % segment_bytes_);
        position_.value += n;
        bytes = bytes.subspan(n);
        continue;
      }
    }
    if (in_page == 0) {
      page_have_ = 0;
      page_need_ = at_segment_start() ? kWalLongHeaderBytes : kWalShortHeaderBytes;
    }
    const ByteSpan piece = bytes.first(std::min<uint64_t>(bytes.size(), block_bytes_ - in_page));
    const size_t used = page_have_ < page_need_ ? TakePageHeader(piece) : TakeBody(piece);
    bytes = bytes.subspan(used);
  }
}

size_t WalRecordReader::TakePageHeader(ByteSpan bytes) {
  const size_t n = std::min(bytes.size(), page_need_ - page_have_);
  std::memcpy(page_.data() + page_have_, bytes.data(), n);
  page_have_ += n;
  position_.value += n;
  if (page_have_ == page_need_) OnPage();
  return n;
}

std::string WalRecordReader::WrongPage(const WalLongHeader& page) {
  const Lsn start{position_.value - page_need_};
  if (page.magic != magic_) return fmt::format("magic number {:04X}", page.magic);
  if ((page.info & ~kWalPageFlags) != 0) return fmt::format("flags {:04X}", page.info);
  if (page.page_address != start) return "the address " + FormatLsn(page.page_address);
  const bool opens = start.value % segment_bytes_ == 0;
  if (((page.info & kWalPageLong) != 0) != opens) return fmt::format("flags {:04X}", page.info);
  if (page.timeline < timeline_ || page.timeline > timeline_max_) return fmt::format("timeline {}", page.timeline);
  if (!opens) return {};
  const Result<WalLongHeader> whole = ParseWalLongHeader(page_);
  if (!whole.ok()) return std::string(whole.status().message());
  const bool same = whole->system_identifier == system_identifier_ && whole->segment_bytes == segment_bytes_ &&
                    whole->block_bytes == block_bytes_;
  return same ? std::string() : "another cluster, or another size of segments";
}

void WalRecordReader::OnPage() {
  const WalLongHeader page = ParsePage(page_.data());
  std::string wrong = WrongPage(page);
  if (broken_) {
    broken_->followed = broken_->followed || wrong.empty();
    return;
  }
  const Lsn start{position_.value - page_need_};
  if (!wrong.empty()) {
    return Break(in_record() && part_ != Part::kRest ? record_ : start,
                 fmt::format("the page at {} has {}", FormatLsn(start), wrong), false);
  }
  timeline_ = page.timeline;
  ContinueOn(page);
  first_page_ = false;
}

// Whether the page begins with what the one before it left unfinished.
void WalRecordReader::ContinueOn(const WalLongHeader& page) {
  const Lsn start{position_.value - page_need_};
  const bool continued = (page.info & kWalPageContinued) != 0;
  const bool abandoned = (page.info & kWalPageAbandoned) != 0;
  const bool pending = in_record();
  const Lsn at = pending && part_ != Part::kRest ? record_ : start;
  if (continued && abandoned) {
    return Break(at, fmt::format("the page at {} both continues and abandons a record", FormatLsn(start)), true);
  }
  if (first_page_ && continued) {
    part_ = Part::kRest;
    left_ = page.continued_bytes;
    if (left_ == 0) Break(start, fmt::format("the page at {} continues a record by nothing", FormatLsn(start)), true);
    return;
  }
  if (abandoned) {
    // The record before it counts as never written; the next one follows the last that was right.
    part_ = Part::kHead;
    got_ = 0;
    return;
  }
  if (continued != pending) {
    return Break(at, fmt::format("the page at {} {}", FormatLsn(start),
                                 pending ? "does not continue the record" : "continues a record that has ended"), true);
  }
  const uint64_t missing = part_ == Part::kRest ? left_ : total_ - got_;
  if (pending && page.continued_bytes != missing) {
    Break(at, fmt::format("the page at {} has {} bytes more of the record, which lacks {}", FormatLsn(start),
                          page.continued_bytes, missing), true);
  }
}

// REQUIRES: all of `bytes` is of one page, behind its header.
size_t WalRecordReader::TakeBody(ByteSpan bytes) {
  const size_t all = bytes.size();
  while (!bytes.empty()) {
    size_t n = bytes.size();
    switch (part_) {
      case Part::kAfterSwitch:
      case Part::kBroken:
        position_.value += n;
        break;
      case Part::kPadding:
      case Part::kRest:
        n = static_cast<size_t>(std::min<uint64_t>(n, left_));
        position_.value += n;
        left_ -= n;
        if (left_ == 0 && part_ == Part::kRest) {
          part_ = Part::kPadding;
          left_ = PaddingAfter(position_);
        }
        if (left_ == 0) {
          part_ = Part::kHead;
          got_ = 0;
          end_ = position_;
        }
        break;
      case Part::kHead:
        n = TakeHead(bytes);
        break;
      case Part::kData:
        n = static_cast<size_t>(std::min<uint64_t>(n, total_ - got_));
        crc_ = Crc32c(crc_, bytes.first(n));
        position_.value += n;
        got_ += n;
        if (got_ == total_) OnRecord();
        break;
    }
    bytes = bytes.subspan(n);
  }
  return all;
}

size_t WalRecordReader::TakeHead(ByteSpan bytes) {
  if (got_ == 0) record_ = position_;
  const size_t n = std::min<size_t>(bytes.size(), kRecordHeaderBytes - got_);
  std::memcpy(head_.data() + got_, bytes.data(), n);
  got_ += n;
  position_.value += n;
  if (got_ < sizeof(uint32_t)) return n;  // more of it is in this page: a record begins at a multiple of 8
  total_ = LoadLe32(head_.data());
  if (total_ < kRecordHeaderBytes) {
    Break(record_, total_ == 0 ? "no record begins here" : fmt::format("a record of {} bytes", total_), false);
    return n;
  }
  if (got_ < kRecordHeaderBytes) return n;
  const Lsn before{LoadLe64(head_.data() + 8)};
  if (previous_.valid() ? before != previous_ : before >= record_) {
    Break(record_, fmt::format("its record says that {} is before it", FormatLsn(before)), false);
    return n;
  }
  part_ = Part::kData;
  crc_ = 0;
  if (got_ == total_) OnRecord();
  return n;
}

void WalRecordReader::OnRecord() {
  const uint32_t crc = Crc32c(crc_, ByteSpan(head_).first(kRecordCrcOffset));
  const uint32_t stored = LoadLe32(head_.data() + kRecordCrcOffset);
  if (crc != stored) {
    return Break(record_, fmt::format("its record has the CRC-32C {:08X} and says {:08X}", crc, stored), false);
  }
  ++records_;
  previous_ = record_;
  left_ = PaddingAfter(position_);
  end_ = Lsn{position_.value + left_};
  part_ = left_ == 0 ? Part::kHead : Part::kPadding;
  got_ = 0;
  const uint8_t info = head_[16], manager = head_[17];
  if (manager != kXlogManager || (info & kOperationMask) != kSwitch) return;
  part_ = Part::kAfterSwitch;
  // As recovery has it: the record goes on to the end of the segment.
  end_.value += segment_bytes_ - 1;
  end_.value -= end_.value % segment_bytes_;
}

void WalRecordReader::Break(Lsn at, std::string why, bool followed) {
  broken_ = WalBreak{at, std::move(why), followed};
  part_ = Part::kBroken;
}

}  // namespace walrig
