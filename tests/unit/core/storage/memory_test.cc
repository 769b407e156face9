#include "core/storage/memory.h"

#include <gtest/gtest.h>

#include "core/storage/objects.h"
#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

class MemoryStorageTest : public ::testing::Test {
 protected:
  void Store(std::string_view key, std::string_view bytes) { ASSERT_OK(WriteObject(ctx_, storage_, key, bytes)); }

  std::vector<std::string> Keys(const ListPage& page) {
    std::vector<std::string> keys;
    for (const ObjectInfo& entry : page.entries) keys.push_back(entry.key);
    return keys;
  }

  TestContext ctx_;
  MemoryStorage storage_;
};

TEST_F(MemoryStorageTest, ShowsNothingBeforeCommit) {
  ASSERT_OK_AND_ASSIGN(auto sink, storage_.Put(ctx_, "a/b", {}));
  ASSERT_OK(sink->Write(ctx_, AsBytes("hello")));
  EXPECT_THAT(storage_.Stat(ctx_, "a/b"), HasCode(Code::kNotFound));
  ASSERT_OK(sink->Commit(ctx_));
  EXPECT_THAT(ReadObject(ctx_, storage_, "a/b", 100), IsOkAndHolds("hello"));
}

TEST_F(MemoryStorageTest, KeepsNothingOfAnAbortedOrDroppedPut) {
  for (bool abort : {true, false}) {
    ASSERT_OK_AND_ASSIGN(auto sink, storage_.Put(ctx_, "a", {}));
    ASSERT_OK(sink->Write(ctx_, AsBytes("x")));
    if (abort) sink->Abort();
  }
  EXPECT_THAT(Exists(ctx_, storage_, "a"), IsOkAndHolds(false));
}

TEST_F(MemoryStorageTest, RefusesASecondPutIfAbsentAtCommit) {
  ASSERT_OK_AND_ASSIGN(auto first, storage_.Put(ctx_, "a", {.only_if_absent = true}));
  ASSERT_OK_AND_ASSIGN(auto second, storage_.Put(ctx_, "a", {.only_if_absent = true}));
  ASSERT_OK(first->Write(ctx_, AsBytes("1")));
  ASSERT_OK(second->Write(ctx_, AsBytes("2")));
  ASSERT_OK(first->Commit(ctx_));
  EXPECT_THAT(second->Commit(ctx_), HasCode(Code::kAlreadyExists));
  EXPECT_THAT(ReadObject(ctx_, storage_, "a", 10), IsOkAndHolds("1"));
}

