#include "core/base/logger.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "core/base/json.h"
#include "core/base/string_util.h"
#include "core/base/time_format.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace walrig {
namespace {

using test::FakeClock;
using test::TempDir;

class LoggerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Logger> Make(LogLevel level, bool json) {
    Logger::Options options;
    options.level = level;
    options.json = json;
    options.path = dir_.File("log");
    options.clock = &clock_;
    Result<std::unique_ptr<Logger>> logger = Logger::Open(options);
    EXPECT_OK(logger);
    return std::move(logger).value();
  }
  std::string Text() const { return dir_.Read("log"); }

  TempDir dir_;
  FakeClock clock_;
};

// Else the server's user could not write to a log that an administrator's command made.
TEST_F(LoggerTest, ANewLogOfRootBelongsToTheOwnerOfItsFolderAndAnOldOneIsLeft) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(::chown(dir_.path().c_str(), 1234, 1234), 0);
  struct stat info = {};
  Make(LogLevel::kDebug, false);
  ASSERT_EQ(::stat(dir_.File("log").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 1234u);
  ASSERT_EQ(::chown(dir_.File("log").c_str(), 0, 0), 0);
  Make(LogLevel::kDebug, false);
  ASSERT_EQ(::stat(dir_.File("log").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0u);
}

TEST_F(LoggerTest, WritesLinesAsWalGDoes) {
  auto logger = Make(LogLevel::kDebug, false);
  logger->Write(LogLevel::kInfo, "backup", "it began");
  logger->Write(LogLevel::kError, "", "it broke");
  logger->Write(LogLevel::kDebug, "", "detail");
  logger->Write(LogLevel::kTrace, "", "not shown");
  std::string time = FormatLogTime(FakeClock::kStartWallNs);
  EXPECT_EQ(Text(), "INFO: " + time + " it began\nERROR: " + time + " it broke\nDEBUG: " + time + " detail\n");
}

TEST_F(LoggerTest, WritesOneJsonObjectALine) {
  auto logger = Make(LogLevel::kInfo, true);
  logger->Write(LogLevel::kWarning, "storage/fs", "say \"no\"\nto \xff");
  std::string text = Text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  ASSERT_OK_AND_ASSIGN(Json line, ParseJson(text, "log"));
  EXPECT_EQ(line["time"], FormatRfc3339Nano(FakeClock::kStartWallNs));
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["area"], "storage/fs");
  EXPECT_EQ(line["message"], "say \"no\"\nto \xef\xbf\xbd");
}

TEST_F(LoggerTest, SecretsAreBlottedOutInBothForms) {
  for (bool json : {false, true}) {
    auto logger = Make(LogLevel::kInfo, json);
    logger->RegisterSecret("hunter2");
    logger->RegisterSecret("hunter2-and-more");
    logger->RegisterSecret("");
    logger->Write(LogLevel::kInfo, "", "key hunter2, key hunter2-and-more, hunter2hunter2");
  }
  std::string text = Text();
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
  EXPECT_EQ(text.find("and-more"), std::string::npos) << text;
  EXPECT_NE(text.find("key ***, key ***, ******"), std::string::npos) << text;
}

TEST_F(LoggerTest, SecretMadeOfStarsComesToAnEnd) {
  auto logger = Make(LogLevel::kInfo, false);
  logger->RegisterSecret("*****");
  logger->RegisterSecret("*");
  logger->Write(LogLevel::kInfo, "", "a*****b, c=*");
  EXPECT_NE(Text().find("a***b, c=***"), std::string::npos) << Text();
}

TEST_F(LoggerTest, SecretOfALetterOrTwoLeavesTheWordsThatHoldIt) {
  auto logger = Make(LogLevel::kInfo, false);
  for (const char* secret : {"a", "1", "is", "0x"}) logger->RegisterSecret(secret);
  logger->Write(LogLevel::kInfo, "", "a segment of timeline 1 is archived: 000000010000000000000001");
  EXPECT_NE(Text().find("a segment of timeline 1 is archived: 000000010000000000000001"), std::string::npos) << Text();
}

TEST_F(LoggerTest, SecretOfALetterOrTwoIsBlottedOutWhereItIsAValue) {
  auto logger = Make(LogLevel::kInfo, false);
  for (const char* secret : {"a", "is"}) logger->RegisterSecret(secret);
  logger->Write(LogLevel::kInfo, "", "password=a, key 'is', \"a\", postgres://user:is@host, secret=a");
  EXPECT_NE(Text().find("password=***, key '***', \"***\", postgres://user:***@host, secret=***"), std::string::npos) << Text();
}

TEST_F(LoggerTest, HostileNameCannotForgeALine) {
  auto logger = Make(LogLevel::kInfo, false);
  logger->Write(LogLevel::kInfo, "", "file x\nERROR: 2026/01/01 00:00:00.000000 forged\x1b[2J");
  std::string text = Text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(LoggerTest, LevelCanChangeWhileItRuns) {
  auto logger = Make(LogLevel::kError, false);
  EXPECT_FALSE(logger->Enabled(LogLevel::kInfo));
  logger->Write(LogLevel::kInfo, "", "one");
  logger->SetLevel(LogLevel::kInfo);
  EXPECT_TRUE(logger->Enabled(LogLevel::kInfo));
  logger->Write(LogLevel::kInfo, "", "two");
  EXPECT_EQ(Text().find("one"), std::string::npos);
  EXPECT_NE(Text().find("two"), std::string::npos);
}

TEST_F(LoggerTest, AppendsToTheFileThatIsThere) {
  dir_.Write("log", "before\n");
  Make(LogLevel::kInfo, false)->Write(LogLevel::kInfo, "", "after");
  EXPECT_TRUE(StartsWith(Text(), "before\nINFO: "));
}

TEST_F(LoggerTest, LinesOfThreadsDoNotMix) {
  auto logger = Make(LogLevel::kInfo, false);
  {
    std::vector<std::jthread> threads;
    for (char c : {'a', 'b', 'c', 'd'}) {
      threads.emplace_back([&logger, c] {
        for (int i = 0; i < 200; ++i) logger->Write(LogLevel::kInfo, "", std::string(300, c));
      });
    }
  }
  std::vector<std::string> lines = Split(Text(), '\n');
  ASSERT_EQ(lines.size(), 801u);
  lines.pop_back();
  for (const std::string& line : lines) {
    std::string_view message = std::string_view(line).substr(line.size() - 300);
    ASSERT_EQ(message, std::string(300, message[0]));
  }
}

TEST(LoggerOpenTest, DirectoryThatIsNotThereIsNamed) {
  Logger::Options options;
  options.path = "/nonexistent/walrig.log";
  EXPECT_THAT(Logger::Open(options), test::MessageHas("log: open /nonexistent/walrig.log"));
}

TEST(LoggerWriteTest, FullDiskDoesNotStopAnybody) {
  Logger::Options options;
  options.path = "/dev/full";
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<Logger> logger, Logger::Open(options));
  logger->Write(LogLevel::kInfo, "", "lost");
  EXPECT_TRUE(logger->Enabled(LogLevel::kInfo));
}

}  // namespace
}  // namespace walrig
