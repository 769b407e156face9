// pg_control as it is, and with a right CRC put over it, so that what lies behind the CRC is reached.
#include <vector>

#include "core/base/checksum.h"
#include "core/postgres/control_file.h"
#include "core/postgres/page.h"
#include "core/postgres/wal_name.h"
#include "tests/fuzz/fuzz_support.h"

namespace {

void Parse(walrig::ByteSpan bytes) {
  using namespace walrig;
  const Result<ControlData> data = ParseControlFile(bytes);
  if (!data.ok()) return;
  fuzz::Check(IsBlockSize(data->block_bytes));
  fuzz::Check(IsWalSegmentSize(data->wal_segment_bytes));
  fuzz::Check(ClusterStateName(data->state) != "unrecognized status code");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walrig;
  Parse(ByteSpan(data, size));
  for (size_t crc_offset : {size_t{288}, size_t{292}}) {
    if (size < crc_offset + 4) continue;
    std::vector<uint8_t> sealed(data, data + size);
    const uint32_t crc = Crc32c(0, ByteSpan(data, crc_offset));
    for (size_t i = 0; i < 4; ++i) sealed[crc_offset + i] = static_cast<uint8_t>(crc >> (8 * i));
    Parse(sealed);
  }
  return 0;
}
