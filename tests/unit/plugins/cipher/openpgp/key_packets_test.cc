#include "plugins/cipher/openpgp/key_packets.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"

namespace walrig::openpgp {
namespace {

std::string Packet(uint8_t tag, const std::string& body) {
  const size_t n = body.size();
  std::string head(1, static_cast<char>(0xC0 | tag));
  if (n < 192) {
    head += static_cast<char>(n);
  } else if (n < 8384) {
    head += static_cast<char>((n - 192) / 256 + 192);
    head += static_cast<char>((n - 192) % 256);
  } else {
    head += '\xFF';
    for (int shift = 24; shift >= 0; shift -= 8) head += static_cast<char>(n >> shift);
  }
  return head + body;
}
std::string OldPacket(uint8_t tag, const std::string& body, int octets) {
  std::string head(1, static_cast<char>(0x80 | tag << 2 | (octets == 4 ? 2 : octets - 1)));
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) head += static_cast<char>(body.size() >> shift);
  return head + body;
}
std::string Body(char version, char algorithm, const std::string& rest = "numbers") {
  return std::string(1, version) + (version == 3 ? "timeXX" : "time") + algorithm + rest;
}
KeyPackets Read(const std::string& text) {
  Result<KeyPackets> packets = ReadKeyPackets(AsBytes(text));
  EXPECT_OK(packets);
  return packets.ok() ? std::move(*packets) : KeyPackets();
}

constexpr uint8_t kSignature = 2, kSecretKey = 5, kPublicKey = 6, kMarker = 10, kLiteral = 11, kTrust = 12, kUser = 13, kSubkey = 14;

TEST(KeyPacketsTest, ListsPrimaryKeysOfEveryVersionAndAlgorithm) {
  const std::string text = Packet(kPublicKey, Body(4, 1)) + Packet(kUser, "first") + Packet(kUser, "alias") + Packet(kSignature, "s") +
                           Packet(kSubkey, Body(4, 18)) + Packet(kSecretKey, Body(6, 27)) + Packet(kPublicKey, Body(5, 22)) +
                           Packet(kPublicKey, Body(3, 1)) + Packet(kPublicKey, Body(99, 99)) + Packet(kUser, "la\nst\x7f");
  const KeyPackets packets = Read(text);
  EXPECT_EQ(packets.damage, "");
  EXPECT_EQ(AsText(packets.bytes.bytes()), text);
  ASSERT_EQ(packets.keys.size(), 5u);
  const uint8_t versions[] = {4, 6, 5, 3, 99}, algorithms[] = {1, 27, 22, 1, 99};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(packets.keys[i].version, versions[i]);
    EXPECT_EQ(packets.keys[i].algorithm, algorithms[i]);
    EXPECT_EQ(packets.keys[i].secret, i == 1);
  }
  EXPECT_EQ(AsText(packets.keys[1].body), Body(6, 27));
  EXPECT_EQ(packets.keys[0].user, "first");
  EXPECT_EQ(packets.keys[1].user, "");
  EXPECT_EQ(packets.keys[4].user, "la?st?");
}

TEST(KeyPacketsTest, ReadsEveryFormOfALength) {
  for (const size_t size : {size_t{0}, size_t{100}, size_t{185}, size_t{186}, size_t{300}, size_t{8377}, size_t{8378}, size_t{70000}}) {
    const std::string body = Body(4, 1, std::string(size, 'n'));
    for (const std::string& packet : {Packet(kPublicKey, body), OldPacket(kPublicKey, body, 4)}) {
      const KeyPackets packets = Read(packet + Packet(kPublicKey, Body(4, 2)));
      ASSERT_EQ(packets.keys.size(), 2u) << size;
      EXPECT_EQ(packets.keys[0].body.size(), body.size());
      EXPECT_EQ(packets.damage, "");
    }
  }
  EXPECT_EQ(Read(OldPacket(kPublicKey, Body(4, 1), 1) + OldPacket(kPublicKey, Body(4, 1), 2)).keys.size(), 2u);
}

TEST(KeyPacketsTest, LeavesOutWhatIsNoPartOfAKey) {
  const std::string key = Packet(kPublicKey, Body(4, 1));
  const KeyPackets ignored = Read(Packet(kMarker, "PGP") + key + Packet(kTrust, "x") + Packet(60, "private") + "\n\n");
  EXPECT_EQ(AsText(ignored.bytes.bytes()), key);
  EXPECT_EQ(ignored.damage, "");
  const KeyPackets message = Read(key + Packet(kLiteral, "text") + key);
  EXPECT_EQ(message.keys.size(), 1u);
  EXPECT_NE(message.damage, "");
}

TEST(KeyPacketsTest, TellsOfEveryTruncationOfTheLastPacket) {
  const std::string key = Packet(kPublicKey, Body(4, 1)), last = Packet(kPublicKey, Body(4, 2, std::string(300, 'n')));
  for (size_t n = 1; n < last.size(); ++n) {
    const KeyPackets packets = Read(key + last.substr(0, n));
    EXPECT_EQ(packets.keys.size(), 1u);
    EXPECT_NE(packets.damage, "") << n;
  }
}

TEST(KeyPacketsTest, RefusesPartsAndPacketsWithoutALength) {
  EXPECT_NE(Read(std::string("\xC6\xE1") + "ab").damage, "");
  EXPECT_NE(Read(std::string("\x9B") + Body(4, 1)).damage, "");
}

// "xgdudW1iZXI=" and the like, by hand: C6 07 "number" is what stands in the armor.
TEST(KeyPacketsTest, ReadsArmorAsItIsWritten) {
  const std::string head = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n", end = "-----END PGP PUBLIC KEY BLOCK-----\n";
  for (const std::string& text :
       {head + "\nxgYEdGltZQE=\n=abcd\n" + end, head + "Version: x\r\nComment: y\r\n\r\nxgYEdG\r\nltZQE=\r\n" + end,
        "\xEF\xBB\xBF" + head + "\nxgYEdGltZQE=\n" + end, "some words\n" + head + "xgYEdGltZQE=\n=abcd\n" + end + "more words"}) {
    const KeyPackets packets = Read(text);
    EXPECT_EQ(packets.damage, "");
    ASSERT_EQ(packets.keys.size(), 1u) << text;
    EXPECT_EQ(packets.keys[0].version, 4);
    EXPECT_EQ(packets.keys[0].algorithm, 1);
  }
  EXPECT_NE(Read(head + "\nxgYEdGltZQE=\n").damage, "") << "no end";
  EXPECT_EQ(Read(head + "\nxgYEdGltZQE=\n").keys.size(), 0u);
  EXPECT_NE(Read(head + "\nxgYE*GltZQE=\n" + end).damage, "");
  EXPECT_EQ(Read(head + head + "\nxgYEdGltZQE=\n" + end).keys.size(), 1u) << "a block that is cut hides no other";
  EXPECT_NE(Read(head + "\nxgYEdGltZQE=\n" + end + Packet(kPublicKey, Body(4, 1))).damage, "");
}

TEST(KeyPacketsTest, WhatIsNoKeyHasNone) {
  for (const char* text : {"", "\n", "hush-hush"}) {
    const KeyPackets packets = Read(text);
    EXPECT_TRUE(packets.keys.empty() && packets.bytes.empty());
  }
}

}  // namespace
}  // namespace walrig::openpgp
