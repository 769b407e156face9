#include "core/plugin/pins.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOk;
using test::MessageHas;
using ::testing::AllOf;

const std::string kHash(64, 'a');
const std::string kOther(64, 'b');

TEST(PinsTest, WhatIsWrittenIsReadBack) {
  const std::vector<Pin> pins = {{"org.a", "1.0", "x86_64-linux-gnu", kHash}, {"org.b", "2.0", "x86_64-linux-gnu", kOther}};
  ASSERT_OK_AND_ASSIGN(const std::vector<Pin> read, ParsePins(FormatPins({pins[1], pins[0]}), "lock"));
  EXPECT_EQ(read, pins);
}

TEST(PinsTest, MalformedLineIsNamed) {
  EXPECT_THAT(ParsePins("# fine\n\norg.a 1.0 x86 sha256:abc\n", "lock"),
              AllOf(HasCode(Code::kConfig), MessageHas("lock line 3")));
  EXPECT_THAT(ParsePins("org.a 1.0 sha256:" + kHash, "lock"), HasCode(Code::kConfig));
}

TEST(PinsTest, OnlyTheSameIdVersionTripletAndHashPass) {
  const std::vector<Pin> pins = {{"org.a", "1.0", "x86_64-linux-gnu", kHash}};
  EXPECT_THAT(CheckPin(pins, pins[0], "lock"), IsOk());
  EXPECT_THAT(CheckPin(pins, {"org.a", "1.0", "x86_64-linux-gnu", kOther}, "lock"),
              AllOf(HasCode(Code::kPermission), MessageHas(kHash), MessageHas(kOther), MessageHas("lock")));
  EXPECT_THAT(CheckPin(pins, {"org.a", "1.1", "x86_64-linux-gnu", kHash}, "lock"), HasCode(Code::kPermission));
  EXPECT_THAT(CheckPin(pins, {"org.a", "1.0", "aarch64-linux-gnu", kHash}, "lock"), MessageHas("not pinned"));
  EXPECT_THAT(CheckPin(pins, {"org.b", "1.0", "x86_64-linux-gnu", kHash}, "lock"), MessageHas("not pinned"));
}

}  // namespace
}  // namespace walrig
