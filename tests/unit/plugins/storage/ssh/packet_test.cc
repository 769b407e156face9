#include "plugins/storage/ssh/packet.h"

#include <gtest/gtest.h>

#include <cstring>

namespace walrig::ssh {
namespace {

AnswerPacket Packet(const std::string& bytes) {
  Buffer body(bytes.size());
  std::memcpy(body.data(), bytes.data(), bytes.size());
  return AnswerPacket(std::move(body));
}
std::string U32(uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)};
}
std::string Text(const std::string& text) { return U32(static_cast<uint32_t>(text.size())) + text; }

const std::string kNames = "\x68" + U32(7) + U32(1) + Text("name") + Text("-rw-r--r-- name") + U32(1 | 4 | 8 | 0x80000000u) +
                           std::string(7, '\0') + "\x09" + U32(0100644) + U32(1) + U32(1700000000) + U32(1) + Text("a") + Text("b");

TEST(Packet, PutsTheLengthInFront) {
  PacketBuilder packet(Request::kOpen, 5);
  packet.Text("ab").U64(1);
  const auto bytes = std::move(packet).Finish();
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), U32(19) + "\x03" + U32(5) + U32(2) + "ab" + U32(0) + U32(1));
}

TEST(Packet, ReadsNamesWithAllAttributes) {
  const auto names = Packet(kNames).ReadNames();
  ASSERT_TRUE(names.ok()) << names.status().ToString();
  ASSERT_EQ(names->size(), 1u);
  EXPECT_EQ((*names)[0].name, "name");
  EXPECT_EQ((*names)[0].attributes.size_bytes, 9u);
  EXPECT_EQ((*names)[0].attributes.mtime_s, 1700000000u);
  EXPECT_TRUE((*names)[0].attributes.IsFile());
}

TEST(Packet, RefusesEveryCutOfAnAnswer) {
  for (size_t n = 0; n < kNames.size(); ++n) {
    EXPECT_EQ(Packet(kNames.substr(0, n)).ReadNames().status().code(), Code::kProtocol) << n;
  }
}

TEST(Packet, ACountThatLiesTakesNoMemory) {
  EXPECT_EQ(Packet("\x68" + U32(1) + U32(0xffffffffu)).ReadNames().status().code(), Code::kProtocol);
}

TEST(Packet, ShowsNoControlBytesOfTheServersWords) {
  std::string text;
  const auto code = Packet("\x65" + U32(1) + U32(4) + Text("no\x1b[2J") + Text("en")).ReadStatus(&text);
  ASSERT_TRUE(code.ok());
  EXPECT_EQ(*code, Fx::kFailure);
  EXPECT_EQ(text, "no?[2J");
}

}  // namespace
}  // namespace walrig::ssh
