#include "cli/restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>

#include "core/base/stop.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "walrig/log.h"

namespace walrig {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr const char* kSegment = "000000010000000000000003";
constexpr const char* kHistory = "00000002.history";

// Does something while others sleep.
class BusyClock final : public Clock {
 public:
  int64_t WallNs() const override { return static_cast<int64_t>(1'790'000'000 * kSecond + elapsed_ns_); }
  uint64_t MonotonicNs() const override { return kSecond + elapsed_ns_; }
  void SleepNs(uint64_t ns, int) override {
    elapsed_ns_ += ns;
    if (meanwhile) meanwhile();
  }
  double seconds() const { return static_cast<double>(elapsed_ns_) / 1e9; }

  std::function<void()> meanwhile;

 private:
  uint64_t elapsed_ns_ = 0;
};

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class RestoreTest : public ::testing::Test {
 protected:
  RestoreTest() {
    std::filesystem::create_directories(dir_.File("data/pg_wal"));
    std::filesystem::create_directories(dir_.File("archive/wal_005"));
    environment_ = {"WALRIG_PLUGIN_TRUST=any", std::string("WALRIG_PLUGIN_DIR=") + WALRIG_TEST_PLUGINDIR,
                    "WALG_FILE_PREFIX=" + dir_.File("archive"), "WALRIG_RETRY_ATTEMPTS=1"};
  }

  void BeRecovery() { dir_.Write("data/recovery.signal", ""); }
  void BeStandby() { dir_.Write("data/standby.signal", ""); }
  void LoseArchive() { std::filesystem::rename(dir_.File("archive"), dir_.File("lost")); }
  void FindArchive() { std::filesystem::rename(dir_.File("lost"), dir_.File("archive")); }
  std::string Destination() const { return dir_.File("data/pg_wal/RECOVERYXLOG"); }
  std::string Note() const { return dir_.File(std::string("data/pg_wal/walg_data/walrig_unanswered/") + kHistory); }

  int Call(std::vector<std::string> words) {
    std::vector<const char*> environment;
    for (const std::string& entry : environment_) environment.push_back(entry.c_str());
    environment.push_back(nullptr);
    clock_ = BusyClock();
    clock_.meanwhile = meanwhile_;
    ::testing::internal::CaptureStderr();
    const ExitCode code = walrig::Run({.words = words,
                               .environment = environment.data(),
                               .out = out_,
                               .stop = stop_ != nullptr ? stop_->token() : StopToken(),
                               .last_signal = stop_ != nullptr ? +[] { return SIGTERM; } : nullptr,
                               .clock = &clock_});
    err_ = ::testing::internal::GetCapturedStderr();
    return static_cast<int>(code);
  }
  int Fetch(const std::string& name) {
    std::filesystem::remove(Destination());
    return Call({"wal-fetch", name, Destination()});
  }
  void Set(const std::string& entry) { environment_.push_back(entry); }

  static std::string Segment() {
    std::string bytes(1u << 20, '\0');
    const auto put = [&bytes](size_t at, auto value) { std::memcpy(bytes.data() + at, &value, sizeof value); };
    put(0, uint16_t{0xD110});
    put(2, uint16_t{0x0002});
    put(4, uint32_t{1});
    put(8, uint64_t{3u << 20});
    put(24, uint64_t{77});
    put(32, uint32_t{1u << 20});
    put(36, uint32_t{8192});
    return bytes;
  }

  test::TempDir dir_;
  std::FILE* out_ = stdout;
  std::vector<std::string> environment_;
  std::unique_ptr<StopSource> stop_;
  std::function<void()> meanwhile_;
  BusyClock clock_;
  std::string err_;
};

TEST_F(RestoreTest, FetchesAndSaysAbsentWithoutAnError) {
  BeRecovery();
  dir_.Write("archive/wal_005/00000002.history", "1\t0/3000000\twhy\n");
  EXPECT_EQ(Fetch(kHistory), 0);
  EXPECT_EQ(Fetch("00000003.history"), 74);
  EXPECT_THAT(err_, AllOf(HasSubstr("INFO: "), HasSubstr("Archive '00000003.history' does not exist."), Not(HasSubstr("ERROR"))));
  EXPECT_EQ(clock_.seconds(), 0);
}

TEST_F(RestoreTest, ARecoveryIsTriedForFiveMinutesAndThenStopped) {
  BeRecovery();
  LoseArchive();
  for (const char* name : {kSegment, kHistory}) {
    EXPECT_EQ(Fetch(name), 126);
    EXPECT_GE(clock_.seconds(), 300);
    EXPECT_LE(clock_.seconds(), 310);
    EXPECT_EQ(Count(err_, "trying again"), 5u) << err_;
    EXPECT_EQ(Count(err_, "ERROR"), 2u) << err_;
    EXPECT_THAT(err_, AllOf(HasSubstr(dir_.File("archive")), HasSubstr("exit code 126 stops the server")));
  }
}

TEST_F(RestoreTest, ThePatienceIsASetting) {
  BeRecovery();
  LoseArchive();
  Set("WALRIG_RESTORE_PATIENCE=4s");
  EXPECT_EQ(Fetch(kSegment), 126);
  EXPECT_GE(clock_.seconds(), 4);
  EXPECT_LE(clock_.seconds(), 5);
}

TEST_F(RestoreTest, WhatHealsMeanwhileIsFetched) {
  BeRecovery();
  dir_.Write("archive/wal_005/00000002.history", "1\t0/3000000\twhy\n");
  LoseArchive();
  meanwhile_ = [this] {
    if (std::filesystem::exists(dir_.File("lost"))) FindArchive();
  };
  EXPECT_EQ(Fetch(kHistory), 0);
  EXPECT_TRUE(std::filesystem::exists(Destination()));
}

TEST_F(RestoreTest, AFileOfSettingsThatIsBeingWrittenAnewIsReadAgain) {
  BeRecovery();
  dir_.Write("archive/wal_005/00000002.history", "1\t0/3000000\twhy\n");
  environment_.erase(environment_.begin() + 2);
  const std::string whole = "{\"WALG_FILE_PREFIX\": \"" + dir_.File("archive") + "\"}";
  for (const std::string& begun : {std::string(), std::string("{\"WALG_FI"), std::string("(missing)")}) {
    const std::string config = dir_.Write("c.json", begun);
    if (begun == "(missing)") std::filesystem::remove(config);
    meanwhile_ = [&] { dir_.Write("c.json", whole); };
    std::filesystem::remove(Destination());
    EXPECT_EQ(Call({"--config", config, "wal-fetch", kHistory, Destination()}), 0) << begun << err_;
    EXPECT_LE(clock_.seconds(), 1) << begun;
  }
}

TEST_F(RestoreTest, NothingThatIsWrongEndsARecovery) {
  BeRecovery();
  dir_.Write("broken.json", "{");
  dir_.Write("empty.json", "");
  const std::vector<std::vector<std::string>> wrong = {
      {"--config", dir_.File("no-such.json")},   {"--config", dir_.File("broken.json")},
      {"--config", dir_.path()},                 {"--walg-log-destination", dir_.path()},
      {"--walg-log-level", "loud"},              {"--walrig-plugin-lock", "/no/such.lock"},
      {"--storage", "no-such-plugin"},           {"--walrig-retry-attempts", "0"},
      {"--walrig-retry-attempts", "many"},       {"--walrig-restore-patience", "soon"},
      {"--walrig-wal-fetch-error-code", "74"},   {"--walrig-wal-fetch-error-code", "0"},
      {"--walrig-wal-fetch-error-code", "256"},  {"--walrig-command-timeout", "x"},
      {"--walg-pg-wal-size", "7"},               {"--walrig-wal-fetch-error-code", "x"},
      {"--walrig-cipher", "no-such-cipher"},
  };
  Set("WALRIG_RESTORE_PATIENCE=2s");
  for (std::vector<std::string> words : wrong) {
    for (const std::string& word : {std::string("wal-fetch"), std::string(kSegment), Destination()}) words.push_back(word);
    EXPECT_EQ(Call(words), 126) << words[0] << " " << words[1] << "\n" << err_;
    EXPECT_THAT(err_, HasSubstr("ERROR"));
    if (words[0] != "--walrig-restore-patience") {
      EXPECT_LE(clock_.seconds(), 3) << words[0];
    }
    EXPECT_GE(clock_.seconds(), 2) << words[0] << ": it may heal";
  }
}

TEST_F(RestoreTest, UsageErrorsAreFinalAtOnce) {
  BeRecovery();
  const std::string to = Destination();
  const std::vector<std::vector<std::string>> wrong = {
      {"wal-fetch", "--no-such-option", kSegment, to},
      {"wal-fetch", kSegment, to, "more"},
      {"wal-fetch", kSegment, dir_.File("data/pg_wal/no/such/X")},
      {"wal-fetch", "README", to},
      {"wall-fetch", kSegment, to},
      {"wal_fetch", kSegment, to},
      {kSegment, to},
      {"--no-such-option", "wal-fetch", kSegment, to},
      {"--help", "wal-fetch", kSegment, to},
      {"wal-fetch", kSegment, to, "--version"},
      {"wal-fetch", kSegment, to, "--config"},
  };
  for (const std::vector<std::string>& words : wrong) {
    EXPECT_EQ(Call(words), 126) << words[0] << "\n" << err_;
    EXPECT_EQ(clock_.seconds(), 0) << words[0];
    EXPECT_THAT(err_, HasSubstr("ERROR")) << words[0];
  }
  std::filesystem::remove(dir_.File("data/recovery.signal"));
  BeStandby();
  for (const std::vector<std::string>& words : wrong) {
    const bool elsewhere = words.size() == 3 && words[2] != to;
    EXPECT_EQ(Call(words), elsewhere ? 126 : 1) << words[0] << "\n" << err_;
  }
}

TEST_F(RestoreTest, OthersAreToldAtOnceAndHelpStaysHelp) {
  LoseArchive();
  EXPECT_EQ(Fetch(kSegment), 126);
  EXPECT_EQ(clock_.seconds(), 0);
  EXPECT_EQ(Call({"wal-fetch"}), 126);
  out_ = std::fopen("/dev/null", "w");
  EXPECT_EQ(Call({"wal-fetch", "--help"}), 0);
  EXPECT_EQ(Call({"help", "wal-fetch"}), 0);
  EXPECT_EQ(Call({"st", "ls", "wal-fetch", "--nonsense"}), 2);
  std::fclose(out_);
}

TEST_F(RestoreTest, TheCodeThatSomebodySetWins) {
  BeRecovery();
  LoseArchive();
  Set("WALRIG_RESTORE_PATIENCE=0");
  dir_.Write("broken.json", "{");
  const std::string config = dir_.Write("c.json", R"({"WALRIG_WAL_FETCH_ERROR_CODE": 200})");
  const std::string to = Destination();
  EXPECT_EQ(Call({"--config", config, "wal-fetch", kSegment, to}), 200);
  EXPECT_EQ(Call({"--config", config, "wal-fetch", kSegment, to, "--nonsense"}), 200);
  EXPECT_EQ(Call({"--walrig-wal-fetch-error-code", "201", "--config", dir_.File("broken.json"), "wal-fetch", kSegment, to}), 201);
  Set("WALRIG_WAL_FETCH_ERROR_CODE=202");
  EXPECT_EQ(Fetch(kSegment), 202);
  EXPECT_EQ(Call({"--config", dir_.File("broken.json"), "wal-fetch", kSegment, to}), 202);
  EXPECT_EQ(Call({"wall-fetch", kSegment, to}), 202);
  Set("WALRIG_WAL_FETCH_ERROR_CODE=2");
  EXPECT_EQ(Fetch(kSegment), 2);
  EXPECT_THAT(err_, HasSubstr("WARNING: "));
  EXPECT_THAT(err_, HasSubstr("WALRIG_WAL_FETCH_ERROR_CODE=2: PostgreSQL takes exit codes from 1 to 125"));
  Set("WALRIG_WAL_FETCH_ERROR_CODE=1");
  EXPECT_EQ(Fetch(kSegment), 1);
  EXPECT_THAT(err_, Not(HasSubstr("PostgreSQL takes exit codes")));
}

TEST_F(RestoreTest, AStandbyIsToldAtOnceThatASegmentIsNotThereNow) {
  BeStandby();
  LoseArchive();
  EXPECT_EQ(Fetch(kSegment), 1);
  EXPECT_EQ(clock_.seconds(), 0);
  EXPECT_EQ(Count(err_, "ERROR"), 1u) << err_;
}

// It does not stream while a call of the storage is repeated, which takes a minute by default.
TEST_F(RestoreTest, AStandbyIsToldAtOnceWithTheDefaultNumberOfAttemptsToo) {
  if (!std::filesystem::exists(WALRIG_TEST_PLUGINDIR "/storage-s3.so")) GTEST_SKIP() << "the plugin storage-s3 is not built";
  environment_.resize(2);  // neither the archive nor WALRIG_RETRY_ATTEMPTS
  for (const char* each : {"WALG_S3_PREFIX=s3://bucket/x", "AWS_ENDPOINT=http://127.0.0.1:1", "AWS_REGION=nowhere",
                           "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}) {
    Set(each);
  }
  BeStandby();
  EXPECT_EQ(Fetch(kSegment), 1);
  EXPECT_EQ(clock_.seconds(), 0);
}

TEST_F(RestoreTest, AStandbyGetsNoSegmentOfALowerTimelineBeforeTheHistoryIsAnswered) {
  BeStandby();
  dir_.Write(std::string("archive/wal_005/") + kSegment, Segment());
  LoseArchive();
  EXPECT_EQ(Fetch(kHistory), 1);
  EXPECT_GE(clock_.seconds(), 10);
  EXPECT_LE(clock_.seconds(), 11);
  EXPECT_TRUE(std::filesystem::exists(Note()));
  EXPECT_EQ(Fetch(kSegment), 1);
  EXPECT_THAT(err_, HasSubstr(std::string(kSegment) + " is not handed out before the archive answers about 00000002.history"));
  EXPECT_TRUE(std::filesystem::exists(Note()));

  FindArchive();  // and there is no such history
  EXPECT_EQ(Fetch(kSegment), 0);
  EXPECT_FALSE(std::filesystem::exists(Note()));
}

TEST_F(RestoreTest, AHistoryThatIsThereAfterAllHasToBeAskedForFirst) {
  BeStandby();
  dir_.Write(std::string("archive/wal_005/") + kSegment, Segment());
  dir_.Write("archive/wal_005/00000002.history", "1\t0/3000000\twhy\n");
  LoseArchive();
  EXPECT_EQ(Fetch(kHistory), 1);
  FindArchive();
  EXPECT_EQ(Fetch(kSegment), 1);
  EXPECT_THAT(err_, HasSubstr("is in the archive; PostgreSQL asks for it again"));
  EXPECT_FALSE(std::filesystem::exists(Destination()));
  EXPECT_FALSE(std::filesystem::exists(Note() + ".answer"));
  // A standby that follows its own timeline alone never asks; it must not wait for ever.
  EXPECT_EQ(Fetch(kSegment), 0);

  LoseArchive();
  EXPECT_EQ(Fetch(kHistory), 1);
  FindArchive();
  EXPECT_EQ(Fetch(kHistory), 0);
  EXPECT_FALSE(std::filesystem::exists(Note()));
  EXPECT_EQ(Fetch(kSegment), 0);
}

// Where timelines part PostgreSQL asks for the newer segment first, and replays past the fork when it gets the older one.
TEST_F(RestoreTest, AStandbyGetsNoSegmentInPlaceOfANewerTimelinesThatMetAnError) {
  constexpr const char* kNewer = "000000020000000000000003";
  BeStandby();
  dir_.Write(std::string("archive/wal_005/") + kSegment, Segment());
  dir_.Write(std::string("archive/wal_005/") + kNewer, "cut short");
  EXPECT_EQ(Fetch(kNewer), 1);
  EXPECT_EQ(Fetch(kSegment), 1);
  EXPECT_THAT(err_, HasSubstr(std::string(kSegment) + " is not handed out before the archive answers about " + kNewer));
  EXPECT_FALSE(std::filesystem::exists(Destination()));

  std::filesystem::remove(dir_.File(std::string("archive/wal_005/") + kNewer));  // surely absent
  EXPECT_EQ(Fetch(kSegment), 0);
  EXPECT_FALSE(std::filesystem::exists(dir_.File(std::string("data/pg_wal/walg_data/walrig_unanswered/") + kNewer)));
}

TEST_F(RestoreTest, AStandbyThatCannotRememberAHistoryIsStopped) {
  BeStandby();
  LoseArchive();
  dir_.Write("data/pg_wal/walg_data", "no directory");
  EXPECT_EQ(Fetch(kHistory), 126);
  EXPECT_GE(clock_.seconds(), 300);
  EXPECT_THAT(err_, HasSubstr("it cannot be noted"));
}

TEST_F(RestoreTest, ASignalEndsThePatience) {
  BeRecovery();
  LoseArchive();
  ASSERT_OK_AND_ASSIGN(stop_, StopSource::New());
  meanwhile_ = [this] { stop_->RequestStop(); };
  EXPECT_EQ(Fetch(kSegment), 143);
  EXPECT_LE(clock_.seconds(), 1);
}

TEST_F(RestoreTest, AProcessThatIsLostIsAFailureLikeOthers) {
  std::vector<std::string> words = {"wal-fetch", kHistory, Destination()};
  const RunInput input{.words = words, .stop = {}, .clock = &clock_};
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(static_cast<int>(AnswerForLost(input, Internal("SIGSEGV"), ExitCode::kError)), 126);
  BeStandby();
  EXPECT_EQ(static_cast<int>(AnswerForLost(input, Internal("SIGSEGV"), ExitCode::kError)), 1);
  EXPECT_TRUE(std::filesystem::exists(Note()));
  BeRecovery();
  std::filesystem::remove(dir_.File("data/standby.signal"));
  EXPECT_EQ(static_cast<int>(AnswerForLost(input, Internal("SIGSEGV"), ExitCode::kError)), 126);
  words = {"st", "ls", kHistory};
  EXPECT_EQ(static_cast<int>(AnswerForLost({.words = words, .stop = {}}, Internal("SIGSEGV"), static_cast<ExitCode>(139))), 139);
  ::testing::internal::GetCapturedStderr();
}

}  // namespace
}  // namespace walrig
