#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "cli/command.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace walrig {
namespace {

using ::testing::HasSubstr;

TEST(CompletionTest, EveryShellKnowsEveryOption) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    ASSERT_OK_AND_ASSIGN(const std::string script, CompletionScript(shell));
    for (const Command* command : AllCommands()) {
      if (command->hidden) continue;
      for (const CliOption& option : command->options)
        EXPECT_THAT(script, HasSubstr(std::string(option.name))) << shell;
    }
    EXPECT_THAT(script, HasSubstr("walg-file-prefix")) << shell;
  }
}

TEST(CompletionTest, RefusesOtherShells) {
  EXPECT_THAT(CompletionScript("tcsh"), test::HasCode(Code::kInvalidArgument));
}

class BashCompletionTest : public ::testing::Test {
 protected:
  // What bash would offer for the words, the last of which is being typed.
  std::string Offers(const std::string& words) {
    const Result<std::string> script = CompletionScript("bash");
    dir_.Write("c.bash", *script);
    dir_.Write("t.bash", "source " + dir_.File("c.bash") + "\nCOMP_WORDS=(walrig " + words +
                             ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_walrig\nprintf '%s ' \"${COMPREPLY[@]}\"\n");
    const std::string command = "bash " + dir_.File("t.bash") + " > " + dir_.File("out") + " 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return dir_.Read("out");
  }
  test::TempDir dir_;
};

TEST_F(BashCompletionTest, OffersCommandsThenTheirSecondWordsThenOptions) {
  EXPECT_EQ(Offers("backup-l"), "backup-list ");
  EXPECT_EQ(Offers("delete t"), "target ");
  EXPECT_EQ(Offers("backup-list --pret"), "--pretty ");
  EXPECT_EQ(Offers("backup-fetch /d LATEST --target-action pr"), "promote ");
  EXPECT_EQ(Offers("--walg-file-pre"), "--walg-file-prefix ");
}

}  // namespace
}  // namespace walrig
