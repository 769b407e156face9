#include "core/base/json_stream.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "core/base/name_hashes.h"
#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::HasCode;

class Recorder final : public JsonEvents {
 public:
  Status OnStartObject() override { return Say("{"); }
  Status OnKey(std::string& key) override { return key == "stop" ? Conflict("stop") : Say("k:" + key); }
  Status OnEndObject() override { return Say("}"); }
  Status OnStartArray() override { return Say("["); }
  Status OnEndArray() override { return Say("]"); }
  Status OnString(std::string& value) override { return Say("s:" + value); }
  Status OnUint(uint64_t value) override { return Say(fmt::format("u:{}", value)); }
  Status OnInt(int64_t value) override { return Say(fmt::format("i:{}", value)); }
  Status OnDouble(double value) override { return Say(fmt::format("d:{}", value)); }
  Status OnBool(bool value) override { return Say(value ? "t" : "f"); }
  Status OnNull() override { return Say("n"); }
  std::string said;

 private:
  Status Say(const std::string& text) { return said += text + " ", OkStatus(); }
};

// A source that gives `step` bytes at a time.
class SlowSource final : public Source {
 public:
  SlowSource(std::string text, size_t step) : text_(std::move(text)), step_(step) {}
  Result<size_t> Read(const Context&, MutableByteSpan buffer) override {
    const size_t n = std::min({buffer.size(), step_, text_.size() - at_});
    text_.copy(reinterpret_cast<char*>(buffer.data()), n, at_);
    at_ += n;
    return n;
  }

 private:
  std::string text_;
  size_t step_, at_ = 0;
};

class JsonStreamTest : public testing::Test {
 protected:
  Status Read(std::string text, JsonStreamLimits limits = {}, size_t step = SIZE_MAX) {
    SlowSource source(std::move(text), step);
    recorder_.said.clear();
    return ReadJsonStream(ctx_, source, "doc", limits, recorder_);
  }
  test::TestContext ctx_;
  Recorder recorder_;
};

TEST_F(JsonStreamTest, TellsEveryEventInOrderWhateverThePieces) {
  for (size_t step : {size_t{1}, size_t{3}, SIZE_MAX}) {
    EXPECT_OK(Read(R"( {"a":[1,-2,1.5,"x\n\u00fc",true,false,null,18446744073709551615],"b":{}} )", {}, step));
    EXPECT_EQ(recorder_.said, "{ k:a [ u:1 i:-2 d:1.5 s:x\nü t f n u:18446744073709551615 ] k:b { } } ");
  }
}

TEST_F(JsonStreamTest, TellsTruncationFromGarbage) {
  const std::string whole = R"({"a":[1,"x"],"b":true})";
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(Read(whole.substr(0, size)), HasCode(Code::kTruncated)) << size;
  }
  for (const char* text : {"{}x", "{}{}", "{,}", "[1,]", "{\"a\" 1}", "nul}", "{\"a\":1]", "\"\x01\"", "\"\xFF\"", "[01]", "[1e999]"}) {
    EXPECT_THAT(Read(text), HasCode(Code::kCorruption)) << text;
  }
}

TEST_F(JsonStreamTest, BoundsDepthAndTokens) {
  EXPECT_OK(Read(std::string(64, '[') + std::string(64, ']')));
  EXPECT_THAT(Read(std::string(65, '[') + std::string(65, ']')), HasCode(Code::kCorruption));
  EXPECT_THAT(Read(std::string(1000000, '[')), HasCode(Code::kCorruption));
  const JsonStreamLimits small{.token_bytes_max = 10};
  EXPECT_OK(Read(R"(["1234567890","1234567890"])", small));
  EXPECT_THAT(Read(R"(["12345678901"])", small), HasCode(Code::kCorruption));
  EXPECT_THAT(Read(R"(["12345678901"])", small, 1), HasCode(Code::kCorruption));
  EXPECT_THAT(Read("[12345678901]", small), HasCode(Code::kCorruption));
  EXPECT_OK(Read(R"(["\"\"\"\"\"", 1, 2])", small));
}

TEST_F(JsonStreamTest, HandsOnWhatHandlerSourceAndStopSay) {
  EXPECT_THAT(Read(R"({"stop":1})"), HasCode(Code::kConflict));
  test::FailingSource broken("{\"a\":", Unavailable("gone"));
  EXPECT_THAT(ReadJsonStream(ctx_, broken, "doc", {}, recorder_), HasCode(Code::kUnavailable));
  ctx_.stop().RequestStop();
  EXPECT_THAT(Read("{}"), HasCode(Code::kCancelled));
}

TEST(NameHashesTest, FindsWhatOccursTwice) {
  NameHashes names;
  for (int i = 0; i < 1000; ++i) names.Add(fmt::format("base/5/{}", i));
  EXPECT_FALSE(names.HasDuplicate());
  names.Add("base/5/500");
  EXPECT_TRUE(names.HasDuplicate());
}

}  // namespace
}  // namespace walrig
