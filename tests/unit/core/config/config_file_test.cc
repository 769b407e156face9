#include "core/config/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOkAndHolds;
using test::MessageHas;

std::string Flat(const std::vector<ConfigEntry>& entries) {
  std::string out;
  for (const ConfigEntry& entry : entries) {
    out += entry.key + "=" + entry.text + "@" + std::to_string(entry.line) + "\n";
  }
  return out;
}

std::string Parsed(ConfigFormat format, std::string_view text) {
  const Result<std::vector<ConfigEntry>> entries = ParseConfig(format, text, "/f");
  return entries.ok() ? Flat(*entries) : "error: " + entries.status().ToString();
}

TEST(ConfigFileTest, ReadsJsonScalarsAndMaps) {
  EXPECT_EQ(Parsed(ConfigFormat::kJson, R"({"A":"x","B":5433,"C":true,"D":null,"E":{"k":[1,"2"]}})"),
            "A=x@0\nB=5433@0\nC=true@0\nE={\"k\":[1,\"2\"]}@0\n");
}

TEST(ConfigFileTest, ReadsYamlWithLines) {
  EXPECT_EQ(Parsed(ConfigFormat::kYaml, "# comment\nA: x\nB: 5433\nC: 'a: b'\nD:\nE:\n  k: v\n"),
            "A=x@2\nB=5433@3\nC=a: b@4\nE={\"k\":\"v\"}@6\n");
}

TEST(ConfigFileTest, ReadsEnvForms) {
  EXPECT_EQ(Parsed(ConfigFormat::kEnv,
                   "# c\nA=x\nexport B = y z # note\nC: w\nD='a # b'\nE=\"l\\n\\\"q\\\"\" # c\nF=\nG=p#q\r\n"),
            "A=x@2\nB=y z@3\nC=w@4\nD=a # b@5\nE=l\n\"q\"@6\nF=@7\nG=p#q@8\n");
}

TEST(ConfigFileTest, LeavesDollarsInEnvFilesAlone) {
  EXPECT_EQ(Parsed(ConfigFormat::kEnv, "P=\"a$HOME\""), "P=a$HOME@1\n");
}

TEST(ConfigFileTest, EmptyFilesHoldNothing) {
  EXPECT_EQ(Parsed(ConfigFormat::kYaml, ""), "");
  EXPECT_EQ(Parsed(ConfigFormat::kYaml, "# nothing\n"), "");
  EXPECT_EQ(Parsed(ConfigFormat::kEnv, "\n\n"), "");
}

TEST(ConfigFileTest, MalformedFilesAreErrorsWithTheLine) {
  const struct {
    ConfigFormat format;
    const char* text;
    const char* line;
  } cases[] = {{ConfigFormat::kJson, "{\n\"A\": \"x\"\n\"B\": 1}", "line 3"},
               {ConfigFormat::kYaml, "A: x\nB: [1\n", "line "},
               {ConfigFormat::kYaml, "A: x\n\tB: y\n", "line 2"},
               {ConfigFormat::kEnv, "A=x\nthis is no setting\n", "line 2"},
               {ConfigFormat::kEnv, "A=x\n\nB=\"open\n", "line 3"},
               {ConfigFormat::kEnv, "A='x' y\n", "line 1"},
               {ConfigFormat::kEnv, "=x\n", "line 1"}};
  for (const auto& each : cases) {
    const auto entries = ParseConfig(each.format, each.text, "/f");
    EXPECT_THAT(entries, HasCode(Code::kConfig)) << each.text;
    EXPECT_THAT(entries, MessageHas(each.line)) << each.text;
    EXPECT_THAT(entries, MessageHas("/f")) << each.text;
  }
}

TEST(ConfigFileTest, DocumentsThatAreNoMapAreErrors) {
  EXPECT_THAT(ParseConfig(ConfigFormat::kJson, "[1]", "/f"), HasCode(Code::kConfig));
  EXPECT_THAT(ParseConfig(ConfigFormat::kYaml, "- 1\n- 2\n", "/f"), HasCode(Code::kConfig));
  EXPECT_THAT(ParseConfig(ConfigFormat::kYaml, "just text", "/f"), HasCode(Code::kConfig));
  EXPECT_THAT(ParseConfig(ConfigFormat::kYaml, "A: 1\n---\nB: 2\n", "/f"), HasCode(Code::kConfig));
}

TEST(ConfigFileTest, TextThatBelongsToNoYamlValueIsAnErrorWithItsLine) {
  for (const std::string_view text : {",", "A: 1\n,\n", "- 1\n(in (\n\"a\",\n", "A: 1\n...\n,"}) {
    const auto entries = ParseConfig(ConfigFormat::kYaml, text, "/f");
    EXPECT_THAT(entries, HasCode(Code::kConfig)) << text;
    EXPECT_NE(entries.status().message().find("line"), std::string_view::npos) << entries.status().ToString();
  }
}

TEST(ConfigFileTest, YamlAliasesCannotGrowWithoutBound) {
  std::string text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) text += "," + before;
    text += "]\n";
  }
  EXPECT_THAT(ParseConfig(ConfigFormat::kYaml, text, "/f"), HasCode(Code::kConfig));
}

TEST(ConfigFileTest, DeepNestingIsAnErrorInEveryForm) {
  const std::string deep(100'000, '[');
  EXPECT_THAT(ParseConfig(ConfigFormat::kJson, "{\"A\":" + deep, "/f"), HasCode(Code::kConfig));
  EXPECT_THAT(ParseConfig(ConfigFormat::kYaml, "A: " + deep, "/f"), HasCode(Code::kConfig));
}

TEST(ConfigFileTest, RefusesHugeFiles) {
  EXPECT_THAT(ParseConfig(ConfigFormat::kEnv, std::string(kConfigBytesMax + 1, '\n'), "/f"), HasCode(Code::kConfig));
}

TEST(ConfigFileTest, TellsTheFormatByExtension) {
  EXPECT_THAT(FormatOfConfig("/x/.walg.JSON", ""), IsOkAndHolds(ConfigFormat::kJson));
  EXPECT_THAT(FormatOfConfig("a.yml", ""), IsOkAndHolds(ConfigFormat::kYaml));
  EXPECT_THAT(FormatOfConfig("/etc/walg/.env", ""), IsOkAndHolds(ConfigFormat::kEnv));
  EXPECT_THAT(FormatOfConfig("a.toml", ""), HasCode(Code::kConfig));
}

TEST(ConfigFileTest, TellsTheFormatByContentWithoutExtension) {
  EXPECT_THAT(FormatOfConfig("/etc/walg", "# c\n{\"A\":1}"), IsOkAndHolds(ConfigFormat::kJson));
  EXPECT_THAT(FormatOfConfig("/etc.d/walg", "A: http://x?a=b"), IsOkAndHolds(ConfigFormat::kYaml));
  EXPECT_THAT(FormatOfConfig("walg", "A=b:c"), IsOkAndHolds(ConfigFormat::kEnv));
}

}  // namespace
}  // namespace walrig
