#include "cli/restore_guard.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace walrig {
namespace {

class RestoreGuardTest : public ::testing::Test {
 protected:
  RestoreGuardTest() { std::filesystem::create_directories(dir_.File("pg_wal")); }

  // The child comes back from GuardRestore, too: it ends here, as it would in main.
  int Guard(const std::function<std::optional<ExitCode>()>& work) {
    const std::vector<std::string> words = {"wal-fetch", "000000010000000000000003", dir_.File("pg_wal/X")};
    const pid_t me = getpid();
    ::testing::internal::CaptureStderr();
    const ExitCode code = GuardRestore({.words = words, .stop = {}}, work);
    if (getpid() != me) _exit(static_cast<int>(code));
    err_ = ::testing::internal::GetCapturedStderr();
    return static_cast<int>(code);
  }

  static void NoCore() {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
  }

  test::TempDir dir_;
  std::string err_;
};

TEST_F(RestoreGuardTest, PassesOnWhatTheWorkSays) {
  for (const ExitCode code : {ExitCode::kOk, ExitCode::kWalAbsent, static_cast<ExitCode>(126), static_cast<ExitCode>(255)}) {
    EXPECT_EQ(Guard([code] { return code; }), static_cast<int>(code));
  }
}

TEST_F(RestoreGuardTest, ACrashEndsNoRecoveryAndNoStandby) {
  const auto crash = []() -> std::optional<ExitCode> {
    NoCore();
    signal(SIGABRT, SIG_DFL);
    std::abort();
  };
  EXPECT_EQ(Guard(crash), 126);
  EXPECT_NE(err_.find("SIGABRT"), std::string::npos) << err_;
  dir_.Write("recovery.signal", "");
  EXPECT_EQ(Guard(crash), 126);
  dir_.Write("standby.signal", "");
  EXPECT_EQ(Guard(crash), 1) << "139 would shut the standby down";
}

// As libbrotlienc does without memory.
TEST_F(RestoreGuardTest, ALibraryThatEndsTheProcessSaysNothing) {
  dir_.Write("recovery.signal", "");
  for (const int code : {0, 1, 74}) {
    EXPECT_EQ(Guard([code]() -> std::optional<ExitCode> { _exit(code); }), 126) << code;
  }
}

TEST_F(RestoreGuardTest, WhatCannotBeginOrThrowsIsAnError) {
  EXPECT_EQ(Guard([]() -> std::optional<ExitCode> { return std::nullopt; }), 126);
  EXPECT_EQ(Guard([]() -> std::optional<ExitCode> { throw std::bad_alloc(); }), 126);
}

TEST_F(RestoreGuardTest, ASignalToTheParentStopsTheChild) {
  const pid_t me = getpid();
  const auto wait_for_it = [me]() -> std::optional<ExitCode> {
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, nullptr);
    kill(me, SIGTERM);
    int got = 0;
    sigwait(&term, &got);
    return ExitCodeOfSignal(got);
  };
  EXPECT_EQ(Guard(wait_for_it), 143);
  const auto die = [me]() -> std::optional<ExitCode> {
    kill(me, SIGTERM);
    pause();
    return std::nullopt;
  };
  EXPECT_EQ(Guard(die), 143);
}

TEST_F(RestoreGuardTest, ADeathBySigtermIsNoCrash) {
  EXPECT_EQ(Guard([]() -> std::optional<ExitCode> {
    raise(SIGTERM);
    return std::nullopt;
  }), 143);
}

}  // namespace
}  // namespace walrig
