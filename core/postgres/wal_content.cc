#include "core/postgres/wal_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/postgres/history_file.h"
#include "core/postgres/wal_page.h"

namespace walrig {
namespace {

// No history has more: one line a promotion. A stream that goes on beyond it is not a history.
constexpr size_t kHistoryBytesMax = 16u << 20;

}  // namespace

WalContentCheck::WalContentCheck(const Expected& expected, std::optional<WalRecordReader> before)
    : expected_(expected), records_(std::move(before)) {
  if (records_ && records_->broken()) records_.reset();
}

Status WalContentCheck::Add(ByteSpan bytes) {
  total_ += bytes.size();
  const ByteSpan head = bytes.first(std::min(bytes.size(), HeadBytes() - std::min(HeadBytes(), head_.size())));
  head_.append(AsText(head));
  if (is_segment()) {
    if (segment_bytes_ == 0 && head_.size() == kWalLongHeaderBytes) {
      WALRIG_TRY(CheckHeader());
      bytes = bytes.subspan(head.size());
      if (records_) records_->Add(AsBytes(head_));
    }
    // A stream without end must not fill the disk before it is refused.
    if (segment_bytes_ != 0 && total_ > segment_bytes_) return WrongSize("more than");
    if (segment_bytes_ != 0 && records_) records_->Add(bytes);
    return OkStatus();
  }
  return total_ > kHistoryBytesMax ? Corruption("it is too large for what its name says") : OkStatus();
}

Status WalContentCheck::Finish() const {
  if (total_ == 0) return Corruption("it is empty");
  if (expected_.file.kind == WalFileKind::kHistory) {
    return TimelineHistory::Parse(expected_.file.segment.timeline, head_).status();
  }
  if (!is_segment()) return OkStatus();
  if (segment_bytes_ == 0) return Corruption(fmt::format("{} bytes are not a WAL segment", total_));
  if (total_ != segment_bytes_) return WrongSize(fmt::format("{} of", total_));
  if (!records_ || !records_->broken() || !records_->broken()->followed) return OkStatus();
  return Corruption(fmt::format("the WAL in it is damaged at {}: {}", FormatLsn(records_->broken()->at), records_->broken()->why))
      .Hint("recovery cannot go on beyond that place; another copy of the segment may be whole");
}

std::optional<WalBreak> WalContentCheck::early_end() const {
  if (expected_.file.kind != WalFileKind::kSegment || !records_ || !records_->broken()) return std::nullopt;
  return records_->broken()->followed ? std::nullopt : records_->broken();
}

size_t WalContentCheck::HeadBytes() const {
  if (is_segment()) return kWalLongHeaderBytes;
  return expected_.file.kind == WalFileKind::kHistory ? kHistoryBytesMax : 0;
}

Status WalContentCheck::WrongSize(std::string_view found) const {
  return Corruption(fmt::format("it has {} the {} bytes of a segment", found, segment_bytes_));
}

Status WalContentCheck::CheckHeader() {
  WALRIG_ASSIGN(const WalLongHeader header, ParseWalLongHeader(AsBytes(head_)));
  WALRIG_TRY(CheckWalHeader(header, {.name = expected_.file.segment,
                                     .system_identifier = expected_.system_identifier,
                                     .segment_bytes = expected_.segment_bytes,
                                     .major = expected_.major}));
  segment_bytes_ = header.segment_bytes;
  if (header.major == 0) {
    records_.reset();
  } else if (!records_ || records_->position() != header.page_address) {
    records_.emplace(header, expected_.file.segment.timeline);
  }
  return OkStatus();
}

}  // namespace walrig
