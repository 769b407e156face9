#include "core/catalog/archive_marker.h"

#include <gtest/gtest.h>

#include "core/layout/paths.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::FaultyStorage;
using test::HasCode;
using test::StorageCall;

TEST(ArchiveMarkerTest, IsPutOnceAndNoMoreTouched) {
  test::TestContext ctx;
  MemoryStorage memory;
  ASSERT_OK(EnsureArchiveMarker(ctx, memory));
  ASSERT_OK(WriteObject(ctx, memory, kArchiveMarkerKey, "of a later release"));
  ASSERT_OK(EnsureArchiveMarker(ctx, memory));
  EXPECT_EQ(ReadObject(ctx, memory, kArchiveMarkerKey, 100).value(), "of a later release");
}

TEST(ArchiveMarkerTest, NoReaderOfTheStorageTakesItForItsOwn) {
  EXPECT_FALSE(ParseWalObjectName(kArchiveMarkerKey.substr(kWalFolder.size())).has_value());
  EXPECT_FALSE(BackupOfKey(kArchiveMarkerKey).has_value());
}

TEST(ArchiveMarkerTest, AnythingElseMakesAnArchiveToo) {
  test::TestContext ctx;
  for (const char* key : {"wal_005/000000010000000000000001.lz4", "basebackups_005/base_1/metadata.json", "other"}) {
    MemoryStorage memory;
    EXPECT_THAT(CheckIsArchive(ctx, memory), HasCode(Code::kUnavailable));
    ASSERT_OK(WriteObject(ctx, memory, key, "x"));
    EXPECT_OK(CheckIsArchive(ctx, memory));
  }
}

TEST(ArchiveMarkerTest, AFailureIsNeverAnAnswer) {
  test::TestContext ctx;
  MemoryStorage memory;
  FaultyStorage faulty(memory);
  for (const Code code : {Code::kNotFound, Code::kPermission, Code::kTimeout}) {
    faulty.Set({.only = StorageCall::kList, .fail_from = 1, .fail_times = 9, .failure = Status(code, "no")});
    const Status status = CheckIsArchive(ctx, faulty);
    EXPECT_FALSE(status.ok());
    EXPECT_NE(status.code(), Code::kNotFound);
  }
}

}  // namespace
}  // namespace walrig
