#include "cli/args.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;
using ::testing::ElementsAre;

Result<ParsedLine> Parse(std::vector<std::string> words) { return ParseLine(words); }

TEST(ArgsTest, TakesSettingsAsFlagsWithEqualsSignOrNextWord) {
  ASSERT_OK_AND_ASSIGN(const ParsedLine line,
                       Parse({"--walg-file-prefix", "/b", "backup-list", "--pghost=h", "--json", "--file-prefix=/c"}));
  ASSERT_NE(line.command, nullptr);
  EXPECT_EQ(line.command->name, "backup-list");
  ASSERT_EQ(line.flags.size(), 3u);
  EXPECT_EQ(line.flags[0].key, "WALG_FILE_PREFIX");
  EXPECT_EQ(line.flags[0].value, "/b");
  EXPECT_EQ(line.flags[0].where, "flag --walg-file-prefix");
  EXPECT_EQ(line.flags[1].key, "PGHOST");
  EXPECT_EQ(line.flags[2].key, "FILE_PREFIX");
  EXPECT_EQ(line.options.count("json"), 1u);
}

TEST(ArgsTest, GlobalOptionsStandForSettings) {
  ASSERT_OK_AND_ASSIGN(const ParsedLine line, Parse({"backup-list", "--storage=fs,prefix=/b", "--config", "/c",
                                                     "--turbo", "--plugin-dir=/p", "--plugin-dir", "/q"}));
  EXPECT_EQ(line.config_path, "/c");
  EXPECT_TRUE(line.turbo);
  ASSERT_EQ(line.flags.size(), 2u);
  EXPECT_EQ(line.flags[0].key, "WALRIG_STORAGE");
  EXPECT_EQ(line.flags[0].value, "fs,prefix=/b");
  EXPECT_EQ(line.flags[0].where, "flag --storage");
  EXPECT_EQ(line.flags[1].key, "WALRIG_PLUGIN_DIR");
  EXPECT_EQ(line.flags[1].value, "/p:/q");
}

TEST(ArgsTest, TakesShortAndLongOptionsOfACommand) {
  ASSERT_OK_AND_ASSIGN(const ParsedLine line, Parse({"backup-push", "-pf", "/data", "--add-user-data", "{\"a\":1}"}));
  EXPECT_THAT(line.arguments, ElementsAre("/data"));
  EXPECT_EQ(line.options.count("permanent"), 1u);
  EXPECT_EQ(line.options.count("full"), 1u);
  EXPECT_THAT(line.options.at("add-user-data"), ElementsAre("{\"a\":1}"));
}

TEST(ArgsTest, UnknownOptionIsNamedWithoutItsValue) {
  const Result<ParsedLine> line = Parse({"backup-list", "--walg-libsodium-kye=hush"});
  EXPECT_THAT(line, HasCode(Code::kInvalidArgument));
  EXPECT_THAT(line.status().ToString(), ::testing::AllOf(::testing::HasSubstr("did you mean --walg-libsodium-key?"),
                                                         ::testing::Not(::testing::HasSubstr("hush"))));
  EXPECT_THAT(Parse({"backup-list", "--storge=fs"}), MessageHas("did you mean --storage?"));
}

TEST(ArgsTest, OptionalValueNeverTakesTheNextWord) {
  ASSERT_OK_AND_ASSIGN(const ParsedLine bare, Parse({"backup-push", "--verify", "/data"}));
  EXPECT_THAT(bare.options.at("verify"), ElementsAre("warn"));
  EXPECT_THAT(bare.arguments, ElementsAre("/data"));
  ASSERT_OK_AND_ASSIGN(const ParsedLine strict, Parse({"backup-push", "--verify=strict", "/data"}));
  EXPECT_THAT(strict.options.at("verify"), ElementsAre("strict"));
  ASSERT_OK_AND_ASSIGN(const ParsedLine letter, Parse({"backup-push", "-v", "/data"}));
  EXPECT_THAT(letter.arguments, ElementsAre("/data"));
}

TEST(ArgsTest, ListOptionsKeepTheirOrder) {
  ASSERT_OK_AND_ASSIGN(const ParsedLine line, Parse({"backup-fetch", "/d", "LATEST", "--tablespace-mapping", "/a=/b",
                                                     "--tablespace-mapping=/c=/d"}));
  EXPECT_THAT(line.options.at("tablespace-mapping"), ElementsAre("/a=/b", "/c=/d"));
}

TEST(ArgsTest, WordsAfterTwoDashesAreArguments) {
  ASSERT_OK_AND_ASSIGN(const ParsedLine line, Parse({"wal-fetch", "--", "--pghost", "-x"}));
  EXPECT_THAT(line.arguments, ElementsAre("--pghost", "-x"));
  EXPECT_TRUE(line.flags.empty());
}

TEST(ArgsTest, LongestNameOfACommandWins) {
  ASSERT_OK_AND_ASSIGN(const ParsedLine line, Parse({"delete", "target", "base_1"}));
  EXPECT_EQ(line.command->name, "delete target");
  EXPECT_THAT(line.arguments, ElementsAre("base_1"));
}

TEST(ArgsTest, ErrorsSayWhatWasMeant) {
  EXPECT_THAT(Parse({"backup-lst"}), MessageHas("backup-list"));
  EXPECT_THAT(Parse({"backup-push", "--permanet"}), MessageHas("--permanent"));
  EXPECT_THAT(Parse({"backup-list", "--walg-file-prefx", "/b"}), MessageHas("--walg-file-prefix"));
  EXPECT_THAT(Parse({"wal-receive"}), MessageHas("does not yet"));
}

TEST(ArgsTest, RefusesAbbreviatedOptions) {
  EXPECT_THAT(Parse({"backup-push", "--perm"}), HasCode(Code::kInvalidArgument));
}

TEST(ArgsTest, RefusesWrongLines) {
  const std::vector<std::vector<std::string>> wrong = {{"wal-push"},                        // too few
                                                       {"wal-push", "a", "b"},              // too many
                                                       {"backup-list", "x"},                // none wanted
                                                       {"backup-list", "--storage"},        // no value
                                                       {"backup-list", "--turbo=yes"},      // a value for a switch
                                                       {"backup-list", "--json=yes"},       // a value for a flag
                                                       {"backup-push", "--verify=loudly"},  // no such choice
                                                       {"backup-push", "--add-user-data"},  // no value
                                                       {"--json", "backup-list"},  // a command's option before it
                                                       {"backup-list", "--walg_file_prefix", "/b"},
                                                       {"backup-list", ""}};
  for (const auto& words : wrong) {
    EXPECT_THAT(Parse(words), HasCode(Code::kInvalidArgument)) << ::testing::PrintToString(words);
  }
}

TEST(ArgsTest, HelpForgivesWhatIsMissing) {
  ASSERT_OK_AND_ASSIGN(const ParsedLine line, Parse({"wal-push", "--help"}));
  EXPECT_TRUE(line.help);
  EXPECT_EQ(line.command->name, "wal-push");
  ASSERT_OK_AND_ASSIGN(const ParsedLine nothing, Parse({}));
  EXPECT_EQ(nothing.command, nullptr);
}

}  // namespace
}  // namespace walrig
