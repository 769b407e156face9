// What every compressor must do, whatever its format: checks to be called from each plugin's test with its plugin.
#pragma once

#include <string>
#include <string_view>

#include "tests/support/abi_plugin.h"

namespace walrig::testing {

// Encodes and decodes texts of awkward sizes through buffers of several sizes, one byte among them.
inline void CheckRoundTrips(const AbiPlugin& plugin) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{2}, size_t{4095}, size_t{65536}, size_t{300001}}) {
    const std::string text = Mixed(size, 7);
    for (const Steps& steps :
         {Steps{}, Steps{.in_bytes = 4093, .out_bytes = 509}, Steps{.in_bytes = 1 << 20, .out_bytes = 1 << 20}}) {
      const AbiResult packed = plugin.Transform(WALRIG_ENCODE, text, steps);
      ASSERT_TRUE(packed.ok()) << packed.status.ToString() << " size " << size;
      const AbiResult plain = plugin.Transform(WALRIG_DECODE, packed.bytes, steps);
      ASSERT_TRUE(plain.ok()) << plain.status.ToString() << " size " << size;
      ASSERT_EQ(plain.bytes, text);
    }
  }
  const std::string text = Mixed(20000, 8);
  const Steps one{.in_bytes = 1, .out_bytes = 1};
  const AbiResult packed = plugin.Transform(WALRIG_ENCODE, text, one);
  ASSERT_TRUE(packed.ok()) << packed.status.ToString();
  EXPECT_LT(packed.bytes.size(), text.size());
  const AbiResult plain = plugin.Transform(WALRIG_DECODE, packed.bytes, one);
  ASSERT_TRUE(plain.ok()) << plain.status.ToString();
  EXPECT_EQ(plain.bytes, text);
}

// Every proper beginning of `packed` is kTruncated, through large buffers and through buffers of one byte.
inline void CheckEveryTruncation(const AbiPlugin& plugin, std::string_view packed) {
  for (size_t n = 0; n < packed.size(); ++n) {
    const AbiResult whole = plugin.Transform(WALRIG_DECODE, packed.substr(0, n));
    ASSERT_EQ(whole.code(), Code::kTruncated)
        << "at " << n << " of " << packed.size() << ": " << whole.status.ToString();
    const AbiResult bytewise = plugin.Transform(WALRIG_DECODE, packed.substr(0, n), {.in_bytes = 1, .out_bytes = 1});
    ASSERT_EQ(bytewise.code(), Code::kTruncated) << "bytewise, at " << n << ": " << bytewise.status.ToString();
  }
}

// No flipped bit gives other bytes and OK: for formats with checksums. (Some bits mean nothing, as a time of day.)
inline void CheckEveryBitFlip(const AbiPlugin& plugin, std::string_view packed, std::string_view plain) {
  size_t seen = 0;
  for (size_t bit = 0; bit < packed.size() * 8; ++bit) {
    std::string damaged(packed);
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const AbiResult result = plugin.Transform(WALRIG_DECODE, damaged);
    if (result.ok()) {
      ASSERT_EQ(result.bytes, plain) << "bit " << bit;
    } else {
      ++seen;
      ASSERT_TRUE(result.code() == Code::kCorruption || result.code() == Code::kTruncated ||
                  result.code() == Code::kTooLarge || result.code() == Code::kNotSupported)
          << "bit " << bit << ": " << result.status.ToString();
    }
  }
  EXPECT_GT(seen, packed.size() * 6) << "of " << packed.size() * 8 << " bits";
}

// For formats without checksums: whatever is flipped, the decoder ends, and gives no absurd error.
inline void CheckFlipsEnd(const AbiPlugin& plugin, std::string_view packed) {
  for (size_t bit = 0; bit < packed.size() * 8; ++bit) {
    std::string damaged(packed);
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const AbiResult result = plugin.Transform(WALRIG_DECODE, damaged);
    ASSERT_NE(result.code(), Code::kInternal) << "bit " << bit << ": " << result.status.ToString();
  }
}

inline void CheckConcatenates(const AbiPlugin& plugin, const std::string& a, const std::string& a_plain,
                              const std::string& b, const std::string& b_plain) {
  for (const Steps& steps : {Steps{}, Steps{.in_bytes = 1, .out_bytes = 1}}) {
    const AbiResult both = plugin.Transform(WALRIG_DECODE, a + b, steps);
    ASSERT_TRUE(both.ok()) << both.status.ToString();
    EXPECT_EQ(both.bytes, a_plain + b_plain);
  }
}

inline void CheckRefusesRubbishAfterEnd(const AbiPlugin& plugin, const std::string& packed) {
  for (const std::string& rubbish :
       {std::string(1, '\xEE'), std::string("rubbish behind the end"), std::string(16, '\0')}) {
    for (const Steps& steps : {Steps{}, Steps{.in_bytes = 1, .out_bytes = 1}}) {
      EXPECT_EQ(plugin.Transform(WALRIG_DECODE, packed + rubbish, steps).code(), Code::kCorruption) << rubbish.size();
    }
  }
}

// A stream serves again after reset, also in the middle and after an error.
inline void CheckReset(const AbiPlugin& plugin, const std::string& packed, const std::string& plain) {
  void* stream = nullptr;
  walrig_error error = AbiPlugin::NewError();
  ASSERT_EQ(plugin.transform().open(plugin.self(), WALRIG_DECODE, &stream, &error), WALRIG_OK);
  EXPECT_FALSE(plugin.Drive(stream, packed.substr(0, packed.size() / 2), {}).ok());
  for (int round = 0; round < 2; ++round) {
    ASSERT_EQ(plugin.transform().reset(stream, &error), WALRIG_OK);
    const AbiResult result = plugin.Drive(stream, packed, {});
    ASSERT_TRUE(result.ok()) << result.status.ToString();
    EXPECT_EQ(result.bytes, plain);
  }
  plugin.transform().close(stream);
}

// What was flushed can be decoded although the stream goes on: everything so far, from the bytes so far.
inline void CheckFlushIsDecodable(const AbiPlugin& plugin) {
  const std::string text = Mixed(5000, 3);
  const AbiResult packed = plugin.Transform(WALRIG_ENCODE, text, {.in_bytes = 700, .flush_each = true});
  ASSERT_TRUE(packed.ok()) << packed.status.ToString();
  const AbiResult plain = plugin.Transform(WALRIG_DECODE, packed.bytes);
  ASSERT_TRUE(plain.ok()) << plain.status.ToString();
  EXPECT_EQ(plain.bytes, text);
}

}  // namespace walrig::testing
