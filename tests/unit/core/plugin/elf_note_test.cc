#include "core/plugin/elf_note.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOk;
using ::testing::Contains;
using ::testing::Not;

std::vector<uint8_t> GoodPlugin() {
  std::ifstream in(std::string(WALRIG_TEST_PLUGINS) + "/good.so", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(ElfNoteTest, ReadsNoteNeededAndBuildIdOfAPlugin) {
  const std::vector<uint8_t> bytes = GoodPlugin();
  ASSERT_OK_AND_ASSIGN(const ElfInfo info, ParseElf(ByteSpan(bytes)));
  EXPECT_TRUE(IsHostElf(info));
  EXPECT_EQ(info.type, 3);
  EXPECT_THAT(info.needed, Contains("libc.so.6"));
  EXPECT_EQ(info.rpath + info.runpath, "");
  ASSERT_TRUE(info.note.has_value());
  EXPECT_EQ(info.note->id, "org.example.test");
  EXPECT_EQ(info.note->version, "1.2.3");
  EXPECT_EQ(info.note->license, "MIT-0");
  EXPECT_EQ(info.note->abi_major, 1u);
  EXPECT_TRUE(info.note->Provides("storage", "one"));
  EXPECT_FALSE(info.note->Provides("storage", "copy"));
}

TEST(ElfNoteTest, RefusesWhatIsNoElfFile) {
  EXPECT_THAT(ParseElf(ByteSpan()), HasCode(Code::kCorruption));
  EXPECT_THAT(ParseElf(AsBytes("#!/bin/sh\n")), HasCode(Code::kCorruption));
}

TEST(ElfNoteTest, AnyTruncationGivesAnAnswerAndNeverAWrongNote) {
  const std::vector<uint8_t> bytes = GoodPlugin();
  for (size_t length = 0; length < bytes.size(); length += length < 4096 ? 1 : 97) {
    const auto info = ParseElf(ByteSpan(bytes).first(length));
    if (!info.ok() || !info->note.has_value()) continue;
    EXPECT_EQ(info->note->id, "org.example.test");
  }
}

TEST(ElfNoteTest, AnyChangedByteGivesAnAnswer) {
  const std::vector<uint8_t> bytes = GoodPlugin();
  std::mt19937_64 random(20261123);
  size_t refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> changed = bytes;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < changes; ++i) changed[random() % 2048] = static_cast<uint8_t>(random());
    refused += ParseElf(ByteSpan(changed)).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 0u);
}

TEST(ElfNoteTest, RefusesOffsetsAndCountsBeyondTheFile) {
  std::vector<uint8_t> bytes = GoodPlugin();
  for (size_t i = 0; i < 8; ++i) bytes[32 + i] = 0xff;  // e_phoff
  EXPECT_THAT(ParseElf(ByteSpan(bytes)), HasCode(Code::kCorruption));
  bytes = GoodPlugin();
  bytes[56] = bytes[57] = 0xff;  // e_phnum
  EXPECT_THAT(ParseElf(ByteSpan(bytes)), HasCode(Code::kCorruption));
}

TEST(PluginNoteTest, RefusesTextsThatLackWhatIsMandatory) {
  EXPECT_THAT(ParsePluginNote("abi=1.0;id=a;version=1"), IsOk());
  EXPECT_THAT(ParsePluginNote(""), HasCode(Code::kCorruption));
  EXPECT_THAT(ParsePluginNote("abi=1;id=a;version=1"), HasCode(Code::kCorruption));
  EXPECT_THAT(ParsePluginNote("abi=1.0;id=a"), HasCode(Code::kCorruption));
  EXPECT_THAT(ParsePluginNote("abi=1.0;id=a;version=1;min=x"), HasCode(Code::kCorruption));
  EXPECT_THAT(ParsePluginNote("abi=1.0;id=a;version=1;provides=storage"), HasCode(Code::kCorruption));
  EXPECT_THAT(ParsePluginNote("abi=99999.0;id=a;version=1"), Not(IsOk()));
}

TEST(PluginNoteTest, SkipsKeysThatItDoesNotKnow) {
  ASSERT_OK_AND_ASSIGN(const PluginNote note, ParsePluginNote("abi=1.2;min=1;id=a;version=1;abi_extra=fork;"));
  EXPECT_EQ(note.abi_minor, 2u);
  EXPECT_EQ(note.min_host_minor, 1u);
}

}  // namespace
}  // namespace walrig
