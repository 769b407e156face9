#include "cli/progress.h"

#include <gtest/gtest.h>

namespace walrig {
namespace {

TEST(ProgressTest, TellsShareRateAndTimeLeft) {
  EXPECT_EQ(ProgressText(512 << 20, 1024 << 20, 2'000'000'000), "512 MiB of 1.0 GiB (50%), 256 MiB/s, 2s left");
}

TEST(ProgressTest, TellsOnlyWhatIsKnown) {
  EXPECT_EQ(ProgressText(1024, 0, 1'000'000'000), "1.0 KiB, 1.0 KiB/s");
  EXPECT_EQ(ProgressText(0, 0, 0), "0 B, 0 B/s");
}

TEST(ProgressTest, ASlowStartIsNoEstimate) {
  EXPECT_EQ(ProgressText(1, 10ull << 40, 1'000'000'000), "1 B of 10.0 TiB (0%), 1 B/s");
}

TEST(ProgressTest, NeverSaysMoreThanAll) {
  EXPECT_EQ(ProgressText(2048, 1024, 1'000'000'000), "2.0 KiB of 1.0 KiB (100%), 2.0 KiB/s");
}

}  // namespace
}  // namespace walrig
