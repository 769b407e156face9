#include "core/pgdata/member_table.h"

#include <gtest/gtest.h>

#include "core/io/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;

class MemberTableTest : public ::testing::Test {
 protected:
  Status Load(const std::string& files, const std::string& tars = "{}") {
    MemorySource source(R"({"Files":{)" + files + R"(},"TarFileSets":)" + tars + "}");
    return table_.LoadFiles(ctx_, source, {"part_001.tar"}, "files_metadata.json");
  }
  static std::string File(const std::string& name, const std::string& more = "") {
    return "\"" + name + R"(":{"IsIncremented":false,"IsSkipped":false,"MTime":"2026-11-23T16:46:08Z")" + more + "}";
  }

  test::TestContext ctx_;
  MemberTable table_;
};

TEST_F(MemberTableTest, FindsNamesWithAndWithoutTheLeadingSlash) {
  ASSERT_OK(Load(File("/base/5/1") + "," + File("global/1213")));
  EXPECT_TRUE(table_.knows_files());
  EXPECT_NE(table_.Find("base/5/1"), MemberTable::kUnknown);
  EXPECT_NE(table_.Find("global/1213"), MemberTable::kUnknown);
  EXPECT_EQ(table_.Find("base/5/2"), MemberTable::kUnknown);
}

TEST_F(MemberTableTest, TellsWhichPromisedFilesWereNotMet) {
  ASSERT_OK(Load(File("/a") + "," + File("/b") + "," + File("/c")));
  EXPECT_TRUE(table_.Claim(table_.Find("b")));
  EXPECT_FALSE(table_.Claim(table_.Find("b")));
  EXPECT_EQ(table_.unclaimed(), 2u);
  MemorySource again(R"({"Files":{)" + File("/a") + "," + File("/b") + "," + File("/c") + "}}");
  ASSERT_OK_AND_ASSIGN(auto names, table_.UnclaimedFiles(ctx_, again, 1));
  EXPECT_EQ(names, std::vector<std::string>{"a"});
}

TEST_F(MemberTableTest, RefusesNamesThatNoDataDirectoryHolds) {
  EXPECT_THAT(Load(File("../escaped")), HasCode(Code::kCorruption));
}

TEST_F(MemberTableTest, RefusesOneFileUnderTwoSpellings) {
  EXPECT_THAT(Load(File("/a") + "," + File("a")), HasCode(Code::kCorruption));
}

TEST_F(MemberTableTest, NamesATarThatIsNotThereAndHoldsListedFiles) {
  ASSERT_OK(Load(File("/a"), R"({"part_001.tar.zst":["/a"],"part_003.tar.zst":["/a"]})"));
  EXPECT_EQ(table_.MissingTar(), "part_003.tar");
}

TEST_F(MemberTableTest, ForgivesATarWhoseFilesVanishedBeforeTheyWereRead) {
  ASSERT_OK(Load(File("/a"), R"({"part_001.tar.zst":["/a"],"part_003.tar.zst":["/gone"]})"));
  EXPECT_EQ(table_.MissingTar(), "");
}

TEST_F(MemberTableTest, MatchesTarsWhateverTheirExtension) {
  ASSERT_OK(Load(File("/a"), R"({"part_001.tar":["/a"]})"));
  EXPECT_EQ(table_.MissingTar(), "");
}

TEST_F(MemberTableTest, SeesIncrements) {
  ASSERT_OK(Load(R"("/a":{"IsIncremented":true,"IsSkipped":false,"MTime":"2026-11-23T16:46:08Z"})"));
  EXPECT_EQ(table_.incremented_file(), "/a");
}

TEST_F(MemberTableTest, HoldsManyNamesInLittleMemory) {
  std::string files;
  constexpr int kCount = 20000;
  for (int i = 0; i < kCount; ++i) files += (i == 0 ? "" : ",") + File("/base/5/" + std::to_string(i));
  ASSERT_OK(Load(files));
  for (int i = 0; i < kCount; ++i) ASSERT_NE(table_.Find("base/5/" + std::to_string(i)), MemberTable::kUnknown) << i;
  EXPECT_EQ(table_.unclaimed(), static_cast<uint64_t>(kCount));
}

TEST(MemberCheckTest, ComparesSizeAndChecksum) {
  MemberTable::Facts facts;
  facts.in_manifest = true;
  facts.size_bytes = 9;
  facts.algorithm = MemberChecksum::kCrc32c;
  facts.checksum = ManifestCrc32c(0xE3069283);
  ASSERT_OK_AND_ASSIGN(MemberCheck good, MemberCheck::New(facts));
  good.Update(AsBytes("1234"));
  good.Update(AsBytes("56789"));
  EXPECT_OK(good.Finish("f"));
  ASSERT_OK_AND_ASSIGN(MemberCheck changed, MemberCheck::New(facts));
  changed.Update(AsBytes("123456788"));
  EXPECT_THAT(changed.Finish("the file"), MessageHas("the file"));
  ASSERT_OK_AND_ASSIGN(MemberCheck shorter, MemberCheck::New(facts));
  shorter.Update(AsBytes("12345678"));
  EXPECT_THAT(shorter.Finish("f"), HasCode(Code::kCorruption));
}

TEST(MemberCheckTest, TakesSha256WhenTheManifestHasIt) {
  MemberTable::Facts facts;
  facts.in_manifest = true;
  facts.size_bytes = 3;
  facts.algorithm = MemberChecksum::kSha256;
  facts.checksum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  ASSERT_OK_AND_ASSIGN(MemberCheck check, MemberCheck::New(facts));
  check.Update(AsBytes("abc"));
  EXPECT_OK(check.Finish("f"));
}

}  // namespace
}  // namespace walrig
