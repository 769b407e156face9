#include "core/pipeline/progress.h"

#include <gtest/gtest.h>

namespace walrig::test {
namespace {

TEST(ProgressCountersTest, AddUpWhatIsDoneAndKeepTheLastTotal) {
  ProgressCounters progress;
  EXPECT_EQ(progress.bytes_total(), 0u);
  progress.SetTotal(100, 3);
  progress.SetTotal(200, 4);
  progress.AddBytes(10);
  progress.AddBytes(5);
  progress.AddFiles(1);
  progress.AddStored(7);
  EXPECT_EQ(progress.bytes_done(), 15u);
  EXPECT_EQ(progress.bytes_total(), 200u);
  EXPECT_EQ(progress.files_done(), 1u);
  EXPECT_EQ(progress.files_total(), 4u);
  EXPECT_EQ(progress.stored_bytes(), 7u);
}

}  // namespace
}  // namespace walrig::test
