#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "core/base/checksum.h"
#include "core/base/string_util.h"
#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOkAndHolds;

std::string HexOf(std::string_view text) {
  Result<Sha256> sha = Sha256::New();
  if (!sha.ok()) return sha.status().ToString();
  sha->Update(AsBytes(text));
  return sha->Hex();
}

constexpr const char* kAbcDigest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

// FIPS 180-4's examples.
TEST(Sha256Test, GivesThePublishedValues) {
  EXPECT_EQ(HexOf(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexOf("abc"), kAbcDigest);
  EXPECT_EQ(HexOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256Test, PiecesAndMovesGiveTheSameDigestAgainAndAgain) {
  ASSERT_OK_AND_ASSIGN(Sha256 sha, Sha256::New());
  sha.Update(AsBytes("a"));
  Sha256 moved = std::move(sha);
  moved.Update(AsBytes("bc"));
  EXPECT_EQ(moved.Hex(), kAbcDigest);
  EXPECT_EQ(HexEncode(moved.Digest()), kAbcDigest);
}

TEST(Sha256Test, ThreadsMayBeginAtOnce) {
  std::vector<std::string> digests(8);
  {
    std::vector<std::jthread> threads;
    for (std::string& digest : digests) threads.emplace_back([&digest] { digest = HexOf("abc"); });
  }
  for (const std::string& digest : digests) EXPECT_EQ(digest, kAbcDigest);
}

TEST(Sha256FileTest, DigestsFilesLargerThanABufferAndNamesMissingOnes) {
  test::TempDir dir;
  std::string content = test::NumberedBytes(3 * kIoBufferBytes + 1);
  EXPECT_THAT(Sha256File(dir.Write("f", content)), IsOkAndHolds(HexOf(content)));
  EXPECT_THAT(Sha256File(dir.File("none")), HasCode(Code::kNotFound));
}

}  // namespace
}  // namespace walrig
