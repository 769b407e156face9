#include "plugins/common/ssh/running_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace walrig::ssh {
namespace {

// xxh128sum of nothing prints 99aa06d3014798d86001c324468d497f.
TEST(RunningHashTest, IsWhatXxh128sumPrints) {
  const RunningHash nothing;
  EXPECT_EQ(nothing.Value()[1], 0x99aa06d3014798d8u);
  EXPECT_EQ(nothing.Value()[0], 0x6001c324468d497fu);
}

TEST(RunningHashTest, DoesNotDependOnThePieces) {
  const std::string text(100'000, 'x');
  RunningHash whole, pieces;
  whole.Update(AsBytes(text));
  for (size_t i = 0; i < text.size(); i += 777) pieces.Update(AsBytes(text).subspan(i, std::min<size_t>(777, text.size() - i)));
  EXPECT_EQ(whole.Value(), pieces.Value());
  pieces.Update(AsBytes(std::string_view("x")));
  EXPECT_NE(whole.Value(), pieces.Value());
}

}  // namespace
}  // namespace walrig::ssh
