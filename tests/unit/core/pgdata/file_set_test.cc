#include "core/pgdata/file_set.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <string>

#include "core/base/fd.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::HasCode;
using test::TempDir;
using test::TestContext;

class FileSetTest : public ::testing::Test {
 protected:
  FileSetTest() { data_.Write("global/pg_control", "control"); }

  std::map<std::string, FileEntry> Walk() {
    Result<FileSet> walked = WalkDataDirectory(test_, data_.path(), "PG_15_202209061");
    EXPECT_OK(walked);
    std::map<std::string, FileEntry> by_name;
    if (!walked.ok()) return by_name;
    set_ = *std::move(walked);
    for (size_t i = 0; i < set_.size(); ++i) {
      EXPECT_TRUE(by_name.emplace(set_.MemberName(set_.entry(i)), set_.entry(i)).second)
          << "twice: " << set_.MemberName(set_.entry(i));
    }
    return by_name;
  }
  void Link(const std::string& target, const std::string& name) {
    ASSERT_EQ(symlink(target.c_str(), data_.File(name).c_str()), 0);
  }

  TestContext test_;
  TempDir data_, outside_;
  FileSet set_;
};

TEST_F(FileSetTest, NamesMembersFromTheRootWithALeadingSlash) {
  data_.Write("base/5/1259", std::string(8192, 'x'));
  data_.Write("PG_VERSION", "15\n");
  const auto files = Walk();
  ASSERT_TRUE(files.contains("/"));
  EXPECT_EQ(files.at("/").kind, FileKind::kDirectory);
  EXPECT_EQ(files.at("/base/5").kind, FileKind::kDirectory);
  ASSERT_TRUE(files.contains("/base/5/1259"));
  EXPECT_EQ(files.at("/base/5/1259").size_bytes, 8192u);
  EXPECT_TRUE(files.at("/base/5/1259").paged);
  EXPECT_FALSE(files.at("/PG_VERSION").paged);
  EXPECT_EQ(set_.Path(files.at("/base/5/1259")), data_.File("base/5/1259"));
  EXPECT_EQ(set_.payload_bytes(), 8195u);
  EXPECT_EQ(set_.files(), 2u);
}

TEST_F(FileSetTest, KeepsPgControlApart) {
  const auto files = Walk();
  EXPECT_FALSE(files.contains("/global/pg_control"));
  ASSERT_TRUE(set_.control().has_value());
  EXPECT_EQ(set_.MemberName(*set_.control()), "/global/pg_control");
}

TEST_F(FileSetTest, LeavesOutExcludedFilesAndTheContentOfExcludedDirectoriesAtAnyDepth) {
  data_.Write("postmaster.pid", "1");
  data_.Write("pg_wal/000000010000000000000001", "wal");
  data_.Write("base/5/pgsql_tmp/t1", "temp");
  data_.Write("extension/log", "a file named log");
  const auto files = Walk();
  EXPECT_FALSE(files.contains("/postmaster.pid"));
  EXPECT_FALSE(files.contains("/extension/log"));
  EXPECT_TRUE(files.contains("/pg_wal"));
  EXPECT_FALSE(files.contains("/pg_wal/000000010000000000000001"));
  EXPECT_TRUE(files.contains("/base/5/pgsql_tmp"));
  EXPECT_FALSE(files.contains("/base/5/pgsql_tmp/t1"));
}

TEST_F(FileSetTest, MakesADirectoryOfALinkThatReplacesPgWal) {
  outside_.Write("000000010000000000000001", "wal");
  Link(outside_.path(), "pg_wal");
  const auto files = Walk();
  ASSERT_TRUE(files.contains("/pg_wal"));
  EXPECT_EQ(files.at("/pg_wal").kind, FileKind::kDirectory);
  EXPECT_FALSE(files.contains("/pg_wal/000000010000000000000001"));
}

TEST_F(FileSetTest, FollowsTablespacesAndRewritesTheirPaths) {
  outside_.Write("PG_15_202209061/5/16400", std::string(8192, 'x'));
  data_.Mkdir("pg_tblspc");
  Link(outside_.path(), "pg_tblspc/16387");
  const auto files = Walk();
  EXPECT_TRUE(files.contains("/pg_tblspc"));
  EXPECT_FALSE(files.contains("/pg_tblspc/16387"));
  ASSERT_TRUE(files.contains("/pg_tblspc/16387/PG_15_202209061"));
  ASSERT_TRUE(files.contains("/pg_tblspc/16387/PG_15_202209061/5/16400"));
  EXPECT_TRUE(files.at("/pg_tblspc/16387/PG_15_202209061/5/16400").paged);
  ASSERT_EQ(set_.tablespaces().tablespaces().size(), 1u);
  EXPECT_EQ(set_.tablespaces().tablespaces()[0].location, outside_.path());
  EXPECT_EQ(set_.tablespaces().base_prefix(), data_.path());
}

