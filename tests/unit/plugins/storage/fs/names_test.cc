#include "tests/unit/plugins/storage/fs/fixture.h"

namespace walrig::testing {
namespace {

using FsNamesTest = FsTest;

TEST_F(FsNamesTest, RefusesWhatADirectoryCannotHoldAndTouchesNothing) {
  const Keys bad = {"", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "a/..", "../a", "a/../b", "../../etc/passwd",
                    std::string("a\0b", 3), std::string(256, 'x'), "a/" + std::string(256, 'x') + "/b",
                    std::string(1025, 'x'), "o.tmp.20261123T101112Z-0123456789abcdef",
                    "a/.tmp.20261123T101112Z-0123456789abcdef"};
  for (const std::string& key : bad) {
    EXPECT_EQ(storage_->Put(key, "x").code(), Code::kNameInvalid) << key.substr(0, 60);
    EXPECT_EQ(storage_->Get(key).code(), Code::kNameInvalid) << key.substr(0, 60);
    EXPECT_EQ(storage_->Stat(key).code(), Code::kNameInvalid) << key.substr(0, 60);
    EXPECT_EQ(storage_->Delete({key}), std::vector<Code>{Code::kNameInvalid}) << key.substr(0, 60);
    EXPECT_EQ(storage_->Copy("a", key).code(), Code::kNameInvalid) << key.substr(0, 60);
  }
  EXPECT_EQ(Tree(), Keys());
  EXPECT_FALSE(std::filesystem::exists(base_ + "/a"));
}

TEST_F(FsNamesTest, HoldsNastyNamesUnchanged) {
  Keys good = {"...", "..a", "a..", " ", "a b", "-rf", "*", "a%2Fb", "\x01\x7F\x1B[31m", "B\xC3\xBC" "cher", "Bu\xCC\x88" "cher",
               "\xFF\xFE", "line\nbreak", "tmp", ".tmp.", "x.tmp.20261123T101112Z-0123456789abcdeg", "\"'\\`$(x)",
               std::string(255, 'y'), std::string(200, 'a') + "/" + std::string(255, 'b'),
               std::string(255, 'p') + "/" + std::string(255, 'q') + "/" + std::string(255, 'r') + "/" + std::string(255, 's')};
  for (const std::string& key : good) {
    ASSERT_TRUE(storage_->Put(key, key).ok()) << key;
    EXPECT_EQ(storage_->Get(key).bytes, key);
  }
  std::sort(good.begin(), good.end());
  EXPECT_EQ(storage_->Keys(), good);
}

TEST_F(FsNamesTest, AnObjectAndAFolderCannotShareAName) {
  ASSERT_TRUE(storage_->Put("a", "object").ok());
  EXPECT_EQ(storage_->Put("a/b", "x").code(), Code::kNameInvalid);
  ASSERT_TRUE(storage_->Put("f/b", "x").ok());
  EXPECT_EQ(storage_->Put("f", "x").code(), Code::kNameInvalid);
  EXPECT_EQ(storage_->Get("a").bytes, "object");
  EXPECT_EQ(storage_->Get("f/b").bytes, "x");
}

}  // namespace
}  // namespace walrig::testing
