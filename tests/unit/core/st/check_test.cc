#include "core/st/check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "core/storage/wrapper.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

TEST(StCheckTest, NamesAllThatAreMissing) {
  test::TestContext context;
  MemoryStorage memory;
  ASSERT_OK(WriteObject(context.ctx(), memory, "there", "x"));
  EXPECT_OK(StCheckRead(context.ctx(), memory, {"there"}));
  const Status status = StCheckRead(context.ctx(), memory, {"one", "there", "two"});
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_NE(status.message().find("one, two"), std::string::npos);
}

TEST(StCheckTest, AWriteCheckLeavesNothing) {
  test::TestContext context;
  MemoryStorage memory;
  EXPECT_TRUE(StCheckWrite(context.ctx(), memory, 7).value().empty());
  EXPECT_TRUE(ListAll(context.ctx(), memory, "").value().empty());
}

// What a storage may be unable to do, each by itself.
enum class Flaw { kPut, kPutIfAbsent, kSecondPut, kReplace, kReadBack, kList, kDelete };

class FlawedStorage final : public StorageWrapper {
 public:
  FlawedStorage(Storage& inner, Flaw flaw) : StorageWrapper(inner), flaw_(flaw) {}

  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    const bool there = Exists(ctx, inner(), key).value();
    if (flaw_ == Flaw::kPut && !there && !options.only_if_absent) return PermissionDenied("flawed");
    if (flaw_ == Flaw::kPutIfAbsent && options.only_if_absent) return NotSupported("flawed").Hint("what to do");
    if (flaw_ == Flaw::kReplace && there && !options.only_if_absent) return PermissionDenied("flawed");
    PutOptions given = options;
    if (flaw_ == Flaw::kSecondPut) given.only_if_absent = false;
    return inner().Put(ctx, key, given);
  }
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override {
    GetOptions given = options;
    if (flaw_ == Flaw::kReadBack) given.length = 5;
    return inner().Get(ctx, key, given);
  }
  Result<ListPage> List(const Context& ctx, const ListOptions& options) override {
    if (flaw_ == Flaw::kList) return ListPage{};
    return inner().List(ctx, options);
  }
  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override {
    if (flaw_ != Flaw::kDelete) return inner().Delete(ctx, keys, each);
    each->assign(keys.size(), OkStatus());
    return OkStatus();
  }

 private:
  const Flaw flaw_;
};

TEST(StCheckTest, AWriteCheckNamesWhateverABackupNeedsAndTheStorageCannotDo) {
  const std::pair<Flaw, const char*> flaws[] = {
      {Flaw::kPut, "put ("},      {Flaw::kPutIfAbsent, "put if absent ("}, {Flaw::kSecondPut, "refuse a second put if absent ("},
      {Flaw::kReplace, "replace ("}, {Flaw::kReadBack, "read back ("},     {Flaw::kList, "list ("},
      {Flaw::kDelete, "delete ("}};
  for (const auto& [flaw, name] : flaws) {
    test::TestContext context;
    MemoryStorage memory;
    FlawedStorage flawed(memory, flaw);
    const auto checked = StCheckWrite(context.ctx(), flawed, 7);
    ASSERT_FALSE(checked.ok()) << name;
    const std::string text = checked.status().ToString();
    EXPECT_NE(text.find(name), std::string::npos) << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '('), 1) << text;  // and nothing else
    EXPECT_EQ(ListAll(context.ctx(), memory, "").value().empty(), flaw != Flaw::kDelete) << name;
  }
}

TEST(StCheckTest, AWriteCheckSaysWhatIsNotPromised) {
  test::TestContext context;
  MemoryStorage memory;
  test::FaultyStorage modest(memory);
  StorageCapabilities caps = memory.capabilities();
  caps.put_if_absent = caps.list_your_writes = false;
  modest.SetCapabilities(caps);
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> limits, StCheckWrite(context.ctx(), modest, 7));
  EXPECT_EQ(limits.size(), 2u);
}

TEST(StCheckTest, AStorageThatIsGoneIsAskedOnceAndNotForEachStep) {
  test::TestContext context;
  MemoryStorage memory;
  test::FaultyStorage faulty(memory);
  faulty.Set({.fail_from = 1, .fail_times = 100, .failure = Unavailable("gone").Retryable()});
  EXPECT_EQ(StCheckWrite(context.ctx(), faulty, 7).status().code(), Code::kUnavailable);
  EXPECT_LE(faulty.counted(), 2u);
}

}  // namespace
}  // namespace walrig
