#include "core/pipeline/object_form.h"

#include <gtest/gtest.h>

#include <string>

namespace walrig::test {
namespace {

ObjectForm FormOf(std::string_view head) { return FormOfObject(AsBytes(head)); }

TEST(ObjectFormTest, KnowsTheMagicNumbers) {
  EXPECT_EQ(FormOf("\x89WRGC\r\n\x1A rest"), ObjectForm::kGcrypt);
  EXPECT_EQ(FormOf("\x28\xB5\x2F\xFD rest"), ObjectForm::kZstd);
  EXPECT_EQ(FormOf("\x04\x22\x4D\x18 rest"), ObjectForm::kLz4);
  EXPECT_EQ(FormOf("yckms\x01"), ObjectForm::kEnvelope);
  std::string tar(512, '\0');
  tar.replace(257, 5, "ustar");
  EXPECT_EQ(FormOf(tar), ObjectForm::kTar);
}

TEST(ObjectFormTest, KnowsOpenPgpByPacketAndVersion) {
  EXPECT_EQ(FormOf(std::string_view("\xC1\x5E\x03\x12\x34\x56", 6)), ObjectForm::kOpenPgp);
  EXPECT_EQ(FormOf(std::string_view("\x85\x01\x0C\x03\x12\x34", 6)), ObjectForm::kOpenPgp);
  EXPECT_EQ(FormOf(std::string_view("\x8C\x0D\x04\x09\x03\x08", 6)), ObjectForm::kOpenPgp);
  EXPECT_EQ(FormOf(std::string_view("\xC1\x5E\x09\x12\x34\x56", 6)), ObjectForm::kUnknown);
}

TEST(ObjectFormTest, AMagicNumberThatIsCutShortIsUnknown) {
  EXPECT_EQ(FormOf(""), ObjectForm::kUnknown);
  EXPECT_EQ(FormOf("\x28\xB5\x2F"), ObjectForm::kUnknown);
  EXPECT_EQ(FormOf("\x89WRGC\r\n"), ObjectForm::kUnknown);
}

TEST(ObjectFormTest, PlainAndEncryptedFormsAreDisjoint) {
  for (int form = 0; form <= static_cast<int>(ObjectForm::kTar); ++form) {
    const auto each = static_cast<ObjectForm>(form);
    EXPECT_FALSE(IsPlainForm(each) && !CipherOfForm(each).empty());
    EXPECT_EQ(FormName(each).empty(), each == ObjectForm::kUnknown);
  }
}

}  // namespace
}  // namespace walrig::test
