#include "cli/usage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "cli/args.h"

namespace walrig {
namespace {

using ::testing::HasSubstr;

TEST(UsageTest, MainHelpNamesEveryVisibleCommand) {
  const std::string help = MainHelp();
  for (const Command* command : AllCommands()) {
    if (command->hidden) continue;
    EXPECT_THAT(help, HasSubstr("  " + std::string(command->name) + " "));
  }
}

TEST(UsageTest, HelpOfEveryCommandNamesAllItsOptions) {
  for (const Command* command : AllCommands()) {
    const std::string help = CommandHelp(*command);
    EXPECT_THAT(help, HasSubstr("Usage: walrig " + std::string(command->name)));
    for (const CliOption& option : command->options) {
      EXPECT_THAT(help, HasSubstr("--" + std::string(option.name))) << command->name;
    }
  }
}

TEST(UsageTest, EveryCommandIsWholeAndItsOptionsAreUnique) {
  std::set<std::string_view> names;
  for (const Command* command : AllCommands()) {
    EXPECT_TRUE(names.insert(command->name).second) << command->name;
    EXPECT_NE(command->run, nullptr) << command->name;
    EXPECT_FALSE(command->summary.empty()) << command->name;
    EXPECT_LE(command->arguments_min, command->arguments_max) << command->name;
    std::set<std::string_view> options;
    std::set<char> letters;
    for (const CliOption& option : command->options) {
      EXPECT_TRUE(options.insert(option.name).second) << command->name << " --" << option.name;
      if (option.letter != 0) {
        EXPECT_TRUE(letters.insert(option.letter).second) << command->name << " -" << option.letter;
      }
      EXPECT_EQ(option.value_name.empty(), option.kind == OptionKind::kFlag) << command->name << " --" << option.name;
    }
  }
}

// A command's option of a global or a setting's name would never be reached.
TEST(UsageTest, NoOptionOfACommandIsHiddenByAGlobalOne) {
  for (const Command* command : AllCommands()) {
    for (const CliOption& option : command->options) {
      EXPECT_EQ(FindKeyOfFlag(option.name), nullptr) << command->name << " --" << option.name;
      for (const GlobalOption& global : GlobalOptions()) EXPECT_NE(global.name, option.name) << command->name;
    }
  }
}

TEST(UsageTest, FlagsHelpNamesEverySetting) {
  const std::string help = FlagsHelp();
  for (const KeySpec& key : AllKeys()) EXPECT_THAT(help, HasSubstr("--" + FlagName(key.name) + " "));
}

TEST(UsageTest, ManPageHasNoLineThatBeginsAnUnknownMacro) {
  const std::string page = ManPage();
  EXPECT_EQ(page.rfind(".TH WALRIG 1", 0), 0u);
  const std::set<std::string> known = {".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".I"};
  size_t at = 0;
  while (at < page.size()) {
    const size_t end = page.find('\n', at);
    const std::string line = page.substr(at, end - at);
    if (!line.empty() && (line[0] == '.' || line[0] == '\'')) {
      EXPECT_EQ(known.count(line.substr(0, line.find(' '))), 1u) << line;
    }
    at = end + 1;
  }
}

TEST(UsageTest, VersionLineBeginsWithNameAndNumber) { EXPECT_EQ(VersionLine().rfind("walrig 0.", 0), 0u); }

}  // namespace
}  // namespace walrig
