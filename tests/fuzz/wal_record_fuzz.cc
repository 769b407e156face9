// The records of a WAL segment, and what a segment's content as a whole must be.
#include "core/postgres/wal_content.h"
#include "core/postgres/wal_record.h"
#include "tests/fuzz/fuzz_support.h"

namespace {

using namespace walrig;

bool Same(const WalRecordReader& a, const WalRecordReader& b) {
  if (a.position() != b.position() || a.end() != b.end() || a.records() != b.records() || a.in_record() != b.in_record()) return false;
  if (a.broken().has_value() != b.broken().has_value()) return false;
  return !a.broken() || (a.broken()->at == b.broken()->at && a.broken()->why == b.broken()->why &&
                         a.broken()->followed == b.broken()->followed);
}

void CheckContent(const WalLongHeader& header, ByteSpan bytes) {
  WalFile file;
  file.kind = WalFileKind::kSegment;
  file.segment = SegmentOfLsn(header.timeline, header.page_address, header.segment_bytes);
  WalContentCheck check({.file = file});
  const Status added = check.Add(bytes);
  if (!added.ok()) return fuzz::CheckMessage(added);
  const Status whole = check.Finish();
  if (!whole.ok()) fuzz::CheckMessage(whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteSpan bytes(data, size);
  const Result<WalLongHeader> header = ParseWalLongHeader(bytes);
  if (!header.ok()) return 0;
  CheckContent(*header, bytes);
  if (header->major == 0) return 0;
  WalRecordReader whole(*header, UINT32_MAX);
  whole.Add(bytes);
  // In pieces it comes to the same, wherever they are cut; a copy goes on like its original.
  Random choices = fuzz::ChoicesFor(bytes);
  WalRecordReader pieces(*header, UINT32_MAX);
  for (ByteSpan rest = bytes; !rest.empty();) {
    const size_t n = std::min<size_t>(rest.size(), 1 + choices.Below(choices.Below(4) == 0 ? 20'000 : 30));
    WalRecordReader copy = pieces;
    pieces.Add(rest.first(n));
    copy.Add(rest.first(n));
    fuzz::Check(Same(copy, pieces));
    rest = rest.subspan(n);
  }
  fuzz::Check(Same(whole, pieces));
  fuzz::Check(whole.position().value == header->page_address.value + size);
  if (whole.broken()) fuzz::Check(!whole.broken()->why.empty() && whole.broken()->at <= whole.position());
  return 0;
}
