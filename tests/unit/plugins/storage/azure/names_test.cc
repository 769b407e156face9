#include "plugins/storage/azure/names.h"

#include <gtest/gtest.h>

#include <string>

namespace walrig::azure {
namespace {

TEST(NamesTest, HoldsOrdinaryNames) {
  for (const char* name : {"a", "basebackups_005/base_000000010000000000000002/tar_partitions/part_1.tar.lz4", "with space",
                           ".hidden", "a..b", "\xc3\xa9", "\xf0\x9f\x90\x98", "percent%2F", "a+b&c#d?e"}) {
    EXPECT_TRUE(CheckName(name).ok()) << name;
  }
}

TEST(NamesTest, RefusesWhatTheServiceWouldChange) {
  for (const std::string& name :
       {std::string(), std::string("a."), std::string("a./b"), std::string("."), std::string("a/../b"), std::string("/a"),
        std::string("a/"), std::string("a//b"), std::string("a\\b"), std::string("a\nb"), std::string("a\0b", 3),
        std::string("\xff"), std::string("\xc0\xaf"), std::string("\xed\xa0\x80"), std::string("\xc3"),
        std::string("\xef\xbf\xbf"), std::string(1025, 'x')}) {
    EXPECT_EQ(CheckName(name).code(), Code::kNameInvalid) << name;
  }
  std::string parts = "x";
  for (int i = 0; i < 253; ++i) parts += "/x";
  EXPECT_TRUE(CheckName(parts).ok());
  EXPECT_FALSE(CheckName(parts + "/x").ok());
}

}  // namespace
}  // namespace walrig::azure