TEST_F(FileSetTest, TakesOfATablespaceOnlyWhatIsThisServers) {
  outside_.Write("PG_15_202209061/5/16400", std::string(8192, 'x'));
  outside_.Write("PG_14_202107181/5/16400", std::string(8192, 'y'));
  outside_.Write("notes.txt", "a person's");
  outside_.Mkdir("lost+found");
  ASSERT_EQ(chmod(outside_.File("lost+found").c_str(), 0), 0);
  ASSERT_EQ(symlink("/etc", outside_.File("link").c_str()), 0);
  data_.Mkdir("pg_tblspc");
  Link(outside_.path(), "pg_tblspc/16387");
  const auto files = Walk();
  EXPECT_TRUE(files.contains("/pg_tblspc/16387/PG_15_202209061/5/16400"));
  for (const char* name : {"PG_14_202107181", "PG_14_202107181/5/16400", "notes.txt", "lost+found", "link"})
    EXPECT_FALSE(files.contains(std::string("/pg_tblspc/16387/") + name)) << name;
  EXPECT_EQ(set_.payload_bytes(), 8192u);
  EXPECT_TRUE(test_.log().Has("PG_14_202107181 is not this server's"));
}

TEST_F(FileSetTest, LeavesOutTheFileSystemsOwnFolderOfTheDataDirectory) {
  data_.Mkdir("lost+found");
  data_.Write("base/lost+found/x", "somebody's");
  const auto files = Walk();
  EXPECT_FALSE(files.contains("/lost+found"));
  EXPECT_TRUE(files.contains("/base/lost+found/x")) << "only where a file system has its root";
}

TEST_F(FileSetTest, RefusesATablespaceWithoutTheServersDirectory) {
  outside_.Mkdir("lost+found");
  data_.Mkdir("pg_tblspc");
  Link(outside_.path(), "pg_tblspc/16387");
  EXPECT_THAT(WalkDataDirectory(test_, data_.path(), "PG_15_202209061"), test::MessageHas("holds no PG_15_202209061"));
}

TEST_F(FileSetTest, StoresATablespaceInsideTheDataDirectoryOnce) {
  data_.Write("space/PG_15_202209061/5/16400", "x");
  data_.Mkdir("pg_tblspc");
  Link(data_.File("space"), "pg_tblspc/16387");
  const auto files = Walk();
  EXPECT_TRUE(files.contains("/space"));
  EXPECT_FALSE(files.contains("/space/PG_15_202209061"));
  EXPECT_TRUE(files.contains("/pg_tblspc/16387/PG_15_202209061/5/16400"));
}

TEST_F(FileSetTest, RefusesATablespaceLinkThatLeadsNowhere) {
  data_.Mkdir("pg_tblspc");
  Link(outside_.File("gone"), "pg_tblspc/16387");
  EXPECT_THAT(WalkDataDirectory(test_, data_.path(), "PG_15_202209061"), HasCode(Code::kInvalidArgument));
}

TEST_F(FileSetTest, KeepsOtherLinksWithTheirRealTarget) {
  Link("/nowhere/server.crt", "server.crt");
  Link(outside_.path(), "scripts");
  const auto files = Walk();
  ASSERT_TRUE(files.contains("/server.crt"));
  EXPECT_EQ(files.at("/server.crt").kind, FileKind::kSymlink);
  EXPECT_EQ(set_.LinkTarget(files.at("/server.crt")), "/nowhere/server.crt");
  EXPECT_EQ(files.at("/scripts").kind, FileKind::kSymlink);
  EXPECT_TRUE(test_.log().Has("server.crt is a symbolic link", LogLevel::kWarning));
}

TEST_F(FileSetTest, StoresTheFileThatALinkLeadsTo) {
  outside_.Write("real.conf", "port = 5\n");
  Link(outside_.File("real.conf"), "postgresql.conf");
  Link("postgresql.conf", "second.conf");
  const auto files = Walk();
  for (const char* name : {"/postgresql.conf", "/second.conf"}) {
    ASSERT_TRUE(files.contains(name));
    EXPECT_EQ(files.at(name).kind, FileKind::kFile);
    EXPECT_EQ(files.at(name).size_bytes, 9u);
    EXPECT_EQ(set_.Path(files.at(name)), outside_.File("real.conf"));
    EXPECT_EQ(set_.LinkTarget(files.at(name)), "");
  }
}

TEST_F(FileSetTest, FollowsLinksInThePlaceOfTheServersData) {
  outside_.Write("db/1259", std::string(8192, 'x'));
  outside_.Write("xact/0000", "x");
  data_.Mkdir("base");
  Link(outside_.File("db"), "base/5");
  Link(outside_.File("xact"), "pg_xact");
  const auto files = Walk();
  EXPECT_EQ(files.at("/base/5").kind, FileKind::kDirectory);
  ASSERT_TRUE(files.contains("/base/5/1259"));
  EXPECT_TRUE(files.at("/base/5/1259").paged);
  EXPECT_EQ(set_.Path(files.at("/base/5/1259")), outside_.File("db/1259"));
  EXPECT_TRUE(files.contains("/pg_xact/0000"));
}

