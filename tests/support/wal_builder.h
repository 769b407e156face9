// WalBuilder: WAL as PostgreSQL lays it out, made in memory: pages, records that go on over pages and segments, their CRCs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/base/checksum.h"
#include "core/postgres/lsn.h"

namespace walrig::test {

class WalBuilder {
 public:
  struct Options {
    uint32_t timeline = 1;
    uint64_t first_segment = 3;
    uint64_t system_identifier = 77;
    uint32_t segment_bytes = 1u << 20;
    uint16_t magic = 0xD110;  // PostgreSQL 15
  };
  explicit WalBuilder(const Options& options) : o_(options) {}

  // Appends a record with `data_bytes` behind its header. Answers where it begins.
  Lsn Record(size_t data_bytes, char fill = 'x', uint8_t info = 0, uint8_t manager = 10) {
    const std::string record = MakeRecord(data_bytes, fill, info, manager);
    const Lsn begin = Begin();
    Append(record);
    previous_ = begin;
    return begin;
  }

  // XLOG SWITCH, and the zeros that fill the segment.
  Lsn Switch() {
    const Lsn lsn = Record(0, 0, 0x40, 0);
    bytes_.resize((bytes_.size() + o_.segment_bytes - 1) / o_.segment_bytes * o_.segment_bytes, '\0');
    return lsn;
  }

  // Records up to the very end of the segment.
  void FillSegment(char fill = 'x') {
    while (Room() >= 2048) Record(1000, fill);
    if (Room() > 0) Record(Room() - 24, fill);
  }

  // A record that a crash cut off at the end of the page; the page after it says so.
  Lsn Abandon(size_t data_bytes) {
    const std::string record = MakeRecord(data_bytes, 'a', 0, 10);
    const Lsn begin = Begin();
    const size_t left = 8192 - bytes_.size() % 8192;
    Append(std::string_view(record).substr(0, std::min(left, record.size())));
    bytes_.resize((bytes_.size() + 8191) / 8192 * 8192, '\0');
    flags_ = 0x0008;
    return begin;
  }

  // So that a later page of another timeline, as after a promotion.
  void SetTimeline(uint32_t timeline) { o_.timeline = timeline; }

  Lsn position() const { return Lsn{Start() + bytes_.size()}; }
  // The segment `index` after the first, filled with zeros when it has not come to its end.
  std::string Segment(size_t index = 0) const {
    const size_t at = index * o_.segment_bytes;
    std::string segment = at < bytes_.size() ? bytes_.substr(at, o_.segment_bytes) : std::string();
    segment.resize(o_.segment_bytes, '\0');
    return segment;
  }

 private:
  uint64_t Start() const { return o_.first_segment * o_.segment_bytes; }

  std::string MakeRecord(size_t data_bytes, char fill, uint8_t info, uint8_t manager) const {
    std::string record(24 + data_bytes, fill);
    const auto put = [&record](size_t at, auto value) { std::memcpy(record.data() + at, &value, sizeof value); };
    std::memset(record.data(), 0, 24);
    put(0, static_cast<uint32_t>(record.size()));
    put(4, uint32_t{700});
    put(8, previous_.value);
    put(16, info);
    put(17, manager);
    const std::string_view text = record;
    put(20, Crc32c(Crc32c(0, AsBytes(text.substr(24))), AsBytes(text.substr(0, 20))));
    return record;
  }

  // Where a record begins that is appended now.
  Lsn Begin() {
    if (bytes_.size() % 8192 == 0) PageHeader(0);
    return position();
  }

  void PageHeader(size_t rest_bytes) {
    const bool opens = bytes_.size() % o_.segment_bytes == 0;
    const uint64_t address = Start() + bytes_.size();
    std::string header(opens ? 40 : 24, '\0');
    const auto put = [&header](size_t at, auto value) { std::memcpy(header.data() + at, &value, sizeof value); };
    put(0, o_.magic);
    put(2, static_cast<uint16_t>((opens ? 2 : 0) | (rest_bytes > 0 ? 1 : 0) | flags_));
    put(4, o_.timeline);
    put(8, address);
    put(16, static_cast<uint32_t>(rest_bytes));
    if (opens) {
      put(24, o_.system_identifier);
      put(32, o_.segment_bytes);
      put(36, uint32_t{8192});
    }
    flags_ = 0;
    bytes_ += header;
  }

  void Append(std::string_view record) {
    while (!record.empty()) {
      if (bytes_.size() % 8192 == 0) PageHeader(record.size());
      const size_t n = std::min(record.size(), 8192 - bytes_.size() % 8192);
      bytes_ += record.substr(0, n);
      record.remove_prefix(n);
    }
    bytes_.resize((bytes_.size() + 7) / 8 * 8, '\0');
  }

  // For records, up to the end of the segment.
  size_t Room() const {
    if (!bytes_.empty() && bytes_.size() % o_.segment_bytes == 0) return 0;
    size_t room = o_.segment_bytes - bytes_.size() % o_.segment_bytes;
    room -= room / 8192 * 24;
    return bytes_.empty() ? room - 16 : room;
  }

  Options o_;
  std::string bytes_;
  Lsn previous_;
  uint16_t flags_ = 0;
};

}  // namespace walrig::test
