#include "cli/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "core/base/json.h"
#include "core/base/stop.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace walrig {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Answer {
  ExitCode code = ExitCode::kOk;
  std::string out, err;
};

Answer Call(std::vector<std::string> words, std::vector<const char*> environment = {}) {
  environment.push_back(nullptr);
  char* text = nullptr;
  size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  ::testing::internal::CaptureStderr();
  Answer answer;
  answer.code = Run({.words = words, .environment = environment.data(), .out = out, .stop = {}});
  answer.err = ::testing::internal::GetCapturedStderr();
  std::fclose(out);
  answer.out.assign(text, size);
  std::free(text);
  return answer;
}

TEST(RunTest, VersionAndHelpGoToStandardOutput) {
  EXPECT_THAT(Call({"--version"}).out, HasSubstr("walrig 0."));
  EXPECT_THAT(Call({"help", "wal-push"}).out, HasSubstr("Usage: walrig wal-push"));
  EXPECT_THAT(Call({"delete"}).out, HasSubstr("delete everything"));
  EXPECT_EQ(Call({"--help"}).code, ExitCode::kOk);
}

TEST(RunTest, UsageErrorsEndWithTwo) {
  EXPECT_EQ(Call({}).code, ExitCode::kUsage);
  EXPECT_EQ(Call({"no-such-command"}).code, ExitCode::kUsage);
  EXPECT_EQ(Call({"backup-list", "--nonsense"}).code, ExitCode::kUsage);
  EXPECT_EQ(Call({"backup-verify"}, {"WALG_FILE_PREFIX=/nowhere"}).code, ExitCode::kUsage);
  EXPECT_EQ(Call({"backup-fetch", "/d"}, {"WALG_FILE_PREFIX=/nowhere"}).code, ExitCode::kUsage);
}

TEST(RunTest, MissingStorageEndsWithOneAndAHint) {
  const Answer answer = Call({"backup-list"});
  EXPECT_EQ(answer.code, ExitCode::kError);
  EXPECT_THAT(answer.err, HasSubstr("no storage is configured"));
  EXPECT_EQ(answer.out, "");
}

TEST(RunTest, WalFetchNeverSaysAbsentWhenTheStorageIsNotThere) {
  const std::vector<std::string> words = {"wal-fetch", "000000010000000000000001", "/tmp/x"};
  for (const ExitCode code : {Call(words).code, Call(words, {"WALG_FILE_PREFIX=/no/such/directory"}).code}) {
    EXPECT_EQ(static_cast<int>(code), 126);
  }
}

TEST(RunTest, WalFetchNeverSaysAbsentWhenThePinsOfPluginsAreNotThere) {
  const test::TempDir dir;
  const std::string storage = "WALG_FILE_PREFIX=" + dir.path();
  const std::vector<std::string> words = {"wal-fetch", "000000010000000000000001", dir.path() + "/x"};
  const char* const lock = "WALRIG_PLUGIN_LOCK=/no/such/plugins.lock";
  EXPECT_EQ(static_cast<int>(Call(words, {storage.c_str(), lock, "WALG_LIBSODIUM_KEY=k"}).code), 126);
  EXPECT_EQ(static_cast<int>(Call(words, {storage.c_str(), lock}).code), 126);
}

// An empty variable of a script must not widen a deletion to every storage.
TEST(RunTest, AnEmptyTargetIsNoStorage) {
  const test::TempDir dir;
  const std::string storage = "WALG_FILE_PREFIX=" + dir.path();
  for (const char* command : {"rm", "cat", "stat"}) {
    const Answer answer = Call({"st", command, "x", "--target", ""}, {storage.c_str()});
    EXPECT_EQ(answer.code, ExitCode::kUsage) << command;
    EXPECT_THAT(answer.err, HasSubstr("--target"));
  }
  EXPECT_EQ(Call({"st", "transfer", "files", "", "--source", "x", "--target", ""}, {storage.c_str()}).code, ExitCode::kUsage);
}

TEST(RunTest, ConfigShowTellsOriginsAndHidesSecrets) {
  const Answer answer = Call({"config", "show", "--json", "--pghost=flag"}, {"PGPASSWORD=hush-hush", "PGUSER=me"});
  ASSERT_EQ(answer.code, ExitCode::kOk);
  EXPECT_THAT(answer.out, Not(HasSubstr("hush-hush")));
  ASSERT_OK_AND_ASSIGN(const Json list, ParseJson(answer.out, "output"));
  ASSERT_EQ(list.size(), 3u);
  for (const Json& row : list) {
    for (const char* member : {"name", "value", "origin", "where", "secret"}) EXPECT_TRUE(row.contains(member));
  }
  EXPECT_EQ(
      list[0],
      (Json{{"name", "PGHOST"}, {"value", "flag"}, {"origin", "flag"}, {"where", "flag --pghost"}, {"secret", false}}));
  EXPECT_EQ(list[2]["value"], "(hidden)");
}

