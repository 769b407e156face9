#include "core/base/errno_status.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;

TEST(ErrnoStatusTest, NamesWhatFailedAndWhyInLowerCase) {
  Status status = ErrnoStatus(EACCES, "open /x");
  EXPECT_EQ(status.message(), "open /x: permission denied");
  EXPECT_EQ(status.detail().os_errno, EACCES);
  EXPECT_FALSE(status.retryable());
}

TEST(ErrnoStatusTest, MapsEachErrorToWhatTheCallerShallDo) {
  EXPECT_THAT(ErrnoStatus(ENOENT, "x"), HasCode(Code::kNotFound));
  EXPECT_THAT(ErrnoStatus(EPERM, "x"), HasCode(Code::kPermission));
  EXPECT_THAT(ErrnoStatus(ENOSPC, "x"), HasCode(Code::kNoSpace));
  EXPECT_THAT(ErrnoStatus(EDQUOT, "x"), HasCode(Code::kNoSpace));
  EXPECT_THAT(ErrnoStatus(EFBIG, "x"), HasCode(Code::kTooLarge));
  EXPECT_THAT(ErrnoStatus(EEXIST, "x"), HasCode(Code::kAlreadyExists));
  EXPECT_THAT(ErrnoStatus(EROFS, "x"), HasCode(Code::kReadOnly));
  EXPECT_THAT(ErrnoStatus(ENAMETOOLONG, "x"), HasCode(Code::kNameInvalid));
  EXPECT_THAT(ErrnoStatus(EIO, "x"), HasCode(Code::kIoError));
}

TEST(ErrnoStatusTest, NoMemoryHasTheWordsAndTheHintOfEverythingThatGetsNone) {
  const Status status = ErrnoStatus(ENOMEM, "open x");
  EXPECT_THAT(status, HasCode(Code::kNoMemory));
  EXPECT_EQ(status.message(), "open x: out of memory");
  EXPECT_EQ(status.hint(), kOutOfMemoryHint);
}

TEST(ErrnoStatusTest, OnlyTransientErrorsMayBeRetried) {
  for (int err : {EAGAIN, ETIMEDOUT, ECONNRESET, EMFILE}) EXPECT_TRUE(ErrnoStatus(err, "x").retryable()) << err;
  for (int err : {EIO, ENOSPC, ENOENT, EACCES, EROFS}) EXPECT_FALSE(ErrnoStatus(err, "x").retryable()) << err;
}

TEST(ErrnoStatusTest, UnknownNumberIsStillAnIoErrorWithItsNumber) {
  Status status = ErrnoStatus(98765, "x");
  EXPECT_THAT(status, HasCode(Code::kIoError));
  EXPECT_EQ(status.message(), "x: system error 98765");
}

TEST(StatusTest, HintsAddUpTheInnermostFirst) {
  const Status status = NoSpace("full").Hint("free space").With("storing x").Hint("or take a smaller part").Hint("");
  EXPECT_EQ(status.hint(), "free space; or take a smaller part");
  EXPECT_EQ(status.ToString(), "storing x: full; hint: free space; or take a smaller part");
}

TEST(StatusTest, SaysNoHintTwice) {
  EXPECT_EQ(NoSpace("full").Hint("free space on the disk").Hint("free space").hint(), "free space on the disk");
  EXPECT_EQ(OkStatus().Hint("nothing").hint(), "");
}

TEST(ErrnoStatusTest, SaysWhichLimitAFileMet) { EXPECT_NE(ErrnoStatus(EFBIG, "x").hint().find("ulimit -f"), std::string_view::npos); }

TEST(ErrnoStatusTest, ZeroIsOurBugAndNeverOk) { EXPECT_THAT(ErrnoStatus(0, "x"), HasCode(Code::kInternal)); }

}  // namespace
}  // namespace walrig