TEST_F(MemoryStorageTest, RefusesACommitOfAnotherSizeThanAnnounced) {
  ASSERT_OK_AND_ASSIGN(auto sink, storage_.Put(ctx_, "a", {.size_bytes = 3}));
  ASSERT_OK(sink->Write(ctx_, AsBytes("four")));
  EXPECT_THAT(sink->Commit(ctx_), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(Exists(ctx_, storage_, "a"), IsOkAndHolds(false));
}

TEST_F(MemoryStorageTest, GivesRangesCutToTheObject) {
  Store("a", "0123456789");
  const auto range = [&](uint64_t offset, uint64_t length) -> Result<std::string> {
    WALRIG_ASSIGN(auto source, storage_.Get(ctx_, "a", {.offset = offset, .length = length, .if_match_etag = ""}));
    return Drain(ctx_, *source, 3);
  };
  EXPECT_THAT(range(2, 5), IsOkAndHolds("23456"));
  EXPECT_THAT(range(8, 100), IsOkAndHolds("89"));
  EXPECT_THAT(range(4, kUnknownSize), IsOkAndHolds("456789"));
  EXPECT_THAT(range(11, 1), IsOkAndHolds(""));
}

TEST_F(MemoryStorageTest, RefusesAGetOfAReplacedObjectByEtag) {
  Store("a", "1");
  ASSERT_OK_AND_ASSIGN(const ObjectInfo info, storage_.Stat(ctx_, "a"));
  Store("a", "2");
  EXPECT_THAT(storage_.Get(ctx_, "a", {.if_match_etag = info.etag}), HasCode(Code::kPreconditionFailed));
}

TEST_F(MemoryStorageTest, GoesOnReadingAnObjectThatWasDeleted) {
  Store("a", "still here");
  ASSERT_OK_AND_ASSIGN(auto source, storage_.Get(ctx_, "a", {}));
  ASSERT_OK(DeleteAll(ctx_, storage_, {"a"}));
  EXPECT_THAT(Drain(ctx_, *source), IsOkAndHolds("still here"));
}

TEST_F(MemoryStorageTest, ListsInPagesWithoutLossOrRepetition) {
  for (const char* key : {"p/a", "p/b/1", "p/b/2", "p/b/3", "p/c", "p/d/x", "p/e", "q"}) Store(key, "1");
  for (uint32_t keys_max : {1u, 2u, 3u, 100u}) {
    ListOptions options;
    options.prefix = "p/";
    options.delimiter = "/";
    options.keys_max = keys_max;
    std::vector<std::string> keys;
    do {
      ASSERT_OK_AND_ASSIGN(const ListPage page, storage_.List(ctx_, options));
      EXPECT_LE(page.entries.size(), keys_max);
      for (std::string& key : Keys(page)) keys.push_back(std::move(key));
      options.page_token = page.next_page_token;
    } while (!options.page_token.empty());
    EXPECT_THAT(keys, ::testing::ElementsAre("p/a", "p/b/", "p/c", "p/d/", "p/e")) << keys_max;
  }
}

TEST_F(MemoryStorageTest, ListsByPrefixOfKeysNotOfDirectories) {
  for (const char* key : {"a/b", "ab", "b"}) Store(key, "1");
  ListOptions options;
  options.prefix = "a";
  ASSERT_OK_AND_ASSIGN(const ListPage page, storage_.List(ctx_, options));
  EXPECT_THAT(Keys(page), ::testing::ElementsAre("a/b", "ab"));
}

TEST_F(MemoryStorageTest, ListsOnlyKeysAfterStartAfter) {
  for (const char* key : {"a/1", "a/2", "b"}) Store(key, "1");
  ListOptions options;
  options.delimiter = "/";
  options.start_after = "a/1";
  ASSERT_OK_AND_ASSIGN(const ListPage page, storage_.List(ctx_, options));
  EXPECT_THAT(Keys(page), ::testing::ElementsAre("a/", "b"));
}

TEST_F(MemoryStorageTest, CountsAMissingKeyAsDeleted) {
  Store("a", "1");
  std::vector<Status> each;
  const std::vector<std::string> keys = {"none", "a", "../x"};
  ASSERT_OK(storage_.Delete(ctx_, keys, &each));
  ASSERT_EQ(each.size(), 3u);
  EXPECT_OK(each[0]);
  EXPECT_OK(each[1]);
  EXPECT_THAT(each[2], HasCode(Code::kNameInvalid));
  EXPECT_THAT(Exists(ctx_, storage_, "a"), IsOkAndHolds(false));
}

TEST_F(MemoryStorageTest, RefusesNamesThatAreNoKeys) {
  using namespace std::string_view_literals;
  for (std::string_view key : {""sv, "/a"sv, "a//b"sv, "a/"sv, ".."sv, "a/../b"sv, "./a"sv, "a\0b"sv}) {
    EXPECT_THAT(storage_.Put(ctx_, key, {}), HasCode(Code::kNameInvalid)) << key;
    EXPECT_THAT(storage_.Stat(ctx_, key), HasCode(Code::kNameInvalid)) << key;
  }
}

TEST_F(MemoryStorageTest, CopiesAndReplacesTheTarget) {
  Store("a", "new");
  Store("b", "old");
  ASSERT_OK(storage_.Copy(ctx_, "a", "b"));
  EXPECT_THAT(ReadObject(ctx_, storage_, "b", 10), IsOkAndHolds("new"));
  EXPECT_THAT(storage_.Copy(ctx_, "none", "b"), HasCode(Code::kNotFound));
}

TEST_F(MemoryStorageTest, AnswersAStopWithCancelled) {
  ctx_.stop().RequestStop();
  EXPECT_THAT(storage_.Stat(ctx_, "a"), HasCode(Code::kCancelled));
  EXPECT_THAT(storage_.List(ctx_, {}), HasCode(Code::kCancelled));
}

}  // namespace
}  // namespace walrig::test
