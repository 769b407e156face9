#include "core/layout/seal.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;

constexpr std::string_view kEmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

Seal SampleSeal() {
  Seal seal;
  seal.backup = "base_000000010000000000000002";
  seal.documents = {{"walrig.json", 0, std::string(kEmptySha256)},
                    {"backup_stop_sentinel.json", 12, std::string(64, 'a')},
                    {"backup_manifest", 1u << 20, std::string(64, '0')}};
  return seal;
}

TEST(SealTest, RoundTrips) {
  const std::string text = SerializeSeal(SampleSeal());
  ASSERT_OK_AND_ASSIGN(const Seal seal, ParseSeal(text, "seal"));
  EXPECT_EQ(SerializeSeal(seal), text);
  EXPECT_EQ(seal.backup, "base_000000010000000000000002");
  ASSERT_NE(seal.Find("backup_manifest"), nullptr);
  EXPECT_EQ(seal.Find("backup_manifest")->size_bytes, 1u << 20);
  EXPECT_EQ(seal.Find("metadata.json"), nullptr);
}

TEST(SealTest, RefusesNewerVersions) {
  std::string text = SerializeSeal(SampleSeal());
  text.replace(text.find("\"version\":1"), 11, "\"version\":2");
  EXPECT_THAT(ParseSeal(text, "seal"), HasCode(Code::kNotSupported));
}

TEST(SealTest, RefusesDamageAndNamesIt) {
  const std::string good = SerializeSeal(SampleSeal());
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("[]"), good.substr(0, good.size() / 2), with("\"version\":1", "\"version\":0"),
        with("base_000000010000000000000002", ""), with("\"documents\":[", "\"documents\":[5,"),
        with("\"backup_manifest\"", "\"walrig.json\""), with("\"name\":\"walrig.json\"", "\"name\":\"other\""),
        with("\"name\":\"backup_stop_sentinel.json\"", "\"name\":\"other\""), with("e3b0c4", "E3b0c4"), with("e3b0c4", "e3b0c"),
        with("\"size\":12", "\"size\":-12"), with("\"size\":12,", "")}) {
    EXPECT_THAT(ParseSeal(text, "seal"), HasCode(Code::kCorruption)) << text;
  }
  EXPECT_THAT(ParseSeal(with("\"size\":12,", ""), "seal"), MessageHas("documents[1]: size"));
}

TEST(SealTest, HashesAreSha256) {
  ASSERT_OK_AND_ASSIGN(const SealedDocument document, SealDocument("walrig.json", ""));
  EXPECT_EQ(document.sha256, kEmptySha256);
  EXPECT_EQ(document.size_bytes, 0u);
}

TEST(SealTest, OneOtherByteAnotherSizeOrANameThatWasNotSealedIsCorruption) {
  Seal seal = SampleSeal();
  ASSERT_OK_AND_ASSIGN(seal.documents[0], SealDocument("walrig.json", "one"));
  EXPECT_OK(CheckSealed(seal, "walrig.json", "one", "b/walrig.json"));
  EXPECT_THAT(CheckSealed(seal, "walrig.json", "onf", "b/walrig.json"), HasCode(Code::kCorruption));
  EXPECT_THAT(CheckSealed(seal, "walrig.json", "onf", "b/walrig.json"), MessageHas("b/walrig.json"));
  EXPECT_THAT(CheckSealed(seal, "files_metadata.json", "one", "b/files_metadata.json"), MessageHas("is not in the seal"));
  EXPECT_THAT(CompareSealed(seal.documents[0], 4, seal.documents[0].sha256, "k"), HasCode(Code::kCorruption));
}

}  // namespace
}  // namespace walrig
