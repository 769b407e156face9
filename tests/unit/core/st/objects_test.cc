#include "core/st/objects.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/io/memory.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_backup.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

class StObjectsTest : public ::testing::Test {
 protected:
  const Context& ctx() { return context_.ctx(); }
  test::TestContext context_;
  test::TempDir dir_;
  MemoryStorage memory_;
  test::NoCodecs codecs_;
};

TEST(StRangeTest, TakesBytesAndUnitsAndNothingElse) {
  EXPECT_EQ(ParseStRange("5:10")->offset, 5u);
  EXPECT_EQ(ParseStRange("5:10")->length, 10u);
  EXPECT_EQ(ParseStRange("1MiB:")->offset, 1u << 20);
  EXPECT_EQ(ParseStRange("1MiB:")->length, kUnknownSize);
  for (const char* wrong : {"", ":", "5", "a:5", "5:b", "5:0", "-1:5", "5:-1", "5:5:5"}) {
    EXPECT_EQ(ParseStRange(wrong).status().code(), Code::kInvalidArgument) << wrong;
  }
}

TEST_F(StObjectsTest, ARangeIsReadAloneAndNeverOfWhatIsDecompressed) {
  ASSERT_OK(WriteObject(ctx(), memory_, "a", "0123456789"));
  Buffer buffer(100);
  ASSERT_OK_AND_ASSIGN(const auto source, StOpen(ctx(), memory_, codecs_, "a", {.range = StRange{3, 4}}));
  EXPECT_EQ(source->Read(ctx(), buffer.span()).value(), 4u);
  EXPECT_EQ(AsText(buffer.first(4)), "3456");
  EXPECT_EQ(StOpen(ctx(), memory_, codecs_, "a", {.range = StRange{10, 4}}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(StOpen(ctx(), memory_, codecs_, "a", {.decompress = true, .range = StRange{3, 4}}).status().code(), Code::kInvalidArgument);
}

TEST_F(StObjectsTest, GetMakesANewFileAndNeverWritesOverOne) {
  ASSERT_OK(WriteObject(ctx(), memory_, "a/b", "bytes"));
  const std::string path = dir_.path() + "/file";
  EXPECT_EQ(StGet(ctx(), memory_, codecs_, "a/b", path, {}).value(), 5u);
  struct stat s{};
  ASSERT_EQ(::stat(path.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0640u);
  EXPECT_EQ(StGet(ctx(), memory_, codecs_, "a/b", path, {}).status().code(), Code::kAlreadyExists);
  EXPECT_EQ(StGet(ctx(), memory_, codecs_, "a/c", dir_.path() + "/none", {}).status().code(), Code::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(dir_.path() + "/none"));
}

TEST_F(StObjectsTest, AFolderTakesTheObjectsName) {
  ASSERT_OK(WriteObject(ctx(), memory_, "a/b.json", "{}"));
  ASSERT_OK(StGet(ctx(), memory_, codecs_, "a/b.json", dir_.path(), {.decompress = true}).status());
  EXPECT_TRUE(std::filesystem::exists(dir_.path() + "/b.json")) << "what is not decoded keeps its name";
}

// A compressor's plugin that is not installed, or nobody's: nobody knows.
TEST_F(StObjectsTest, BytesThatNothingDecompressesAreNotGivenAsIfTheyWere) {
  for (const char* key : {"wal_005/000000010000000000000001.br", "a/b.unknown"}) {
    ASSERT_OK(WriteObject(ctx(), memory_, key, "compressed"));
    const auto opened = StOpen(ctx(), memory_, codecs_, key, {.decompress = true});
    EXPECT_EQ(opened.status().code(), Code::kNotSupported);
    EXPECT_NE(opened.status().hint().find("--no-decompress"), std::string::npos) << opened.status().ToString();
    EXPECT_EQ(StGet(ctx(), memory_, codecs_, key, dir_.path() + "/file", {.decompress = true}).status().code(), Code::kNotSupported);
    EXPECT_FALSE(std::filesystem::exists(dir_.path() + "/file"));
    EXPECT_OK(StOpen(ctx(), memory_, codecs_, key, {}).status());
  }
}

TEST_F(StObjectsTest, WhatIsNeverCompressedNeedsNoDecompressor) {
  for (const char* key : {"basebackups_005/base_1_backup_stop_sentinel.json", "basebackups_005/base_1/backup_manifest",
                          "basebackups_005/base_1/tar_partitions/part_001.tar", "wal_005/00000002.history",
                          "wal_005/000000010000000000000001", "wal_005/000000010000000000000001.00000028.backup"}) {
    ASSERT_OK(WriteObject(ctx(), memory_, key, "plain"));
    EXPECT_OK(StOpen(ctx(), memory_, codecs_, key, {.decompress = true}).status()) << key;
  }
}

TEST_F(StObjectsTest, PutKeepsAnObjectUnlessForced) {
  ASSERT_OK(WriteObject(ctx(), memory_, "a", "old"));
  MemorySource refused("new"), forced("new");
  EXPECT_EQ(StPut(ctx(), memory_, refused, "a", {}).status().code(), Code::kAlreadyExists);
  EXPECT_EQ(ReadObject(ctx(), memory_, "a", 10).value(), "old");
  EXPECT_EQ(StPut(ctx(), memory_, forced, "a", {.codec = {}, .force = true}).value(), "a");
  EXPECT_EQ(ReadObject(ctx(), memory_, "a", 10).value(), "new");
}

}  // namespace
}  // namespace walrig
