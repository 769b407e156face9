#include "core/storage/objects.h"

#include <gtest/gtest.h>

#include "core/storage/memory.h"
#include "core/storage/wrapper.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

class ObjectsTest : public ::testing::Test {
 protected:
  TestContext ctx_;
  MemoryStorage memory_;
};

TEST_F(ObjectsTest, ReadObjectRefusesMoreThanItsBound) {
  ASSERT_OK(WriteObject(ctx_, memory_, "a", "12345"));
  EXPECT_THAT(ReadObject(ctx_, memory_, "a", 5), IsOkAndHolds("12345"));
  EXPECT_THAT(ReadObject(ctx_, memory_, "a", 4), HasCode(Code::kTooLarge));
}

TEST_F(ObjectsTest, ReadObjectGivesAnEmptyObject) {
  ASSERT_OK(WriteObject(ctx_, memory_, "a", ""));
  EXPECT_THAT(ReadObject(ctx_, memory_, "a", 0), IsOkAndHolds(""));
}

TEST_F(ObjectsTest, ListAllJoinsPagesAndSorts) {
  class Unsorted final : public StorageWrapper {
   public:
    using StorageWrapper::StorageWrapper;
    Result<ListPage> List(const Context& ctx, const ListOptions& options) override {
      ListOptions small = options;
      small.keys_max = 3;
      WALRIG_ASSIGN(ListPage page, StorageWrapper::List(ctx, small));
      std::reverse(page.entries.begin(), page.entries.end());
      return page;
    }
  };
  for (char c = 'a'; c <= 'h'; c++) ASSERT_OK(WriteObject(ctx_, memory_, std::string("p/") + c, "1"));
  Unsorted storage(memory_);
  ASSERT_OK_AND_ASSIGN(const auto all, ListAll(ctx_, storage, "p/"));
  ASSERT_EQ(all.size(), 8u);
  for (size_t i = 0; i < all.size(); i++) EXPECT_EQ(all[i].key, std::string("p/") + static_cast<char>('a' + i));
}

TEST_F(ObjectsTest, ListAllEndsWhenAStorageRepeatsItsPage) {
  class Looping final : public StorageWrapper {
   public:
    using StorageWrapper::StorageWrapper;
    Result<ListPage> List(const Context&, const ListOptions&) override {
      ListPage page;
      page.next_page_token = "same";
      return page;
    }
  };
  Looping storage(memory_);
  EXPECT_THAT(ListAll(ctx_, storage, ""), HasCode(Code::kProtocol));
}

TEST_F(ObjectsTest, ExistsTellsAbsenceFromFailure) {
  FaultyStorage faulty(memory_);
  EXPECT_THAT(Exists(ctx_, faulty, "a"), IsOkAndHolds(false));
  faulty.Set({.fail_from = 1, .failure = PermissionDenied("no")});
  EXPECT_THAT(Exists(ctx_, faulty, "a"), HasCode(Code::kPermission));
}

TEST_F(ObjectsTest, DeleteAllTriesEveryKeyAndNamesTheFirstThatFailed) {
  ASSERT_OK(WriteObject(ctx_, memory_, "a", "1"));
  const Status status = DeleteAll(ctx_, memory_, {"../x", "a"});
  EXPECT_THAT(status, HasCode(Code::kNameInvalid));
  EXPECT_THAT(status, MessageHas("delete ../x"));
  EXPECT_THAT(Exists(ctx_, memory_, "a"), IsOkAndHolds(false));
}

TEST_F(ObjectsTest, DeleteAllWorksInCallsOfAThousand) {
  std::vector<std::string> keys;
  for (int i = 0; i < 2500; i++) keys.push_back("k" + std::to_string(i));
  FaultyStorage faulty(memory_);
  ASSERT_OK(DeleteAll(ctx_, faulty, keys));
  EXPECT_EQ(faulty.counted(), 3u);
}

}  // namespace
}  // namespace walrig::test