TEST(RunTest, ConfigShowAllNamesEverySettingWithoutSecrets) {
  const Answer answer = Call({"config", "show", "--all"}, {"WALG_LIBSODIUM_KEY=hush-hush"});
  EXPECT_THAT(answer.out, HasSubstr("WALG_COMPRESSION_METHOD"));
  EXPECT_THAT(answer.out, Not(HasSubstr("hush-hush")));
}

TEST(RunTest, ConfigCheckNamesEachWrongValueWithoutSecrets) {
  const Answer answer = Call({"config", "check", "--json"}, {"WALG_UPLOAD_QUEUE=many", "WALG_PGP_KEY=hush-hush"});
  EXPECT_EQ(answer.code, ExitCode::kError);
  ASSERT_OK_AND_ASSIGN(const Json report, ParseJson(answer.out, "output"));
  EXPECT_EQ(report["ok"], false);
  EXPECT_THAT(answer.out, HasSubstr("WALG_UPLOAD_QUEUE"));
  EXPECT_THAT(answer.out + answer.err, Not(HasSubstr("hush-hush")));
}

TEST(RunTest, MalformedFileStopsEveryCommandThatReadsSettings) {
  const test::TempDir dir;
  const std::string path = dir.Write("c.json", "{");
  const Answer answer = Call({"backup-list", "--config", path}, {"WALG_FILE_PREFIX=/b"});
  EXPECT_EQ(answer.code, ExitCode::kError);
  EXPECT_THAT(answer.err, HasSubstr(path));
  EXPECT_EQ(Call({"version", "--config", path}).code, ExitCode::kOk);
}

TEST(RunTest, MalformedFileDoesNotShowWhatItHolds) {
  const test::TempDir dir;
  for (const char* name : {"c.json", "c.yaml", "c.env"}) {
    const std::string path =
        dir.Write(name, std::string(name) == "c.env" ? "PGPASSWORD='hush-hush\n" : "{\"PGPASSWORD\": \"hush-hush\n");
    const Answer answer = Call({"config", "show", "--config", path});
    EXPECT_EQ(answer.code, ExitCode::kError) << name;
    EXPECT_THAT(answer.err, Not(HasSubstr("hush-hush"))) << name;
  }
}

TEST(RunTest, LogGoesWhereAndHowTheSettingsSay) {
  const test::TempDir dir;
  const std::string destination = "WALG_LOG_DESTINATION=" + dir.File("log");
  const Answer answer = Call({"backup-list"}, {destination.c_str(), "WALRIG_LOG_FORMAT=json"});
  EXPECT_EQ(answer.err, "");
  ASSERT_OK_AND_ASSIGN(const Json line, ParseJson(dir.Read("log"), "log"));
  EXPECT_EQ(line["level"], "error");
}

TEST(RunTest, CommandThatASignalEndedSaysWhichOne) {
  const test::TempDir dir;
  dir.Write("storage-x.so", "");
  ASSERT_OK_AND_ASSIGN(const auto stop, StopSource::New());
  stop->RequestStop();
  const std::vector<std::string> words = {"plugin", "list", "--plugin-dir", dir.path()};
  const char* const environment[] = {"WALRIG_PLUGIN_TRUST=any", nullptr};
  for (int (*signal)() : {+[] { return SIGTERM; }, +[] { return 0; }}) {
    ::testing::internal::CaptureStderr();
    const ExitCode code = walrig::Run(
        {.words = words, .environment = environment, .out = stdout, .stop = stop->token(), .last_signal = signal});
    const std::string err = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(code, signal() == 0 ? ExitCode::kError : ExitCode::kTerminated);
    EXPECT_EQ(err.find("stopped by SIGTERM") != std::string::npos, signal() != 0) << err;
  }
}

TEST(RunTest, SignalsHaveTheCodesOfShells) {
  EXPECT_EQ(static_cast<int>(ExitCodeOfSignal(SIGINT)), 130);
  EXPECT_EQ(static_cast<int>(ExitCodeOfSignal(SIGTERM)), 143);
  EXPECT_EQ(static_cast<int>(ExitCodeOfSignal(SIGHUP)), 129);
  EXPECT_EQ(static_cast<int>(ExitCodeOfSignal(0)), 1);
}

}  // namespace
}  // namespace walrig
