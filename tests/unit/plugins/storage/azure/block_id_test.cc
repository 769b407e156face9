#include "plugins/storage/azure/block_id.h"

#include <gtest/gtest.h>

namespace walrig::azure {
namespace {

TEST(BlockIdTest, TellsWhenItsWriterBeganAndIsOfOneLength) {
  const WriterId writer = NewWriterId(1'700'000'000'123'456'789);
  EXPECT_EQ(StartedNs(BlockId(writer, 0)), 1'700'000'000'000'000'000);
  EXPECT_EQ(BlockId(writer, 0).size(), BlockId(writer, 49'999).size());
  EXPECT_NE(BlockId(writer, 1), BlockId(writer, 2));
  EXPECT_NE(BlockId(writer, 1), BlockId(NewWriterId(1'700'000'000'123'456'789), 1));
}

TEST(BlockIdTest, KnowsNothingOfOtherProgramsBlocks) {
  for (const char* id : {"", "MDAwMQ==", "!!", "d2FscmlnMS0="}) EXPECT_FALSE(StartedNs(id).has_value()) << id;
}

}  // namespace
}  // namespace walrig::azure
