#include "core/backup/restore_content.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/core/backup/fetch_fixture.h"

namespace walrig {
namespace {

using test::HasCode;
using test::Member;
using test::MessageHas;

class RestoreContentTest : public test::FetchFixture {
 protected:
  void SetUp() override { backup_.with_proof = false; }
  void AddLink(const std::string& name, const std::string& target) {
    AddPart({.name = name, .body = "", .type = TarEntry::Type::kSymlink, .link = target});
  }
  struct stat Stat(const std::string& name) {
    struct stat info{};
    EXPECT_EQ(lstat(dir_.File("out/data/" + name).c_str(), &info), 0) << name;
    return info;
  }
  uint32_t ModeOf(const std::string& name) { return Stat(name).st_mode & 07777u; }
  bool IsDirectory(const std::string& name) { return S_ISDIR(Stat(name).st_mode); }
  bool IsLink(const std::string& name) { return S_ISLNK(Stat(name).st_mode); }
};

TEST_F(RestoreContentTest, GivesModesThatPostgresStartsWith) {
  Part("part_001.tar", "/").mode = 0777;
  Part("part_001.tar", "/base/5").mode = 0500;
  Part("part_001.tar", "/base/5/1259").mode = 0400;
  AddPart({.name = "/server.key", .body = "key", .mode = 0640, .link = "", .uid = 0});
  AddPart({.name = "/postgresql.conf", .body = "", .mode = 0644, .link = "", .uid = 0});
  ASSERT_OK(StoreAndFetch().status());
  EXPECT_EQ(ModeOf(""), 0750u);
  EXPECT_EQ(ModeOf("base/5"), 0700u);
  EXPECT_EQ(ModeOf("base/5/1259"), 0600u);
  EXPECT_EQ(ModeOf("server.key"), 0600u);
  EXPECT_EQ(ModeOf("postgresql.conf"), 0644u);
}

TEST_F(RestoreContentTest, GivesAccessToTheGroupInWhatItMakesItself) {
  for (auto& [tar, members] : backup_.parts) {
    for (Member& member : members) member.mode = member.type == TarEntry::Type::kDirectory ? 0750 : 0640;
  }
  std::erase_if(backup_.parts["part_001.tar"], [](const Member& member) { return member.name == "/pg_wal"; });
  backup_.with_proof = true;
  backup_.sentinel.tablespaces = TablespaceSpec("/data");
  ASSERT_OK(backup_.sentinel.tablespaces->Add("16385", dir_.File("ts")));
  options_.recovery.target_immediate = true;
  ASSERT_OK(StoreAndFetch().status());
  for (const char* name : {"", "base", "pg_wal", "pg_tblspc", "../../ts"}) EXPECT_EQ(ModeOf(name), 0750u) << name;
  for (const char* name : {"PG_VERSION", "backup_label", "tablespace_map", "backup_manifest", "postgresql.auto.conf", "recovery.signal"}) {
    EXPECT_EQ(ModeOf(name), 0640u) << name;
  }
}

TEST_F(RestoreContentTest, MakesTheDirectoriesThatWalGDropsAsLinks) {
  std::erase_if(backup_.parts["part_001.tar"], [](const Member& member) { return member.name == "/pg_wal"; });
  ASSERT_OK(StoreAndFetch().status());
  for (const char* name : {"pg_wal", "pg_notify", "pg_replslot", "pg_subtrans"}) EXPECT_TRUE(IsDirectory(name)) << name;
}

TEST_F(RestoreContentTest, PutsFilesInThePlaceOfLinksThatItMustWrite) {
  const std::string elsewhere = dir_.Write("elsewhere.conf", "port = 5\n");
  AddLink("/postgresql.auto.conf", elsewhere);
  AddLink("/recovery.signal", "/nowhere");
  AddLink("/backup_label", "/nowhere");
  AddLink("/backup_manifest", "/nowhere");
  backup_.with_proof = true;
  options_.recovery.target_immediate = true;
  ASSERT_OK(StoreAndFetch().status());
  for (const char* name : {"postgresql.auto.conf", "recovery.signal", "backup_label", "backup_manifest"}) {
    EXPECT_FALSE(IsLink(name)) << name;
  }
  EXPECT_EQ(dir_.Read("elsewhere.conf"), "port = 5\n");
  EXPECT_NE(dir_.Read("out/data/postgresql.auto.conf").find("recovery_target = 'immediate'"), std::string::npos);
  EXPECT_TRUE(ctx_.log().Has("postgresql.auto.conf is a symbolic link", LogLevel::kWarning));
}

TEST_F(RestoreContentTest, KeepsOtherLinksAndTellsOfDeadOnes) {
  AddLink("/dead", "/no/such/place");
  AddLink("/alive", "PG_VERSION");
  ASSERT_OK(StoreAndFetch().status());
  EXPECT_TRUE(IsLink("dead") && IsLink("alive"));
  EXPECT_TRUE(ctx_.log().Has("'dead' is a symbolic link to '/no/such/place', which is not there", LogLevel::kWarning));
  EXPECT_FALSE(ctx_.log().Has("'alive'", LogLevel::kWarning));
}

TEST_F(RestoreContentTest, LeavesOutALinkOfWalGThatLeadsToItself) {
  AddLink("/postgresql.conf", "postgresql.conf");
  ASSERT_OK(StoreAndFetch().status());
  EXPECT_FALSE(dir_.Exists("out/data/postgresql.conf"));
  EXPECT_TRUE(ctx_.log().Has("does not say where it led", LogLevel::kWarning));
}

TEST_F(RestoreContentTest, MakesADirectoryOfALinkWhoseContentIsRebuilt) {
  AddLink("/pg_stat", "/elsewhere/stat");
  ASSERT_OK(StoreAndFetch().status());
  EXPECT_TRUE(IsDirectory("pg_stat"));
}

// The old place may hold a living cluster's files: two servers would write into them.
TEST_F(RestoreContentTest, RefusesALinkInThePlaceOfData) {
  AddLink("/base/6", "/disk2/6");
  EXPECT_THAT(StoreAndFetch(), ::testing::AllOf(HasCode(Code::kCorruption), MessageHas("'base/6' is a symbolic link to '/disk2/6'")));
  EXPECT_FALSE(Startable());
}

TEST_F(RestoreContentTest, TellsOfAConfigurationThatLeadsElsewhere) {
  AddPart({.name = "/postgresql.conf", .body = "data_directory = '/old/place'\n", .link = ""});
  ASSERT_OK(StoreAndFetch().status());
  EXPECT_TRUE(ctx_.log().Has("sets data_directory to '/old/place'", LogLevel::kWarning));
}

TEST_F(RestoreContentTest, TellsOfAConfigurationThatIsNotThere) {
  ASSERT_OK(StoreAndFetch().status());
  EXPECT_TRUE(ctx_.log().Has("holds no postgresql.conf"));
}

TEST_F(RestoreContentTest, SaysNothingOfAConfigurationOfTheRestoredPlace) {
  AddPart({.name = "/postgresql.conf", .body = "data_directory = '" + dir_.File("out/data") + "'\n", .link = ""});
  ASSERT_OK(StoreAndFetch().status());
  EXPECT_FALSE(ctx_.log().Has("postgresql.conf"));
}

}  // namespace
}  // namespace walrig
