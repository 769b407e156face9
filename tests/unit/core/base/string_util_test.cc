#include "core/base/string_util.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOkAndHolds;

TEST(ParseUintTest, TakesDigitsOnly) {
  EXPECT_THAT(ParseUint("0"), IsOkAndHolds(uint64_t{0}));
  EXPECT_THAT(ParseUint("18446744073709551615"), IsOkAndHolds(UINT64_MAX));
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "1a", "0x10", "18446744073709551616", "1.0"}) {
    EXPECT_THAT(ParseUint(text), HasCode(Code::kInvalidArgument)) << text;
  }
}

TEST(ParseIntTest, TakesOneSign) {
  EXPECT_THAT(ParseInt("-9223372036854775808"), IsOkAndHolds(INT64_MIN));
  EXPECT_THAT(ParseInt("+7"), IsOkAndHolds(int64_t{7}));
  for (const char* text : {"", "-", "+", "+-1", "--1", "9223372036854775808", "1e3"}) {
    EXPECT_THAT(ParseInt(text), HasCode(Code::kInvalidArgument)) << text;
  }
}

TEST(ParseDoubleTest, TakesFiniteNumbers) {
  EXPECT_THAT(ParseDouble("1.5"), IsOkAndHolds(1.5));
  EXPECT_THAT(ParseDouble("-2e3"), IsOkAndHolds(-2000.0));
  for (const char* text : {"", "inf", "nan", "1e999", "1,5", "1.5x"}) {
    EXPECT_THAT(ParseDouble(text), HasCode(Code::kInvalidArgument)) << text;
  }
}

TEST(ParseSizeTest, UnitsArePowersOf1024) {
  EXPECT_THAT(ParseSize("1024"), IsOkAndHolds(uint64_t{1024}));
  EXPECT_THAT(ParseSize("8MiB"), IsOkAndHolds(uint64_t{8} << 20));
  EXPECT_THAT(ParseSize("20mb"), IsOkAndHolds(uint64_t{20} << 20));
  EXPECT_THAT(ParseSize(" 1.5 G "), IsOkAndHolds(uint64_t{3} << 29));
  EXPECT_THAT(ParseSize("16kB"), IsOkAndHolds(uint64_t{16} << 10));
  EXPECT_THAT(ParseSize("3b"), IsOkAndHolds(uint64_t{3}));
  EXPECT_THAT(ParseSize("16383p"), IsOkAndHolds(uint64_t{16383} << 50));
}

TEST(ParseSizeTest, RefusesOtherTextAndTooMuch) {
  for (const char* text : {"", "MB", "-1", "1x", "1mbb", "1 m b", "1.5", ".5k", "1..5k", "1.5.5k", "16384p", "1e3",
                           "18446744073709551616", "99999999999999999999.5p"}) {
    EXPECT_THAT(ParseSize(text), HasCode(Code::kInvalidArgument)) << text;
  }
}

TEST(ParseGoBoolTest, TakesWhatGoTakes) {
  for (const char* text : {"1", "t", "T", "TRUE", "true", "True"}) EXPECT_THAT(ParseGoBool(text), IsOkAndHolds(true));
  for (const char* text : {"0", "f", "F", "FALSE", "false", "False"})
    EXPECT_THAT(ParseGoBool(text), IsOkAndHolds(false));
  for (const char* text : {"", "yes", "on", "tRUE", "2"})
    EXPECT_THAT(ParseGoBool(text), HasCode(Code::kInvalidArgument));
}

TEST(FormatBytesTest, ShowsAtMostThreePlaces) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(1024), "1.0 KiB");
  EXPECT_EQ(FormatBytes(1717986918), "1.6 GiB");
  EXPECT_EQ(FormatBytes(100 << 20), "100 MiB");
  EXPECT_EQ(FormatBytes((uint64_t{1} << 30) - 1), "1.0 GiB");
  EXPECT_EQ(FormatBytes(UINT64_MAX), "16.0 EiB");
}

TEST(HexTest, EncodesAndDecodesBothCases) {
  EXPECT_EQ(HexEncode(AsBytes(std::string_view("\x00\xff\x1a", 3))), "00ff1a");
  EXPECT_THAT(HexDecode("00FF1a"), IsOkAndHolds(std::string("\x00\xff\x1a", 3)));
  EXPECT_THAT(HexDecode(""), IsOkAndHolds(std::string()));
  for (const char* text : {"0", "0g", "-1", " 1", "0x", "123"}) {
    EXPECT_THAT(HexDecode(text), HasCode(Code::kInvalidArgument)) << text;
  }
}

TEST(NearestNameTest, FindsTheMisspeltNameAndNoOther) {
  std::vector<std::string> names = {"WALG_COMPRESSION_METHOD", "WALG_FILE_PREFIX", "zstd", "lz4"};
  EXPECT_EQ(NearestName("WALG_COMPRESION_METHOD", names), "WALG_COMPRESSION_METHOD");
  EXPECT_EQ(NearestName("walg-file-prefix", names), "WALG_FILE_PREFIX");
  EXPECT_EQ(NearestName("zst", names), "zstd");
  EXPECT_EQ(NearestName("brotli", names), "");
  EXPECT_EQ(NearestName("", names), "");
  EXPECT_EQ(NearestName(std::string(1'000'000, 'z'), names), "");
}

TEST(SplitTest, KeepsEmptyParts) {
  EXPECT_EQ(Split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(Split("", ','), (std::vector<std::string>{""}));
  EXPECT_EQ(Split("a,", ','), (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(Join(Split("a,,b", ','), ", "), "a, , b");
}

TEST(TrimTest, TakesBlanksOffBothEnds) {
  EXPECT_EQ(Trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(Trim(" \n"), "");
}

TEST(AffixTest, ComparesWholeAffixes) {
  EXPECT_TRUE(StartsWith("abc", "ab"));
  EXPECT_FALSE(StartsWith("a", "ab"));
  EXPECT_TRUE(EndsWith("abc", "bc"));
  EXPECT_FALSE(EndsWith("c", "bc"));
}

TEST(CaseTest, ChangesAsciiOnly) {
  EXPECT_EQ(ToLower("AbÉ"), "abÉ");
  EXPECT_EQ(ToUpper("aBé"), "ABé");
}

TEST(PrintableTest, EscapesWhatATerminalOrALogWouldObey) {
  EXPECT_EQ(Printable("plain é \xe2\x82\xac \xf0\x9f\x90\x98"), "plain é \xe2\x82\xac \xf0\x9f\x90\x98");
  EXPECT_EQ(Printable("a\nb\x1b[2J\x7f"), "a\\x0ab\\x1b[2J\\x7f");
  EXPECT_EQ(Printable("\xff\xc0\x80"), "\\xff\\xc0\\x80");
  EXPECT_EQ(Printable("\xc2\x9b"), "\\xc2\\x9b");           // C1 control sequence introducer
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(Printable("\xe2\x82"), "\\xe2\\x82");           // cut short
}

TEST(PrintableTest, CutsLongText) { EXPECT_EQ(Printable(std::string(1000, 'x'), 10), "xxxxxxxxxx..."); }

}  // namespace
}  // namespace walrig