TEST_F(FileSetTest, FollowsALinkInThePlaceOfPgTblspcAndTheTablespacesInIt) {
  outside_.Write("ts/PG_15_202209061/5/16400", "x");
  outside_.Mkdir("links");
  ASSERT_EQ(symlink(outside_.File("ts").c_str(), outside_.File("links/16387").c_str()), 0);
  Link(outside_.File("links"), "pg_tblspc");
  const auto files = Walk();
  EXPECT_TRUE(files.contains("/pg_tblspc/16387/PG_15_202209061/5/16400"));
  EXPECT_FALSE(files.contains("/pg_tblspc/16387"));
  ASSERT_NE(set_.tablespaces().Find("16387"), nullptr);
}

TEST_F(FileSetTest, ResolvesARelativeTablespaceLink) {
  data_.Mkdir("pg_tblspc");
  outside_.Write("PG_15_202209061/5/16400", "x");
  Link(std::filesystem::relative(outside_.path(), data_.File("pg_tblspc")).string(), "pg_tblspc/16387");
  EXPECT_TRUE(Walk().contains("/pg_tblspc/16387/PG_15_202209061/5/16400"));
  ASSERT_EQ(set_.tablespaces().tablespaces().size(), 1u);
  EXPECT_EQ(set_.tablespaces().tablespaces()[0].location, std::filesystem::canonical(outside_.path()).string());
}

TEST_F(FileSetTest, RefusesDataBehindALinkThatCannotBeFollowed) {
  data_.Mkdir("base");
  Link(outside_.File("gone"), "base/5");
  EXPECT_THAT(WalkDataDirectory(test_, data_.path(), "PG_15_202209061"), HasCode(Code::kInvalidArgument));
}

TEST_F(FileSetTest, RefusesALinkThatLeadsBack) {
  data_.Mkdir("base");
  Link("..", "base/5");
  EXPECT_THAT(WalkDataDirectory(test_, data_.path(), "PG_15_202209061"), HasCode(Code::kInvalidArgument));
  std::filesystem::remove(data_.File("base/5"));
  Link(data_.File("base"), "base/5");
  EXPECT_THAT(WalkDataDirectory(test_, data_.path(), "PG_15_202209061"), HasCode(Code::kInvalidArgument));
}

TEST_F(FileSetTest, AsRootFollowsOnlyWhatIsTheOwnersOfTheDataDirectory) {
  if (geteuid() != 0) GTEST_SKIP() << "root alone reads what the owner of the data directory may not";
  const std::string secret = outside_.Write("secret", "root's");
  ASSERT_EQ(chown(data_.path().c_str(), 65534, 65534), 0);
  Link(secret, "mine.conf");
  EXPECT_EQ(Walk().at("/mine.conf").kind, FileKind::kSymlink);
  ASSERT_EQ(chown(secret.c_str(), 65534, 65534), 0);
  EXPECT_EQ(Walk().at("/mine.conf").kind, FileKind::kFile);
  ASSERT_EQ(chown(secret.c_str(), 0, 0), 0);
  data_.Mkdir("base");
  Link(outside_.path(), "base/5");
  EXPECT_THAT(WalkDataDirectory(test_, data_.path(), "PG_15_202209061"), HasCode(Code::kInvalidArgument));
}

TEST_F(FileSetTest, LeavesOutFifosAndSocketsAloud) {
  ASSERT_EQ(mkfifo(data_.File("pipe").c_str(), 0600), 0);
  Fd listener(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, data_.File("sock").c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const auto files = Walk();
  EXPECT_FALSE(files.contains("/pipe"));
  EXPECT_FALSE(files.contains("/sock"));
  EXPECT_TRUE(test_.log().Has("pipe is a socket, fifo or device", LogLevel::kWarning));
}

TEST_F(FileSetTest, KeepsOddNamesModesAndNanoseconds) {
  const std::string odd = "a b\t\n\"\\\xC3\xA9";
  data_.Write(odd, "x");
  ASSERT_EQ(chmod(data_.File(odd).c_str(), 04751), 0);
  const timespec times[2] = {{1700000000, 123456789}, {1700000000, 123456789}};
  ASSERT_EQ(utimensat(AT_FDCWD, data_.File(odd).c_str(), times, 0), 0);
  const auto files = Walk();
  ASSERT_TRUE(files.contains("/" + odd));
  EXPECT_EQ(files.at("/" + odd).mode, 04751);
  EXPECT_EQ(files.at("/" + odd).mtime_ns, 1700000000123456789);
}

TEST_F(FileSetTest, KeepsAFileEntrySmall) { EXPECT_LE(sizeof(FileEntry), 64u); }

}  // namespace
}  // namespace walrig
