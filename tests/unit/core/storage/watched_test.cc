#include "core/storage/watched.h"

#include <gtest/gtest.h>

#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

class WatchedTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(WriteObject(ctx_, memory_, "a", "bytes")); }
  WatchedStorage Watched() {
    return WatchedStorage(std::make_unique<StorageWrapper>(faulty_), [this](const Context&, const Status& status) {
      told_.push_back(status.code());
    });
  }

  TestContext ctx_;
  MemoryStorage memory_;
  FaultyStorage faulty_{memory_};
  std::vector<Code> told_;
};

TEST_F(WatchedTest, TellsTheFirstFailureOfAnyCallOnce) {
  for (const StorageCall call : {StorageCall::kStat, StorageCall::kGet, StorageCall::kRead, StorageCall::kPut, StorageCall::kWrite,
                                 StorageCall::kCommit, StorageCall::kList, StorageCall::kDelete, StorageCall::kCopy}) {
    WatchedStorage watched = Watched();
    told_.clear();
    faulty_.Set({.only = call, .fail_from = 1, .fail_times = 100, .failure = Unavailable("gone")});
    for (int i = 0; i < 2; ++i) {
      Exists(ctx_, watched, "a").status().Ignore("what is told counts");
      ReadObject(ctx_, watched, "a", 100).status().Ignore("what is told counts");
      WriteObject(ctx_, watched, "b", "bytes").Ignore("what is told counts");
      ListAll(ctx_, watched, "").status().Ignore("what is told counts");
      DeleteAll(ctx_, watched, {"b"}).Ignore("what is told counts");
      watched.Copy(ctx_, "a", "c").Ignore("what is told counts");
    }
    EXPECT_TRUE(watched.failed()) << static_cast<int>(call);
    EXPECT_EQ(told_, std::vector<Code>{Code::kUnavailable}) << static_cast<int>(call);
  }
}

TEST_F(WatchedTest, WhatIsTheObjectsOrTheCallersFaultIsNotTold) {
  WatchedStorage watched = Watched();
  EXPECT_FALSE(Exists(ctx_, watched, "none").value());
  for (const Code code : {Code::kNotFound, Code::kAlreadyExists, Code::kPreconditionFailed, Code::kCorruption, Code::kTruncated,
                          Code::kNameInvalid, Code::kInvalidArgument, Code::kCancelled, Code::kNoMemory, Code::kConflict}) {
    faulty_.Set({.fail_from = 1, .failure = Status(code, "x")});
    EXPECT_EQ(watched.Stat(ctx_, "a").status().code(), code);
  }
  EXPECT_FALSE(watched.failed());
  EXPECT_TRUE(told_.empty());
}

}  // namespace
}  // namespace walrig::test
