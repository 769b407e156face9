// A name that another cluster has taken is never written over, whatever the storage can do, and what that costs.
#include "core/wal/push.h"
#include "tests/support/faulty_storage.h"
#include "tests/unit/core/wal/wal_fixture.h"

namespace walrig::test {
namespace {

constexpr const char* kKey = "wal_005/000000010000000000000003";

// With and without PutOptions::only_if_absent.
class OtherClusterTest : public WalTest, public ::testing::WithParamInterface<bool> {
 protected:
  OtherClusterTest() {
    StorageCapabilities capabilities = storage_.capabilities();
    capabilities.put_if_absent = GetParam();
    faulty_.SetCapabilities(capabilities);
  }
  Result<WalPushReport> PushSegment(uint64_t system_identifier, char fill, bool prevent_overwrite = false) {
    WalPushOptions options = PushOptions(dir_.Write(kName, MakeSegment(1, 3, system_identifier, fill)));
    options.prevent_overwrite = prevent_overwrite;
    return WalPush(ctx_, options, {.storage = faulty_, .codec = {}, .codecs = codecs_});
  }

  FaultyStorage faulty_{storage_};
};

INSTANTIATE_TEST_SUITE_P(PutIfAbsent, OtherClusterTest, ::testing::Bool());

TEST_P(OtherClusterTest, IsRefusedAndItsSegmentStaysWhateverTheGuardSays) {
  ASSERT_THAT(PushSegment(77, 'a'), IsOk());
  for (const bool prevent_overwrite : {false, true}) {
    EXPECT_THAT(PushSegment(78, 'b', prevent_overwrite), HasCode(Code::kConflict));
    EXPECT_EQ(Stored(kKey), MakeSegment(1, 3, 77, 'a'));
  }
}

TEST_P(OtherClusterTest, TheMessageNamesBothClusters) {
  ASSERT_THAT(PushSegment(77, 'a'), IsOk());
  const Status refused = PushSegment(78, 'b').status();
  EXPECT_THAT(refused, MessageHas("77"));
  EXPECT_THAT(refused, MessageHas("78"));
}

TEST_P(OtherClusterTest, TheSameClustersIsReplaced) {
  ASSERT_THAT(PushSegment(77, 'a'), IsOk());
  ASSERT_THAT(PushSegment(77, 'b'), IsOk());
  EXPECT_EQ(Stored(kKey), MakeSegment(1, 3, 77, 'b'));
}

TEST_P(OtherClusterTest, WhatCannotBeReadIsReplacedWithAWarning) {
  Store(kKey, "half a segm");
  ASSERT_THAT(PushSegment(77, 'a'), IsOk());
  EXPECT_EQ(Stored(kKey), MakeSegment(1, 3, 77, 'a'));
  EXPECT_TRUE(ctx_.log().Has("could not be read", LogLevel::kWarning));
}

// Credentials that may only write: archiving goes on.
TEST_P(OtherClusterTest, WhoMayNotReadReplacesWithAWarning) {
  Store(kKey, MakeSegment(1, 3, 77, 'a'));
  faulty_.Set({.only = StorageCall::kGet, .fail_from = 1, .fail_times = 100, .failure = PermissionDenied("write only")});
  ASSERT_THAT(PushSegment(77, 'b'), IsOk());
  EXPECT_TRUE(ctx_.log().Has("write only", LogLevel::kWarning));
}

TEST_P(OtherClusterTest, AnArchiveThatDoesNotAnswerIsNoReasonToReplace) {
  Store(kKey, MakeSegment(1, 3, 78, 'a'));
  faulty_.Set({.only = StorageCall::kGet, .fail_from = 1, .fail_times = 100, .failure = Unavailable("away")});
  EXPECT_THAT(PushSegment(77, 'b'), HasCode(Code::kUnavailable));
  EXPECT_EQ(Stored(kKey), MakeSegment(1, 3, 78, 'a'));
}

TEST_P(OtherClusterTest, AFreeNameCostsNoRequestWhereTheStorageDecidesAndOneElsewhere) {
  NoteArchive(dir_.path());
  ASSERT_THAT(PushSegment(77, 'a'), IsOk());
  const uint64_t all = faulty_.counted();
  ASSERT_OK(DeleteAll(ctx_, storage_, {kKey}));
  faulty_.Set({.only = StorageCall::kPut});
  ASSERT_THAT(PushSegment(77, 'a'), IsOk());
  EXPECT_EQ(faulty_.counted(), 1u);
  ASSERT_OK(DeleteAll(ctx_, storage_, {kKey}));
  faulty_.Set({.only = StorageCall::kWrite});
  ASSERT_THAT(PushSegment(77, 'a'), IsOk());
  const uint64_t besides_writes = all - faulty_.counted();
  EXPECT_EQ(besides_writes, GetParam() ? 2u : 3u) << "put and commit; else a get besides";
}

// Some servers refuse the condition only when they meet it.
TEST_P(OtherClusterTest, AStorageThatCannotPutIfAbsentAfterAllIsAskedInstead) {
  faulty_.Set({.only = StorageCall::kPut, .fail_from = 1, .fail_times = GetParam() ? 1u : 0u, .failure = NotSupported("no")});
  ASSERT_THAT(PushSegment(77, 'a'), IsOk());
  EXPECT_EQ(Stored(kKey), MakeSegment(1, 3, 77, 'a'));
}

}  // namespace
}  // namespace walrig::test
