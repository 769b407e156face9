#include "core/postgres/wal_page.h"

#include <fmt/format.h>

#include "core/postgres/little_endian.h"

namespace walrig {

int PgMajorOfWalMagic(uint16_t magic) noexcept {
  switch (magic) {
    case 0xD106: return 13;
    case 0xD10D: return 14;
    case 0xD110: return 15;
    case 0xD113: return 16;
    case 0xD116: return 17;
    case 0xD118: return 18;
    default: return 0;
  }
}

Result<WalLongHeader> ParseWalLongHeader(ByteSpan bytes) {
  if (bytes.size() < kWalLongHeaderBytes) {
    return Truncated(fmt::format("only {} bytes, too few for the header of a WAL segment", bytes.size()));
  }
  const uint8_t* p = bytes.data();
  WalLongHeader header;
  header.magic = LoadLe16(p);
  header.info = LoadLe16(p + 2);
  header.timeline = LoadLe32(p + 4);
  header.page_address = Lsn{LoadLe64(p + 8)};
  header.continued_bytes = LoadLe32(p + 16);
  header.system_identifier = LoadLe64(p + 24);
  header.segment_bytes = LoadLe32(p + 32);
  header.block_bytes = LoadLe32(p + 36);
  header.major = PgMajorOfWalMagic(header.magic);
  // Every magic so far is 0xD0xx or 0xD1xx; a version that is newer than this program keeps to it.
  if ((header.magic & 0xFE00) != 0xD000) return Corruption(fmt::format("magic number {:04X} is not WAL's", header.magic));
  if ((header.info & kWalPageLong) == 0 || (header.info & ~kWalPageFlags) != 0) {
    return Corruption(fmt::format("flags {:04X} are not those of a segment's first page", header.info));
  }
  if (header.timeline == 0) return Corruption("the first page has timeline 0");
  if (!IsWalSegmentSize(header.segment_bytes)) {
    return Corruption(fmt::format("segment size {} in the first page", header.segment_bytes));
  }
  if (header.page_address.value % header.segment_bytes != 0) {
    return Corruption(fmt::format("the first page is that of {}, where no segment begins", FormatLsn(header.page_address)));
  }
  const uint32_t block = header.block_bytes;
  if (block < 1024 || block > 65536 || (block & (block - 1)) != 0) {
    return Corruption(fmt::format("WAL block size {} in the first page", block));
  }
  return header;
}

Status CheckWalHeader(const WalLongHeader& header, const WalExpectation& expected) {
  const std::string name = FormatWalName(expected.name);
  if (expected.segment_bytes != 0 && header.segment_bytes != expected.segment_bytes) {
    return Corruption(fmt::format("{}: segments of {} bytes, expected {}", name, header.segment_bytes, expected.segment_bytes));
  }
  if (expected.name.seg >= (uint64_t{1} << 32) / header.segment_bytes) {
    return Corruption(fmt::format("{}: no such segment exists with segments of {} bytes", name, header.segment_bytes));
  }
  const Lsn start = SegmentStart(expected.name, header.segment_bytes);
  if (header.page_address != start) {
    return Corruption(fmt::format("{}: the first page is that of {}, expected {}", name, FormatLsn(header.page_address),
                                  FormatLsn(start)));
  }
  if (header.timeline > expected.name.timeline) {
    return Corruption(fmt::format("{}: the first page is of timeline {}", name, header.timeline));
  }
  if (expected.system_identifier != 0 && header.system_identifier != expected.system_identifier) {
    return Conflict(fmt::format("{}: belongs to the cluster {}, not to {}", name, header.system_identifier,
                                expected.system_identifier))
        .Hint("two clusters may be archiving into one place");
  }
  if (expected.major != 0 && header.major != expected.major) {
    const std::string writer = header.major != 0 ? fmt::format("PostgreSQL {}", header.major)
                                                 : fmt::format("a release that is not known (magic number {:04X})", header.magic);
    return Conflict(fmt::format("{}: written by {}, expected PostgreSQL {}", name, writer, expected.major));
  }
  return OkStatus();
}

}  // namespace walrig
