#include "core/plugin/package_owner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/test_context.h"

namespace walrig {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

TEST(PackageOwnerTest, ReadsEveryFormThatDpkgPrints) {
  EXPECT_THAT(ParseDpkgSearch("walrig-plugin-s3: /usr/lib/a.so\n"
                              "libc6:amd64: /usr/lib/b.so\n"
                              "one, two: /usr/lib/c\n"
                              "diversion by three from: /usr/lib/d\n"
                              "no path\n\n"),
              UnorderedElementsAre(Pair("/usr/lib/a.so", "walrig-plugin-s3"), Pair("/usr/lib/b.so", "libc6:amd64"),
                                   Pair("/usr/lib/c", "one")));
  EXPECT_THAT(ParseDpkgSearch(""), IsEmpty());
}

TEST(PackageOwnerTest, NamesPackageAndVersionOfAnInstalledFileAndLeavesOthersOut) {
  if (access("/usr/bin/dpkg-query", X_OK) != 0) GTEST_SKIP() << "no dpkg";
  test::TestContext context;
  context.UseRealClock();
  EXPECT_THAT(PackagesOf(context, {"/usr/bin/dpkg-query", "/usr/lib/nobody's.so", "/tmp/x.so"}),
              UnorderedElementsAre(Pair("/usr/bin/dpkg-query", StartsWith("dpkg 1."))));
  EXPECT_THAT(PackagesOf(context, {"/tmp/x.so"}), IsEmpty());
}

}  // namespace
}  // namespace walrig
