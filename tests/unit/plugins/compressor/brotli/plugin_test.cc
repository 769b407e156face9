#include <gtest/gtest.h>

#include "tests/support/no_memory.h"
#include "tests/support/transform_checks.h"

namespace walrig::testing {
namespace {

class BrotliPluginTest : public ::testing::Test {
 protected:
  AbiPlugin plugin_{"compressor-brotli", "brotli"};
  std::string Packed(const std::string& plain) { return plugin_.Transform(WALRIG_ENCODE, plain).bytes; }
};

TEST_F(BrotliPluginTest, SaysWhatItIs) {
  EXPECT_STREQ(plugin_.factory().extensions[0], "br");
  EXPECT_FALSE(plugin_.factory().caps & WALRIG_CAP_TF_CONCATENABLE);
}
TEST_F(BrotliPluginTest, RoundTripsThroughBuffersOfAnySize) { CheckRoundTrips(plugin_); }
TEST_F(BrotliPluginTest, SeesEveryTruncation) { CheckEveryTruncation(plugin_, Packed(Mixed(900, 1))); }
TEST_F(BrotliPluginTest, ComesToAnEndWhateverBitIsFlipped) { CheckFlipsEnd(plugin_, Packed(Mixed(500, 1))); }
TEST_F(BrotliPluginTest, RefusesBytesAfterTheEnd) { CheckRefusesRubbishAfterEnd(plugin_, Packed("some text")); }
TEST_F(BrotliPluginTest, BeginsAnewAfterReset) { CheckReset(plugin_, Packed(Mixed(3000, 5)), Mixed(3000, 5)); }
TEST_F(BrotliPluginTest, FlushedBytesCanBeDecoded) { CheckFlushIsDecodable(plugin_); }

// libbrotlienc calls exit() where an allocation fails.
TEST(BrotliMemoryTest, SaysThatThereIsNoMemoryAtEveryLevel) {
  for (const char* level : {"3", "11"}) {
    SCOPED_TRACE(level);
    const AbiPlugin plugin("compressor-brotli", "brotli", {{"level", level}});
    CheckSaysThatThereIsNoMemory(plugin, WALRIG_ENCODE, Mixed(500'000, 3));
  }
}
TEST_F(BrotliPluginTest, SaysThatThereIsNoMemoryToDecode) {
  CheckSaysThatThereIsNoMemory(plugin_, WALRIG_DECODE, Packed(Mixed(1'500'000, 3)));
}
TEST_F(BrotliPluginTest, WorksAgainAfterItHadNoMemoryInTheMiddle) {
  if (!kLimitsWork) GTEST_SKIP() << "RLIMIT_AS does not go with a sanitizer";
  const std::string plain = Mixed(3'000'000, 4);
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    void* stream = nullptr;
    walrig_error error = AbiPlugin::NewError();
    if (plugin_.transform().open(plugin_.self(), WALRIG_ENCODE, &stream, &error) != WALRIG_OK) ::_exit(1);
    LimitMemory(1u << 20);
    const AbiResult refused = plugin_.Drive(stream, plain, {});
    LiftMemoryLimit();
    if (refused.code() != Code::kNoMemory) ::_exit(2);
    if (plugin_.transform().reset(stream, &error) != WALRIG_OK) ::_exit(3);
    const AbiResult packed = plugin_.Drive(stream, plain, {});
    plugin_.transform().close(stream);
    ::_exit(packed.ok() && plugin_.Transform(WALRIG_DECODE, packed.bytes).bytes == plain ? 0 : 4);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace walrig::testing
