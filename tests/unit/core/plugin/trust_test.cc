#include "core/plugin/trust.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/plugin/search_path.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOk;
using test::MessageHas;
using ::testing::AllOf;

// Everything from the temporary directory up counts as trusted, since it lies below a sticky /tmp.
class TrustTest : public ::testing::Test {
 protected:
  TrustTest() {
    policy_.level = TrustLevel::kUser;
    policy_.euid = geteuid();
    policy_.trusted_root = dir_.path();
    file_ = dir_.Write("lib/plugins/storage-x.so", "x");
    for (const char* name : {"lib", "lib/plugins"}) EXPECT_EQ(chmod(dir_.File(name).c_str(), 0755), 0);
    EXPECT_EQ(chmod(file_.c_str(), 0644), 0);
  }
  test::TempDir dir_;
  TrustPolicy policy_;
  std::string file_;
};

TEST_F(TrustTest, OwnFileThatNobodyElseMayWritePasses) {
  EXPECT_THAT(CheckTrustedFile(file_, policy_).status, IsOk());
  EXPECT_THAT(CheckTrustedDir(dir_.File("lib/plugins"), policy_).status, IsOk());
}

TEST_F(TrustTest, WritableByOthersIsRefusedWithPathModeAndFix) {
  ASSERT_EQ(chmod(file_.c_str(), 0666), 0);
  const TrustVerdict verdict = CheckTrustedFile(file_, policy_);
  EXPECT_EQ(verdict.problem, TrustProblem::kBadMode);
  EXPECT_THAT(verdict.status, AllOf(HasCode(Code::kPermission), MessageHas(file_), MessageHas("0666"),
                                    MessageHas("chmod go-w"), MessageHas("WALRIG_PLUGIN_TRUST=any")));
}

TEST_F(TrustTest, GroupWritableParentIsRefused) {
  ASSERT_EQ(chmod(dir_.File("lib").c_str(), 0775), 0);
  const TrustVerdict verdict = CheckTrustedFile(file_, policy_);
  EXPECT_EQ(verdict.problem, TrustProblem::kBadParent);
  EXPECT_THAT(verdict.status, AllOf(MessageHas(dir_.File("lib")), MessageHas("its group")));
  const struct group* group = getgrgid(getegid());
  ASSERT_NE(group, nullptr);
  EXPECT_THAT(verdict.status, MessageHas(std::string("WALRIG_PLUGIN_ALLOW_GROUP=") + group->gr_name));
  policy_.allow_group = group->gr_name;
  EXPECT_THAT(CheckTrustedFile(file_, policy_).status, IsOk());
  policy_.allow_group = "no-such-group";
  EXPECT_EQ(CheckTrustedFile(file_, policy_).problem, TrustProblem::kBadParent);
}

TEST_F(TrustTest, StickyDirectoryDoesNotPass) {
  ASSERT_EQ(chmod(dir_.File("lib").c_str(), 01777), 0);
  EXPECT_EQ(CheckTrustedFile(file_, policy_).problem, TrustProblem::kBadParent);
  policy_.trusted_root = "/";
  ASSERT_EQ(chmod(dir_.File("lib").c_str(), 0755), 0);
  EXPECT_EQ(CheckTrustedFile(file_, policy_).problem, TrustProblem::kBadParent);
}

TEST_F(TrustTest, ForeignOwnerIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
  ASSERT_EQ(chown(file_.c_str(), 4242, 0), 0);
  EXPECT_EQ(CheckTrustedFile(file_, policy_).problem, TrustProblem::kBadOwner);
  policy_.euid = 4242;
  EXPECT_THAT(CheckTrustedFile(file_, policy_).status, IsOk());
  policy_.level = TrustLevel::kSystem;
  EXPECT_EQ(CheckTrustedFile(file_, policy_).problem, TrustProblem::kBadOwner);
  policy_.level = TrustLevel::kAny;
  EXPECT_THAT(CheckTrustedFile(file_, policy_).status, IsOk());
}

TEST_F(TrustTest, LinkFromAnUnsafeDirectoryIsRefusedThoughItsTargetIsSafe) {
  const std::string open_dir = dir_.Mkdir("open");
  const std::string link = open_dir + "/storage-y.so";
  ASSERT_EQ(symlink(file_.c_str(), link.c_str()), 0);
  ASSERT_EQ(chmod(open_dir.c_str(), 0755), 0);
  EXPECT_THAT(CheckTrustedFile(link, policy_).status, IsOk());
  EXPECT_EQ(CheckTrustedFile(link, policy_).resolved, file_);
  ASSERT_EQ(chmod(open_dir.c_str(), 0777), 0);
  EXPECT_EQ(CheckTrustedFile(link, policy_).problem, TrustProblem::kBadParent);
}

TEST_F(TrustTest, MissingAndIrregularFilesAreToldApart) {
  EXPECT_EQ(CheckTrustedFile(dir_.File("none.so"), policy_).problem, TrustProblem::kMissing);
  EXPECT_EQ(CheckTrustedFile(dir_.File("lib"), policy_).problem, TrustProblem::kNotRegular);
  EXPECT_EQ(CheckTrustedFile("relative.so", policy_).problem, TrustProblem::kMissing);
}

TEST(SearchPathTest, EnvironmentAndHomeDoNotCountForRootUnlessTrustIsAny) {
  SearchOptions options;
  options.plugin_dirs = {"/a/../given/"};
  options.plugin_path = "/env1:/env2";
  options.data_home = "/home/x/.local/share";
  options.executable = "/opt/walrig/bin/walrig";
  options.trust = {.level = TrustLevel::kUser, .euid = 1000, .allow_group = "", .trusted_root = "/"};
  const auto paths = [&] {
    std::vector<std::string> list;
    for (const SearchDir& dir : SearchPath(options)) list.push_back(dir.path);
    return list;
  };
  const std::vector<std::string> all = paths();
  ASSERT_GE(all.size(), 6u);
  EXPECT_EQ(all[0], "/given");
  EXPECT_EQ(all[1], "/env1");
  EXPECT_EQ(all[3], "/home/x/.local/share/walrig/plugins-1");
  EXPECT_EQ(all[4], "/usr/local/lib/walrig/plugins-1");
  EXPECT_EQ(all[5].substr(0, 15), "/opt/walrig/lib");
  options.trust.euid = 0;
  options.trust.level = TrustLevel::kSystem;
  EXPECT_EQ(paths(), (std::vector<std::string>{"/given", all[4], all[5]}));
  options.plugin_path_from_environment = false;
  EXPECT_EQ(paths()[1], "/env1");
  options.trust.level = TrustLevel::kAny;
  EXPECT_EQ(paths(), all);
}

}  // namespace
}  // namespace walrig
