#include "core/pipeline/download.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "core/storage/wrapper.h"
#include "tests/support/fake_codec.h"
#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

// Passes bytes on as they are; an input that is not of whole blocks is no end.
class Blocks final : public Transform {
 public:
  Result<Progress> Process(TransformIo& io, Directive directive) override {
    const size_t count = std::min(io.in.size(), io.out.size());
    if (count != 0) std::memcpy(io.out.data(), io.in.data(), count);
    io.in_used = io.out_used = count;
    total_ += count;
    if (count < io.in.size()) return Progress::kNeedOutput;
    if (directive != Directive::kFinish) return Progress::kNeedInput;
    if (total_ % kBlock != 0) return Truncated("a block is cut");
    return Progress::kEnd;
  }
  Status Reset() override { return OkStatus(); }
  static constexpr uint64_t kBlock = 10;

 private:
  uint64_t total_ = 0;
};

// An object is a head of 5 bytes and blocks of 10.
class BlockCipher final : public Cipher {
 public:
  const std::string& name() const override { return name_; }
  Result<std::unique_ptr<Transform>> NewSealer() override { return NotSupported(""); }
  Result<std::unique_ptr<Transform>> NewOpener() override { return NotSupported(""); }
  uint64_t memory_bytes() const override { return 0; }
  Result<std::unique_ptr<Transform>> NewRangeOpener(ByteSpan head, uint64_t offset, uint64_t length, SealedRange* range) override {
    if (AsText(head.first(std::min<size_t>(head.size(), 5))) != "head:") return Corruption("no head");
    const uint64_t begin = offset / Blocks::kBlock, end = (offset + length - 1) / Blocks::kBlock + 1;
    *range = {5 + begin * Blocks::kBlock, (end - begin) * Blocks::kBlock, offset % Blocks::kBlock};
    return std::unique_ptr<Transform>(std::make_unique<Blocks>());
  }

 private:
  const std::string name_ = "blocks";
};

class Watcher final : public StorageWrapper {
 public:
  using StorageWrapper::StorageWrapper;
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override {
    asked.push_back(options);
    if (asked.size() == replace_at) WALRIG_TRY(WriteObject(ctx, inner(), key, "another"));
    return inner().Get(ctx, key, options);
  }
  std::vector<GetOptions> asked;
  size_t replace_at = 0;
};

class OpenRangeTest : public ::testing::Test {
 protected:
  Result<std::string> Range(Cipher* cipher, uint64_t offset, uint64_t length) {
    WALRIG_ASSIGN(const auto source, OpenRange(ctx_, watcher_, "a", cipher, offset, length));
    return Drain(ctx_, *source);
  }
  const std::string plain_ = NumberedBytes(100'000);
  TestContext ctx_;
  MemoryStorage memory_;
  Watcher watcher_{memory_};
  BlockCipher cipher_;
};

TEST_F(OpenRangeTest, GivesThePlainBytesOfTheRangeAndReadsItsBlocksAlone) {
  ASSERT_OK(WriteObject(ctx_, memory_, "a", "head:" + plain_));
  for (const auto& [offset, length] : std::vector<std::pair<uint64_t, uint64_t>>{{0, 1}, {7, 3}, {7, 4}, {19, 50'000}, {99'999, 1}, {99'990, 1'000}}) {
    EXPECT_THAT(Range(&cipher_, offset, length), IsOkAndHolds(plain_.substr(offset, length))) << offset;
  }
  watcher_.asked.clear();
  ASSERT_OK(Range(&cipher_, 25, 10).status());
  ASSERT_EQ(watcher_.asked.size(), 2u);
  EXPECT_EQ(watcher_.asked[0].length, kRangeHeadBytes);
  EXPECT_EQ(watcher_.asked[1].offset, 25u);
  EXPECT_EQ(watcher_.asked[1].length, 20u);
}

TEST_F(OpenRangeTest, WithoutACipherItIsTheStoredBytes) {
  ASSERT_OK(WriteObject(ctx_, memory_, "a", plain_));
  EXPECT_THAT(Range(nullptr, 12, 34), IsOkAndHolds(plain_.substr(12, 34)));
  EXPECT_THAT(Range(nullptr, 99'000, kUnknownSize), IsOkAndHolds(plain_.substr(99'000)));
}

TEST_F(OpenRangeTest, NeverJoinsTheHeadOfOneObjectAndTheBlocksOfAnother) {
  ASSERT_OK(WriteObject(ctx_, memory_, "a", "head:" + plain_));
  watcher_.replace_at = 2;
  EXPECT_THAT(Range(&cipher_, 0, 5), HasCode(Code::kPreconditionFailed));
}

TEST_F(OpenRangeTest, TellsWhatCannotBe) {
  ASSERT_OK(WriteObject(ctx_, memory_, "a", "head:" + plain_.substr(0, 25)));
  EXPECT_THAT(Range(&cipher_, 20, 6), HasCode(Code::kTruncated));
  EXPECT_THAT(Range(&cipher_, 1'000, 5), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(Range(nullptr, 30, 5), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(Range(nullptr, 0, 0), HasCode(Code::kInvalidArgument));
  FakeCipher whole_only;
  EXPECT_THAT(Range(&whole_only, 0, 5), HasCode(Code::kNotSupported));
  EXPECT_THAT(OpenRange(ctx_, memory_, "b", nullptr, 0, 5), HasCode(Code::kNotFound));
}

}  // namespace
}  // namespace walrig::test
