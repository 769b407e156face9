#include "core/storage/failover.h"

#include <gtest/gtest.h>

#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "core/storage/wrapper.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

class FailoverTest : public ::testing::Test {
 protected:
  const Context& ctx() { return context_.ctx(); }
  static std::unique_ptr<Storage> Borrow(Storage& storage) { return std::make_unique<StorageWrapper>(storage); }
  std::unique_ptr<FailoverStorage> Both() {
    std::vector<FailoverMember> members;
    members.push_back({"default", Borrow(first_)});
    members.push_back({"second", Borrow(second_)});
    return FailoverStorage::New(std::move(members)).value();
  }
  std::unique_ptr<FailoverStorage> SecondDead() {
    std::vector<FailoverMember> members;
    members.push_back({"default", Borrow(first_)});
    members.push_back({"second", nullptr, IoError("the network is down")});
    return FailoverStorage::New(std::move(members)).value();
  }
  void Put(Storage& storage, const std::string& key, const std::string& bytes) {
    ASSERT_OK(WriteObject(ctx(), storage, key, bytes));
  }

  test::TestContext context_;
  MemoryStorage first_, second_;
};

TEST_F(FailoverTest, ReadsFromTheFirstThatHasIt) {
  Put(first_, "wal_005/a", "one");
  Put(second_, "wal_005/a", "two");
  Put(second_, "wal_005/b", "two");
  const auto both = Both();
  EXPECT_EQ(ReadObject(ctx(), *both, "wal_005/a", 10).value(), "one");
  EXPECT_EQ(ReadObject(ctx(), *both, "wal_005/b", 10).value(), "two");
  EXPECT_EQ(both->Stat(ctx(), "wal_005/c").status().code(), Code::kNotFound);
}

TEST_F(FailoverTest, AnUnreachableStorageNeverMakesAnObjectAbsent) {
  Put(first_, "wal_005/a", "one");
  const auto storage = SecondDead();
  EXPECT_EQ(ReadObject(ctx(), *storage, "wal_005/a", 10).value(), "one");
  EXPECT_EQ(storage->Stat(ctx(), "wal_005/b").status().code(), Code::kUnavailable);
  EXPECT_EQ(storage->Get(ctx(), "wal_005/b", {}).status().code(), Code::kUnavailable);
}

TEST_F(FailoverTest, AStorageThatFailsNeverMakesAnObjectAbsent) {
  test::FaultyStorage faulty(first_);
  std::vector<FailoverMember> members;
  members.push_back({"default", Borrow(faulty)});
  members.push_back({"second", Borrow(second_)});
  const auto both = FailoverStorage::New(std::move(members)).value();
  Put(second_, "wal_005/a", "two");
  faulty.Set({.fail_from = 1, .fail_times = 1000, .failure = IoError("broken")});
  EXPECT_EQ(ReadObject(ctx(), *both, "wal_005/a", 10).value(), "two");
  EXPECT_EQ(both->Stat(ctx(), "wal_005/b").status().code(), Code::kIoError);
}

// As S3 does when it filters what is no object of ours: pages that are empty or short, with more behind them.
class ThinPages final : public StorageWrapper {
 public:
  using StorageWrapper::StorageWrapper;
  Result<ListPage> List(const Context& ctx, const ListOptions& options) override {
    ListOptions ask = options;
    const bool second = ask.page_token.ends_with("+");
    if (second) ask.page_token.pop_back();
    if (!second) return ListPage{{}, ask.page_token + "+"};
    ask.keys_max = 1;
    return StorageWrapper::List(ctx, ask);
  }
};

TEST_F(FailoverTest, AnEmptyPageThatIsNotTheLastEndsNoList) {
  for (const char* key : {"wal_005/a", "wal_005/b/1", "wal_005/b/2", "wal_005/c"}) Put(first_, key, "x");
  Put(second_, "wal_005/d", "x");
  std::vector<FailoverMember> members;
  members.push_back({"default", std::make_unique<ThinPages>(first_)});
  members.push_back({"second", Borrow(second_)});
  const auto both = FailoverStorage::New(std::move(members)).value();
  EXPECT_EQ(ListAll(ctx(), *both, "wal_005/").value().size(), 5u);
  EXPECT_EQ(ListAll(ctx(), *both, "wal_005/", "/").value().size(), 4u);
}

