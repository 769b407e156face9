#include "core/base/stop.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

bool Readable(int fd) {
  pollfd poll_fd = {fd, POLLIN, 0};
  return ::poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLIN) != 0;
}

TEST(StopSourceTest, TokensSeeARequestAndTheirDescriptorStaysReadable) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StopSource> source, StopSource::New());
  StopToken token = source->token();
  EXPECT_FALSE(token.requested());
  EXPECT_FALSE(Readable(token.fd()));
  EXPECT_OK(token.Poll());

  source->RequestStop();
  EXPECT_TRUE(token.requested());
  EXPECT_TRUE(source->requested());
  EXPECT_TRUE(Readable(token.fd()));
  EXPECT_TRUE(Readable(token.fd()));
  EXPECT_THAT(token.Poll(), test::HasCode(Code::kCancelled));
}

TEST(StopSourceTest, SecondRequestChangesNothing) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StopSource> source, StopSource::New());
  source->RequestStop();
  source->RequestStop();
  EXPECT_TRUE(Readable(source->token().fd()));
}

TEST(StopTokenTest, DefaultTokenIsNeverSet) {
  StopToken token;
  EXPECT_FALSE(token.requested());
  EXPECT_EQ(token.fd(), -1);
}

}  // namespace
}  // namespace walrig
