#include "core/layout/proof.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;

Proof Sample() {
  Proof proof;
  proof.walrig = "0.1.0";
  proof.objects = {{"tar_partitions/part_001.tar.zst", 10, 20, "0123456789abcdef0123456789abcdef"},
                   {"metadata.json", 5, 5, "ffffffffffffffffffffffffffffffff"}};
  proof.manifest = ProofManifest{"backup_manifest", "CRC32C", 3};
  return proof;
}

TEST(ProofTest, RoundTrips) {
  const std::string text = SerializeProof(Sample());
  ASSERT_OK_AND_ASSIGN(Proof proof, ParseProof(text));
  EXPECT_EQ(SerializeProof(proof), text);
  ASSERT_NE(proof.Find("metadata.json"), nullptr);
  EXPECT_EQ(proof.Find("metadata.json")->stored_bytes, 5u);
  EXPECT_EQ(proof.Find("x"), nullptr);
  EXPECT_EQ(proof.manifest->files, 3u);
}

TEST(ProofTest, KeepsUnknownKeys) {
  ASSERT_OK_AND_ASSIGN(Proof proof, ParseProof(R"({"version":1,"hash":"xxh128","objects":[],"later":1})"));
  EXPECT_FALSE(proof.manifest.has_value());
  EXPECT_THAT(SerializeProof(proof), testing::HasSubstr(R"("later":1)"));
}

TEST(ProofTest, SaysWhereTheWalIsWhenItIsElsewhere) {
  Proof proof = Sample();
  EXPECT_EQ(SerializeProof(proof).find("\"wal\""), std::string::npos);
  proof.wal_elsewhere = true;
  ASSERT_OK_AND_ASSIGN(const Proof read, ParseProof(SerializeProof(proof)));
  EXPECT_TRUE(read.wal_elsewhere);
  EXPECT_EQ(SerializeProof(read), SerializeProof(proof));
}

TEST(ProofTest, RefusesNewerVersionsAndOtherHashes) {
  EXPECT_THAT(ParseProof(R"({"version":2,"hash":"xxh128","objects":[]})"), HasCode(Code::kNotSupported));
  EXPECT_THAT(ParseProof(R"({"version":1,"hash":"md5","objects":[]})"), HasCode(Code::kNotSupported));
}

TEST(ProofTest, RefusesDamageAndNamesIt) {
  const std::string good = SerializeProof(Sample());
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& text :
       {std::string("{}"), std::string("[]"), good.substr(0, 40), with("\"version\":1", "\"version\":0"),
        with("part_001", "../part_001"), with("tar_partitions/part_001.tar.zst", "/etc/passwd"), with("metadata.json", "tar_partitions/part_001.tar.zst"),
        with("0123456789abcdef0", "0123456789ABCDEF0"), with("\"stored_size\":10", "\"stored_size\":-10"),
        with("\"plain_size\":20,", ""), with("\"objects\":[", "\"objects\":[5,")}) {
    EXPECT_THAT(ParseProof(text), HasCode(Code::kCorruption)) << text;
  }
  EXPECT_THAT(ParseProof(with("\"stored_size\":10", "\"stored_size\":\"10\"")), MessageHas("objects[0]: stored_size"));
}

}  // namespace
}  // namespace walrig
