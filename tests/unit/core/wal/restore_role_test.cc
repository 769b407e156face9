#include "core/wal/restore_role.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

#include "tests/support/temp_dir.h"
#include "tests/support/unprivileged.h"

namespace walrig {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

class FindRestorePlaceTest : public ::testing::Test {
 protected:
  RestorePlace Find(const std::string& working_directory, const std::string& destination) {
    return FindRestorePlace(dir_.File(working_directory), destination);
  }
  RestoreRole RoleIn(const std::string& directory) { return Find(directory, "pg_wal/RECOVERYXLOG").role; }

  test::TempDir dir_;
};

TEST_F(FindRestorePlaceTest, SignalFilesOfTheWorkingDirectoryDecide) {
  dir_.Write("none/PG_VERSION", "15");
  dir_.Write("recovery/recovery.signal", "");
  dir_.Write("standby/standby.signal", "");
  dir_.Write("both/standby.signal", "");
  dir_.Write("both/recovery.signal", "");
  EXPECT_EQ(RoleIn("none"), RestoreRole::kOther);
  EXPECT_EQ(RoleIn("no-such-directory"), RestoreRole::kOther);
  EXPECT_EQ(RoleIn("recovery"), RestoreRole::kRecovery);
  EXPECT_EQ(RoleIn("standby"), RestoreRole::kStandby);
  EXPECT_EQ(RoleIn("both"), RestoreRole::kStandby);
  EXPECT_EQ(Find("standby", "pg_wal/RECOVERYXLOG").wal_directory, dir_.File("standby/pg_wal"));
}

TEST_F(FindRestorePlaceTest, SoDoThoseOfTheDestinationsDataDirectory) {
  dir_.Write("elsewhere/x", "");
  dir_.Write("data/standby.signal", "");
  dir_.Write("target/recovery.signal", "");
  EXPECT_EQ(Find("elsewhere", dir_.File("data/pg_wal/RECOVERYXLOG")).role, RestoreRole::kStandby);
  EXPECT_EQ(Find("elsewhere", dir_.File("data/pg_wal/RECOVERYXLOG")).wal_directory, dir_.File("data/pg_wal"));
  EXPECT_EQ(Find("elsewhere", dir_.File("target/pg_wal/X")).role, RestoreRole::kRecovery);
  EXPECT_EQ(Find("elsewhere", "../target/pg_wal/X").role, RestoreRole::kRecovery);
  EXPECT_EQ(Find("elsewhere", dir_.File("target/X")).role, RestoreRole::kOther) << "its parent is no pg_wal";
  EXPECT_EQ(Find("elsewhere", "").role, RestoreRole::kOther);
}

// The code of a recovery harms no standby's data; that of a standby ends a recovery early.
TEST_F(FindRestorePlaceTest, OfTwoDirectoriesTheRecoveryCounts) {
  dir_.Write("standby/standby.signal", "");
  dir_.Write("recovery/recovery.signal", "");
  EXPECT_EQ(Find("standby", dir_.File("recovery/pg_wal/X")).role, RestoreRole::kRecovery);
  EXPECT_EQ(Find("recovery", dir_.File("standby/pg_wal/X")).role, RestoreRole::kRecovery);
}

TEST_F(FindRestorePlaceTest, ADirectoryThatCannotBeLookedIntoMayBeARecoverys) {
  dir_.Write("closed/standby.signal", "");
  ASSERT_EQ(chmod(dir_.File("closed").c_str(), 0), 0);
  {
    const test::Unprivileged nobody(dir_.path());
    EXPECT_EQ(RoleIn("closed"), RestoreRole::kRecovery);
  }
  ASSERT_EQ(chmod(dir_.File("closed").c_str(), 0700), 0);
}

struct Tries {
  std::vector<uint64_t> tries_ns;  // when each try but the first began, from the first failure
  size_t told = 0;
  int exit_code = 0;
};

// Fails until it is told to stop.
Tries FailForEver(RestorePatience patience, const RestorePolicy& policy, bool hopeless = false) {
  Tries tries;
  for (uint64_t now_ns = 7 * kSecond;;) {
    const RestorePatience::Next next = patience.AfterFailure(now_ns, policy, hopeless);
    tries.told += next.again && next.tell ? 1 : 0;
    tries.exit_code = next.exit_code;
    if (!next.again) return tries;
    EXPECT_GT(next.pause_ns, 0u);
    now_ns += next.pause_ns;
    tries.tries_ns.push_back(now_ns - 7 * kSecond);
  }
}

TEST(RestorePatienceTest, ARecoveryIsTriedForItsPatienceAndThenStopped) {
  const Tries tries = FailForEver(RestorePatience(RestoreRole::kRecovery, false), RestorePolicy());
  EXPECT_EQ(tries.exit_code, 126);
  ASSERT_FALSE(tries.tries_ns.empty());
  EXPECT_EQ(tries.tries_ns.back(), 300 * kSecond) << "the last try is at the very end";
  EXPECT_LE(tries.tries_ns.front(), kSecond) << "what heals at once is not waited for";
  EXPECT_LE(tries.tries_ns.size(), 80u);
  EXPECT_EQ(tries.told, 5u) << "a line every minute";
}

TEST(RestorePatienceTest, AHistoryOfARecoveryHasTheSamePatience) {
  const Tries tries = FailForEver(RestorePatience(RestoreRole::kRecovery, true), {.error_code = {}, .patience_ns = 4 * kSecond});
  EXPECT_EQ(tries.exit_code, 126);
  EXPECT_EQ(tries.tries_ns.back(), 4 * kSecond);
}

TEST(RestorePatienceTest, AStandbyIsToldAtOnceThatASegmentIsNotThereNow) {
  const Tries tries = FailForEver(RestorePatience(RestoreRole::kStandby, false), RestorePolicy());
  EXPECT_EQ(tries.exit_code, 1);
  EXPECT_TRUE(tries.tries_ns.empty());
}

TEST(RestorePatienceTest, AHistoryOfAStandbyIsAskedForTenSeconds) {
  const Tries tries = FailForEver(RestorePatience(RestoreRole::kStandby, true), RestorePolicy());
  EXPECT_EQ(tries.exit_code, 1);
  EXPECT_EQ(tries.tries_ns.back(), 10 * kSecond);
  EXPECT_EQ(FailForEver(RestorePatience(RestoreRole::kStandby, true), {.error_code = {}, .patience_ns = 2 * kSecond}).tries_ns.back(), 2 * kSecond);
}

TEST(RestorePatienceTest, AStandbyThatCannotRememberAHistoryIsStopped) {
  RestorePatience patience(RestoreRole::kStandby, true);
  patience.TreatAsRecovery();
  EXPECT_EQ(FailForEver(patience, {.error_code = {}, .patience_ns = kSecond}).exit_code, 126);
}

TEST(RestorePatienceTest, OthersAreToldAtOnce) {
  const Tries tries = FailForEver(RestorePatience(RestoreRole::kOther, true), RestorePolicy());
  EXPECT_EQ(tries.exit_code, 126);
  EXPECT_TRUE(tries.tries_ns.empty());
}

TEST(RestorePatienceTest, WhatIsHopelessIsNotTriedAgain) {
  for (const RestoreRole role : {RestoreRole::kRecovery, RestoreRole::kStandby, RestoreRole::kOther}) {
    const Tries tries = FailForEver(RestorePatience(role, true), RestorePolicy(), true);
    EXPECT_TRUE(tries.tries_ns.empty());
    EXPECT_EQ(tries.exit_code, role == RestoreRole::kStandby ? 1 : 126);
  }
}

TEST(RestorePatienceTest, TheCodeThatSomebodySetWins) {
  for (const RestoreRole role : {RestoreRole::kRecovery, RestoreRole::kStandby, RestoreRole::kOther}) {
    EXPECT_EQ(FailForEver(RestorePatience(role, false), {.error_code = 99, .patience_ns = kSecond}).exit_code, 99);
  }
}

TEST(RestorePatienceTest, TheCommandsTimeoutEndsThePatience) {
  const Tries tries = FailForEver(RestorePatience(RestoreRole::kRecovery, false),
                              {.error_code = {}, .patience_ns = 300 * kSecond, .deadline_ns = 10 * kSecond});
  EXPECT_EQ(tries.exit_code, 126);
  EXPECT_EQ(tries.tries_ns.back(), 3 * kSecond);
}

}  // namespace
}  // namespace walrig
