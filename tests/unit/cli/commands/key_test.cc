#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "cli/run.h"
#include "core/base/json.h"
#include "tests/support/temp_dir.h"

namespace walrig {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Answer {
  ExitCode code = ExitCode::kOk;
  std::string out, err;
  bool dumpable = true;
};

// In a process of its own: a plugin that was shut down does not come back.
Answer Call(const std::vector<std::string>& words) {
  const test::TempDir dir;
  const std::string out_path = dir.File("out"), err_path = dir.File("err");
  const pid_t child = ::fork();
  if (child == 0) {
    const char* const environment[] = {"WALRIG_PLUGIN_DIR=" WALRIG_TEST_PLUGINDIR, "WALRIG_PLUGIN_TRUST=any", nullptr};
    std::FILE* const out = std::fopen(out_path.c_str(), "w");
    if (out == nullptr || std::freopen(err_path.c_str(), "w", stderr) == nullptr) ::_exit(99);
    (void)::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    const ExitCode code = Run({.words = words, .environment = environment, .out = out, .stop = {}});
    std::fclose(out);
    std::fflush(stderr);
    const bool dumpable = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
    ::_exit(static_cast<int>(code) + (dumpable ? 100 : 0));
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  const int code = WEXITSTATUS(status);
  return {.code = static_cast<ExitCode>(code % 100), .out = dir.Read("out"), .err = dir.Read("err"), .dumpable = code >= 100};
}

class KeyCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Answer made = Call({"key", "new", ring_});
    ASSERT_EQ(made.code, ExitCode::kOk) << made.err;
  }
  size_t Keys() { return Json::parse(Call({"key", "list", ring_, "--json"}).out).size(); }
  static struct stat Info(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info;
  }

  test::TempDir dir_;
  const std::string ring_ = dir_.File("ring");
};

TEST_F(KeyCommandTest, ANewRingIsForItsOwnerAloneAndIsNotShown) {
  EXPECT_EQ(Info(ring_).st_mode & 07777, 0600u);
  const std::string text = dir_.Read("ring");
  const size_t end = text.find('\n', text.find("key symmetric"));
  const std::string material = text.substr(end - 44, 44);
  for (const Answer& answer : {Call({"key", "list", ring_}), Call({"key", "list", ring_, "--json"}), Call({"key", "rotate", ring_})}) {
    EXPECT_EQ(answer.code, ExitCode::kOk) << answer.err;
    EXPECT_THAT(answer.out + answer.err, Not(HasSubstr(material)));
  }
  EXPECT_THAT(dir_.Read("ring"), HasSubstr(material)) << "an old key stays";
}

TEST_F(KeyCommandTest, RotateAddsOneKeyAndWritesWithIt) {
  ASSERT_EQ(Call({"key", "rotate", ring_}).code, ExitCode::kOk);
  const Json keys = Json::parse(Call({"key", "list", ring_, "--json"}).out);
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_FALSE(keys[0]["writes"]);
  EXPECT_TRUE(keys[1]["writes"]);
  EXPECT_EQ(dir_.Names(), std::set<std::string>{"ring"}) << "nothing is left beside it";
}

// Else PostgreSQL's user could not read it any more once root has rotated.
TEST_F(KeyCommandTest, RotateKeepsOwnerAndMode) {
  ASSERT_EQ(::chmod(ring_.c_str(), 0640), 0);
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::chown(ring_.c_str(), 1234, 4321), 0);
  }
  const struct stat before = Info(ring_);
  ASSERT_EQ(Call({"key", "rotate", ring_}).code, ExitCode::kOk);
  EXPECT_EQ(Keys(), 2u);
  EXPECT_EQ(Info(ring_).st_mode & 07777, 0640u);
  EXPECT_EQ(Info(ring_).st_uid, before.st_uid);
  EXPECT_EQ(Info(ring_).st_gid, before.st_gid);
}

TEST_F(KeyCommandTest, RotateFollowsALinkAndLeavesIt) {
  const std::string link = dir_.File("link");
  ASSERT_EQ(::symlink("ring", link.c_str()), 0);
  ASSERT_EQ(Call({"key", "rotate", link}).code, ExitCode::kOk);
  struct stat info {};
  ASSERT_EQ(::lstat(link.c_str(), &info), 0);
  EXPECT_TRUE(S_ISLNK(info.st_mode));
  EXPECT_EQ(Keys(), 2u);
}

TEST_F(KeyCommandTest, LeavesARingThatItCannotReadAsItIs) {
  dir_.Write("ring", "walrig-key-ring 1\nkey symmetric 0000000000000000 - AAAA\n");
  const Answer answer = Call({"key", "rotate", ring_});
  EXPECT_EQ(answer.code, ExitCode::kError);
  EXPECT_THAT(answer.err, Not(HasSubstr("AAAA")));
  EXPECT_EQ(dir_.Read("ring"), "walrig-key-ring 1\nkey symmetric 0000000000000000 - AAAA\n");
  EXPECT_EQ(Call({"key", "rotate", dir_.File("none")}).code, ExitCode::kError);
  EXPECT_FALSE(dir_.Exists("none"));
}

TEST_F(KeyCommandTest, TheProcessThatHoldsARingCannotBeDumped) {
  EXPECT_FALSE(Call({"key", "list", ring_}).dumpable);
  EXPECT_FALSE(Call({"key", "rotate", ring_}).dumpable);
  EXPECT_TRUE(Call({"--version"}).dumpable);
}

}  // namespace
}  // namespace walrig
