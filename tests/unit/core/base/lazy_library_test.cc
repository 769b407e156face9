#include "core/base/lazy_library.h"

#include <gtest/gtest.h>

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

TEST(LazyLibraryTest, MissingSymbolIsNamed) {
  LazyLibrary library({"libm.so.6", "libc6", ""});
  Result<void*> address = library.Address("walrig_has_no_such_symbol");
  EXPECT_THAT(address, HasCode(Code::kNotSupported));
  EXPECT_THAT(address, MessageHas("libm.so.6 has no walrig_has_no_such_symbol"));
}

}  // namespace
}  // namespace walrig
