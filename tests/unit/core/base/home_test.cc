#include "core/base/home.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

namespace walrig {
namespace {

TEST(HomeTest, IsTheDatabasesWhateverTheEnvironmentSays) {
  const passwd* entry = ::getpwuid(::getuid());
  const std::string expected = entry == nullptr ? "" : entry->pw_dir;
  const char* before = std::getenv("HOME");
  const std::string saved = before == nullptr ? "" : before;
  ASSERT_EQ(::setenv("HOME", "/somewhere/else", 1), 0);
  EXPECT_EQ(HomeByPasswordDatabase(), expected);
  if (before == nullptr) {
    ::unsetenv("HOME");
  } else {
    ::setenv("HOME", saved.c_str(), 1);
  }
}

}  // namespace
}  // namespace walrig
