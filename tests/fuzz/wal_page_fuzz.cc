// The first page of a WAL segment.
#include "core/postgres/wal_page.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walrig;
  const Result<WalLongHeader> header = ParseWalLongHeader(ByteSpan(data, size));
  if (!header.ok()) return 0;
  fuzz::Check(IsWalSegmentSize(header->segment_bytes));
  const WalName name = SegmentOfLsn(header->timeline, header->page_address, header->segment_bytes);
  const Status right = CheckWalHeader(*header, {.name = name, .system_identifier = header->system_identifier,
                                                .segment_bytes = header->segment_bytes, .major = header->major});
  // Under its own name it passes, if the page is the first of a segment at all.
  fuzz::Check(right.ok() == (header->page_address.value % header->segment_bytes == 0));
  fuzz::Check(!CheckWalHeader(*header, {.name = {0, name.log, name.seg}}).ok());
  return 0;
}
