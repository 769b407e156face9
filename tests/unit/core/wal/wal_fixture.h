// What the tests of the WAL jobs share: segments that look real, an archive in memory, a codec that is none.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/catalog/codec_source.h"
#include "core/layout/paths.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "core/wal/fetch.h"
#include "core/wal/markers.h"
#include "core/wal/push.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"
#include "tests/support/wal_builder.h"

namespace walrig::test {

// A segment of PostgreSQL 15, full of records of `fill`.
inline std::string MakeSegment(uint32_t timeline, uint64_t number, uint64_t system_identifier, char fill = 'x',
                               uint32_t segment_bytes = 1u << 20) {
  WalBuilder wal({.timeline = timeline, .first_segment = number, .system_identifier = system_identifier,
                  .segment_bytes = segment_bytes});
  wal.FillSegment(fill);
  return wal.Segment();
}

class PlainCodecs final : public CodecProvider {
 public:
  Result<Compressor*> ForExtension(const Context&, std::string_view extension) override {
    if (extension.empty()) return static_cast<Compressor*>(nullptr);
    return NotSupported("no plugin reads '." + std::string(extension) + "'");
  }
  Cipher* cipher() override { return nullptr; }
};

class WalTest : public ::testing::Test {
 protected:
  static constexpr const char* kName = "000000010000000000000003";

  WalPushDeps PushDeps() { return {.storage = storage_, .codec = {}, .codecs = codecs_}; }
  WalFetchDeps FetchDeps() { return {.storage = storage_, .codecs = codecs_}; }

  WalPushOptions PushOptions(const std::string& path) {
    WalPushOptions options;
    options.path = path;
    options.compress_workers = 1;
    return options;
  }
  Result<WalPushReport> Push(const std::string& path, bool prevent_overwrite = false) {
    WalPushOptions options = PushOptions(path);
    options.prevent_overwrite = prevent_overwrite;
    return WalPush(ctx_, options, PushDeps());
  }
  Result<WalFetchReport> Fetch(const std::string& name, const std::string& to = "out") {
    return WalFetch(ctx_, {.name = name, .destination = dir_.File(to), .preferred_extension = "", .segment_bytes = 0},
                    FetchDeps());
  }
  // As after the first push: the archive has its marker, and pg_wal the note of it.
  void NoteArchive(const std::string& wal_directory) { ASSERT_OK(ArchiveNote(wal_directory, "").Add(ctx_)); }
  void Store(const std::string& key, const std::string& bytes) {
    ASSERT_THAT(WriteObject(ctx_, storage_, key, bytes), IsOk());
  }
  std::string Stored(const std::string& key) {
    auto bytes = ReadObject(ctx_, storage_, key, 64 << 20);
    return bytes.ok() ? *bytes : "(" + bytes.status().ToString() + ")";
  }
  // Without the archive's marker.
  size_t ObjectCount() {
    const auto objects = ListAll(observer_, storage_, "");
    return static_cast<size_t>(std::count_if(objects->begin(), objects->end(),
                                             [](const ObjectInfo& object) { return object.key != kArchiveMarkerKey; }));
  }

  TempDir dir_;
  TestContext ctx_;
  TestContext observer_;  // looks at the storage, also after ctx_ was stopped
  MemoryStorage storage_;
  PlainCodecs codecs_;
};

}  // namespace walrig::test
