#include "core/base/lazy_library.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/support/memory_limit.h"
#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;

TEST(LazyLibraryTest, CallsAFunctionOfALibraryThatIsThere) {
  LazyLibrary library({"libm.so.6", "libc6", ""});
  double (*cosine)(double) = nullptr;
  ASSERT_OK(library.Bind(cosine, "cos"));
  EXPECT_EQ(cosine(0.0), 1.0);
}

TEST(LazyLibraryTest, MissingLibraryNamesItsPackageAndPurpose) {
  LazyLibrary library({"libnonexistent.so.99", "libnonexistent99", "to do the impossible"});
  Status status = library.Load();
  EXPECT_THAT(status, HasCode(Code::kNotSupported));
  EXPECT_THAT(status, MessageHas("cannot load libnonexistent.so.99, needed to do the impossible"));
  EXPECT_EQ(status.hint(), "install the package libnonexistent99");
  void (*function)() = nullptr;
  EXPECT_THAT(library.Bind(function, "f"), HasCode(Code::kNotSupported));
  EXPECT_EQ(function, nullptr);
}

TEST(LazyLibraryTest, LibraryForWhichThereIsNoMemoryIsNotCalledMissing) {
  if (!testing::kLimitsWork) GTEST_SKIP() << "RLIMIT_AS does not go with a sanitizer";
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    testing::LimitMemory(200 * 1024);  // it takes more than a megabyte
    LazyLibrary library({"libsqlite3.so.0", "libsqlite3-0", ""});
    const Status status = library.Load();
    ::_exit(!status.ok() && status.hint().ends_with(kOutOfMemoryHint) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
}

TEST(LazyLibraryTest, MissingSymbolIsNamed) {
  LazyLibrary library({"libm.so.6", "libc6", ""});
  Result<void*> address = library.Address("walrig_has_no_such_symbol");
  EXPECT_THAT(address, HasCode(Code::kNotSupported));
  EXPECT_THAT(address, MessageHas("libm.so.6 has no walrig_has_no_such_symbol"));
}

}  // namespace
}  // namespace walrig