TEST_F(FailoverTest, NoneReachableIsAnError) {
  std::vector<FailoverMember> members;
  members.push_back({"default", nullptr, IoError("gone")});
  EXPECT_EQ(FailoverStorage::New(std::move(members)).status().code(), Code::kUnavailable);
}

TEST_F(FailoverTest, ABackupComesFromTheStorageOfItsSentinelAlone) {
  Put(first_, "basebackups_005/base_1/tar_partitions/part_001.tar", "left by an interrupted push");
  Put(first_, "basebackups_005/base_1/tar_partitions/part_002.tar", "left too");
  Put(second_, "basebackups_005/base_1/tar_partitions/part_001.tar", "real");
  Put(second_, "basebackups_005/base_1_backup_stop_sentinel.json", "{}");
  const auto both = Both();
  EXPECT_EQ(ReadObject(ctx(), *both, "basebackups_005/base_1/tar_partitions/part_001.tar", 100).value(), "real");
  EXPECT_EQ(both->Stat(ctx(), "basebackups_005/base_1/tar_partitions/part_002.tar").status().code(), Code::kNotFound);
  EXPECT_EQ(ListAll(ctx(), *both, "basebackups_005/base_1/").value().size(), 1u);
}

TEST_F(FailoverTest, ListsEachNameOnceThroughPagesOfAnySize) {
  std::vector<std::string> want;
  for (int i = 0; i < 40; ++i) {
    const std::string key = "wal_005/" + std::string(i < 10 ? "0" : "") + std::to_string(i);
    want.push_back(key);
    if (i % 2 == 0 || i % 5 == 0) Put(first_, key, "1");
    if (i % 2 == 1 || i % 3 == 0) Put(second_, key, "22");
  }
  Put(first_, "wal_005_x/a", "1");
  Put(second_, "zz", "1");
  const auto both = Both();
  for (const uint32_t page_max : {1u, 2u, 7u, 1000u}) {
    for (const std::string delimiter : {"", "/"}) {
      std::vector<std::string> got;
      ListOptions options{.prefix = delimiter.empty() ? "wal_005/" : "", .delimiter = delimiter, .start_after = "",
                          .page_token = "", .keys_max = page_max};
      for (int pages = 0; pages < 200; ++pages) {
        ASSERT_OK_AND_ASSIGN(ListPage page, both->List(ctx(), options));
        ASSERT_LE(page.entries.size(), page_max);
        for (const ObjectInfo& entry : page.entries) got.push_back(entry.key);
        options.page_token = page.next_page_token;
        if (options.page_token.empty()) break;
      }
      if (delimiter.empty()) {
        EXPECT_EQ(got, want) << page_max;
      } else {
        EXPECT_EQ(got, (std::vector<std::string>{"wal_005/", "wal_005_x/", "zz"})) << page_max;
      }
    }
  }
  EXPECT_EQ(ListAll(ctx(), *both, "wal_005/00").value()[0].size_bytes, 1u) << "of equal names the first storage's";
}

TEST_F(FailoverTest, DeletesEverywhereAndWritesIntoTheFirst) {
  Put(first_, "a", "1");
  Put(second_, "a", "2");
  const auto both = Both();
  ASSERT_OK(DeleteAll(ctx(), *both, {"a"}));
  EXPECT_FALSE(Exists(ctx(), first_, "a").value());
  EXPECT_FALSE(Exists(ctx(), second_, "a").value());
  ASSERT_OK(WriteObject(ctx(), *both, "b", "x"));
  EXPECT_TRUE(Exists(ctx(), first_, "b").value());
  EXPECT_FALSE(Exists(ctx(), second_, "b").value());
}

TEST_F(FailoverTest, DeletesNothingWhileOneCannotBeReachedAndNamesIt) {
  Put(first_, "wal_005/a", "needed by a backup in the second");
  const auto storage = SecondDead();
  const Status refused = DeleteAll(ctx(), *storage, {"wal_005/a"});
  EXPECT_THAT(refused, test::HasCode(Code::kUnavailable));
  EXPECT_THAT(refused, test::MessageHas("storage second cannot be reached: the network is down"));
  EXPECT_NE(refused.hint().find("--target-storage"), std::string_view::npos) << refused.ToString();
  EXPECT_TRUE(Exists(ctx(), first_, "wal_005/a").value());
  EXPECT_THAT(storage->RequireAll(), test::HasCode(Code::kUnavailable));
  EXPECT_OK(Both()->RequireAll());
}

}  // namespace
}  // namespace walrig
