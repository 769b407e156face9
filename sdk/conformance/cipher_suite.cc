// SPDX-License-Identifier: MIT-0
#include "sdk/conformance/support.h"
#include "sdk/conformance/transform_suite.h"

namespace walrig::conformance {
namespace {

Result<std::string> Seal(Cipher& cipher, std::string_view plain, size_t in_piece = 1 << 16,
                         size_t out_piece = 1 << 16) {
  WALRIG_ASSIGN(auto sealer, cipher.NewSealer());
  std::string out;
  WALRIG_TRY(RunTransform(*sealer, plain, &out, in_piece, out_piece));
  return out;
}

Status Open(Cipher& cipher, std::string_view sealed, std::string* plain, size_t in_piece = 1 << 16,
            size_t out_piece = 1 << 16) {
  plain->clear();
  WALRIG_ASSIGN(auto opener, cipher.NewOpener());
  return RunTransform(*opener, sealed, plain, in_piece, out_piece);
}

bool IsPrefix(std::string_view piece, std::string_view whole) { return whole.substr(0, piece.size()) == piece; }

void CipherRoundTrips(Verdict& verdict, Cipher& cipher) {
  for (const size_t size : {0, 1, 15, 16, 17, 8191, 8192, 8193, 65'535, 65'536, 65'537, 131'072, 1'000'003}) {
    const std::string plain = MakeBytes(size, size, false);
    KIT_ASSIGN(const std::string sealed, Seal(cipher, plain));
    KIT_EXPECT(!sealed.empty(),
               "an empty plaintext is sealed to nothing: its absence could not be told from its presence");
    std::string back;
    KIT_OK(Open(cipher, sealed, &back));
    KIT_EXPECT(back == plain, std::to_string(size) + " bytes came back different");
  }
}

void OneByteBuffers(Verdict& verdict, Cipher& cipher) {
  const std::string plain = MakeBytes(20'000, 1, false);
  KIT_ASSIGN(const std::string sealed, Seal(cipher, plain, 1, 1));
  std::string back;
  KIT_OK(Open(cipher, sealed, &back, 1, 1));
  KIT_EXPECT(back == plain, "the content differs");
}

void TwoSealsDiffer(Verdict& verdict, Cipher& cipher) {
  const std::string plain = MakeBytes(5'000, 2, true);
  KIT_ASSIGN(const std::string first, Seal(cipher, plain));
  KIT_ASSIGN(const std::string second, Seal(cipher, plain));
  KIT_EXPECT(first != second, "the same plaintext is sealed to the same bytes: a nonce is used twice");
  for (size_t at = 0; at + 16 <= plain.size(); at += 16) {
    KIT_EXPECT(first.find(plain.substr(at, 16)) == std::string::npos, "plaintext stands in the sealed object");
  }
}

void EveryTruncationIsRefused(Verdict& verdict, Cipher& cipher) {
  const std::string plain = MakeBytes(20'000, 3, false);
  KIT_ASSIGN(const std::string sealed, Seal(cipher, plain));
  for (size_t length = 0; length < sealed.size(); length += length < 2000 || length + 2000 > sealed.size() ? 1 : 37) {
    std::string back;
    KIT_EXPECT(!Open(cipher, std::string_view(sealed).substr(0, length), &back).ok(),
               "the first " + std::to_string(length) + " bytes pass for a whole object");
    KIT_EXPECT(IsPrefix(back, plain), "a truncated object gave bytes that were never sealed");
  }
}

void EveryBitFlipIsRefused(Verdict& verdict, Cipher& cipher) {
  const std::string plain = MakeBytes(600, 4, false);
  KIT_ASSIGN(std::string sealed, Seal(cipher, plain));
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    const char mask = static_cast<char>(1 << (bit % 8));
    sealed[bit / 8] = static_cast<char>(sealed[bit / 8] ^ mask);
    std::string back;
    KIT_EXPECT(!Open(cipher, sealed, &back).ok(), "bit " + std::to_string(bit) + " can be flipped unseen");
    KIT_EXPECT(IsPrefix(back, plain), "bit " + std::to_string(bit) + ": wrong plaintext was given out");
    sealed[bit / 8] = static_cast<char>(sealed[bit / 8] ^ mask);
  }
}

void BytesAfterTheEndAreRefused(Verdict& verdict, Cipher& cipher) {
  KIT_ASSIGN(const std::string sealed, Seal(cipher, MakeBytes(1'000, 5, false)));
  std::string back;
  KIT_EXPECT(!Open(cipher, sealed + std::string(1, '\0'), &back).ok(), "a byte after the end is ignored");
  KIT_EXPECT(!Open(cipher, sealed + sealed, &back).ok(), "two objects in a row pass for one");
}

Result<std::string> OpenPart(Cipher& cipher, const std::string& sealed, uint64_t offset, uint64_t length) {
  SealedRange range;
  WALRIG_ASSIGN(const auto opener, cipher.NewRangeOpener(AsBytes(sealed.substr(0, kRangeHeadBytes)), offset, length, &range));
  std::string plain;
  const std::string part = range.offset < sealed.size() ? sealed.substr(range.offset, range.length) : std::string();
  WALRIG_TRY(RunTransform(*opener, part, &plain, 1 << 16, 1 << 16));
  return plain.size() > range.skip ? plain.substr(range.skip, length) : std::string();
}

void ARangeIsWhatTheWholeHasThere(Verdict& verdict, Cipher& cipher) {
  const std::string plain = MakeBytes(1'000'003, 6, false);
  KIT_ASSIGN(std::string sealed, Seal(cipher, plain));
  SealedRange range;
  const auto probe = cipher.NewRangeOpener(AsBytes(sealed.substr(0, kRangeHeadBytes)), 0, 1, &range);
  if (probe.status().code() == Code::kNotSupported) return verdict.Skip("walrig.transform.seek/1 is not offered");
  for (const uint64_t offset : {0, 1, 65'535, 65'536, 500'000, 1'000'002}) {
    for (const uint64_t length : {1, 65'536, 70'000, 2'000'000}) {
      KIT_ASSIGN(const std::string part, OpenPart(cipher, sealed, offset, length));
      KIT_EXPECT(part == plain.substr(offset, length), "the range at " + std::to_string(offset) + " gives other bytes");
    }
  }
  KIT_OK(cipher.NewRangeOpener(AsBytes(sealed.substr(0, kRangeHeadBytes)), 500'000, 1'000, &range).status());
  KIT_EXPECT(range.length < sealed.size() / 2, "a range of 1000 bytes reads half of the object or more");
  sealed[range.offset + range.length / 2] = static_cast<char>(sealed[range.offset + range.length / 2] ^ 1);
  KIT_EXPECT(!OpenPart(cipher, sealed, 500'000, 1'000).ok(), "damage within a range is not seen");
  KIT_EXPECT(!OpenPart(cipher, sealed.substr(0, range.offset + 10), 500'000, 1'000).ok(), "an object cut within a range passes");
}

void PlaintextIsRefused(Verdict& verdict, Cipher& cipher) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::string back;
    KIT_EXPECT(!Open(cipher, MakeBytes(seed * 101, seed, seed % 2 == 0), &back).ok(), "what was never sealed opens");
    KIT_EXPECT(back.empty(), "what was never sealed gives plaintext");
  }
}

}  // namespace

std::vector<Check> CipherSuite(CipherFixture fixture) {
  std::vector<Check> suite;
  const auto add = [&suite, &fixture](std::string name, void (*body)(Verdict&, Cipher&)) {
    suite.push_back({"cipher/" + std::move(name), 1, [fixture, body](Verdict& verdict) {
                       KIT_ASSIGN(auto cipher, fixture.open());
                       body(verdict, *cipher);
                     }});
  };
  add("round_trips", CipherRoundTrips);
  add("one_byte_buffers", OneByteBuffers);
  add("two_seals_differ", TwoSealsDiffer);
  add("every_truncation_is_refused", EveryTruncationIsRefused);
  add("every_bit_flip_is_refused", EveryBitFlipIsRefused);
  add("bytes_after_the_end_are_refused", BytesAfterTheEndAreRefused);
  add("plaintext_is_refused", PlaintextIsRefused);
  add("a_range_is_what_the_whole_has_there", ARangeIsWhatTheWholeHasThere);
  return suite;
}

}  // namespace walrig::conformance
