#include "core/pipeline/decoding_source.h"

#include <gtest/gtest.h>

#include "core/io/memory.h"
#include "core/pipeline/download.h"
#include "core/pipeline/upload.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/fake_codec.h"
#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

class DecodingSourceTest : public ::testing::Test {
 protected:
  // What is stored for `plain`.
  std::string Encoded(const std::string& plain, const Codec& codec) {
    MemorySource source(plain);
    EXPECT_OK(PutEncoded(ctx_, storage_, "o", codec, source));
    Result<std::string> stored = ReadObject(ctx_, storage_, "o", 100 << 20);
    return stored.ok() ? *stored : "";
  }
  Result<std::string> Decoded(std::string stored, const Codec& codec, size_t read_bytes = SIZE_MAX,
                              size_t buffer_bytes = kIoBufferBytes) {
    WALRIG_ASSIGN(auto source,
                  DecodingSource::New(codec, std::make_unique<MemorySource>(std::move(stored), read_bytes), "part_001"));
    return Drain(ctx_, *source, buffer_bytes);
  }

  TestContext ctx_;
  MemoryStorage storage_;
  FakeCompressor compressor_;
  FakeCipher cipher_;
  const std::string plain_ = NumberedBytes(400'000);
};

TEST_F(DecodingSourceTest, GivesBackWhatWasEncodedWhateverTheBuffers) {
  for (Codec codec : {Codec{}, Codec{&compressor_, nullptr}, Codec{nullptr, &cipher_}, Codec{&compressor_, &cipher_}}) {
    const std::string text = NumberedBytes(20'000);
    const std::string stored = Encoded(text, codec);
    for (size_t read_bytes : {size_t{1}, size_t{777}, SIZE_MAX}) {
      for (size_t buffer_bytes : {size_t{1}, size_t{1000}, kIoBufferBytes}) {
        ASSERT_OK_AND_ASSIGN(const std::string got, Decoded(stored, codec, read_bytes, buffer_bytes));
        ASSERT_TRUE(got == text) << read_bytes << " " << buffer_bytes;
      }
    }
  }
}

TEST_F(DecodingSourceTest, FillsTheBufferWholeFromShortReads) {
  const Codec codec{&compressor_, nullptr};
  ASSERT_OK_AND_ASSIGN(auto source, DecodingSource::New(
                                        codec, std::make_unique<MemorySource>(Encoded(plain_, codec), 100), "o"));
  Buffer buffer(kIoBufferBytes);
  EXPECT_THAT(source->Read(ctx_, buffer.span()), IsOkAndHolds(kIoBufferBytes));
}

TEST_F(DecodingSourceTest, CallsEveryCutOfTheObjectAnErrorThatNamesIt) {
  const Codec codec{&compressor_, &cipher_};
  const std::string stored = Encoded("some plain text", codec);
  for (size_t length = 0; length < stored.size(); length++) {
    const auto got = Decoded(stored.substr(0, length), codec);
    ASSERT_THAT(got, HasCode(Code::kTruncated)) << length;
    ASSERT_THAT(got, MessageHas("part_001")) << length;
  }
}

TEST_F(DecodingSourceTest, CallsAnEmptyObjectTruncatedUnlessItIsPlain) {
  EXPECT_THAT(Decoded("", Codec{&compressor_, nullptr}), MessageHas("the object is empty"));
  EXPECT_THAT(Decoded("", Codec{nullptr, &cipher_}), HasCode(Code::kTruncated));
  EXPECT_THAT(Decoded("", Codec{}), IsOkAndHolds(""));
}

TEST_F(DecodingSourceTest, TellsNoEndBeforeTheChecksumHeld) {
  const Codec codec{&compressor_, nullptr};
  std::string stored = Encoded(plain_, codec);
  stored.back() ^= 1;
  EXPECT_THAT(Decoded(stored, codec), HasCode(Code::kCorruption));
}

TEST_F(DecodingSourceTest, RefusesBytesAfterTheEndOfAStreamThatStandsAlone) {
  FakeCompressor alone(false);
  const Codec codec{&alone, nullptr};
  EXPECT_THAT(Decoded(Encoded("x", codec) + "y", codec), HasCode(Code::kCorruption));
}

TEST_F(DecodingSourceTest, PassesOnTheErrorOfTheStorageWithTheName) {
  const Codec codec{&compressor_, nullptr};
  const std::string stored = Encoded(plain_, codec);
  ASSERT_OK_AND_ASSIGN(auto source, DecodingSource::New(codec,
                                                        std::make_unique<FailingSource>(stored.substr(0, 9'000),
                                                                                        Unavailable("line cut")),
                                                        "part_001"));
  const auto got = Drain(ctx_, *source);
  EXPECT_THAT(got, HasCode(Code::kUnavailable));
  EXPECT_THAT(got, MessageHas("part_001: line cut"));
}

TEST_F(DecodingSourceTest, StopsWithCancelled) {
  const Codec codec{&compressor_, nullptr};
  const std::string stored = Encoded(plain_, codec);
  ctx_.stop().RequestStop();
  EXPECT_THAT(Decoded(stored, codec), HasCode(Code::kCancelled));
}

TEST_F(DecodingSourceTest, ReadDecodedKeepsItsBound) {
  const Codec codec{&compressor_, nullptr};
  Encoded("12345", codec);
  EXPECT_THAT(ReadDecoded(ctx_, storage_, "o", codec, 5), IsOkAndHolds("12345"));
  EXPECT_THAT(ReadDecoded(ctx_, storage_, "o", codec, 4), HasCode(Code::kTooLarge));
  EXPECT_THAT(ReadDecoded(ctx_, storage_, "none", codec, 4), HasCode(Code::kNotFound));
}

TEST_F(DecodingSourceTest, CopyAllMovesEverythingAndKeepsItsBound) {
  MemorySource source(plain_, 999);
  MemorySink sink;
  EXPECT_THAT(CopyAll(ctx_, source, sink), IsOkAndHolds(plain_.size()));
  EXPECT_EQ(sink.bytes(), plain_);
  MemorySource again("12345");
  EXPECT_THAT(CopyAll(ctx_, again, sink, 4), HasCode(Code::kTooLarge));
}

constexpr std::string_view kZstdMagic = "\x28\xB5\x2F\xFD";

TEST_F(DecodingSourceTest, SaysThatAnObjectIsNotEncrypted) {
  const auto got = Decoded(std::string(kZstdMagic) + std::string(600, 'x'), Codec{&compressor_, &cipher_});
  EXPECT_THAT(got, HasCode(Code::kCorruption));
  EXPECT_THAT(got, MessageHas("zstd data and is not encrypted"));
}

TEST_F(DecodingSourceTest, TakesPlaintextOnlyWhenTold) {
  std::string tar(1024, '\0');
  tar.replace(257, 5, "ustar");
  EXPECT_THAT(Decoded(tar, Codec{.cipher = &cipher_}), HasCode(Code::kCorruption));
  for (const size_t read_bytes : {size_t{1}, size_t{300}, SIZE_MAX}) {
    EXPECT_THAT(Decoded(tar, Codec{.cipher = &cipher_, .plaintext_allowed = true}, read_bytes), IsOkAndHolds(tar));
  }
}

TEST_F(DecodingSourceTest, StillOpensWhatIsEncryptedWhenPlaintextIsAllowed) {
  const Codec codec{.compressor = &compressor_, .cipher = &cipher_, .plaintext_allowed = true};
  EXPECT_THAT(Decoded(Encoded(plain_, codec), codec), IsOkAndHolds(plain_));
}

TEST_F(DecodingSourceTest, NamesTheCipherThatIsMissingOrAnother) {
  const std::string gcrypt = "\x89WRGC\r\n\x1A" + std::string(500, 'x');
  EXPECT_THAT(Decoded(gcrypt, Codec{}), HasCode(Code::kPermission));
  EXPECT_THAT(Decoded(gcrypt, Codec{&compressor_, nullptr}), MessageHas("cipher gcrypt"));
  EXPECT_THAT(Decoded(gcrypt, Codec{nullptr, &cipher_}), MessageHas("an object of cipher gcrypt"));
  const std::string openpgp = std::string("\xC1\x5E\x03", 3) + std::string(500, 'x');
  EXPECT_THAT(Decoded(openpgp, Codec{&compressor_, nullptr}), MessageHas("an OpenPGP message, and no cipher"));
}

}  // namespace
}  // namespace walrig::test
