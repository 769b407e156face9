#include "core/catalog/latest.h"

#include <gtest/gtest.h>

namespace walrig {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000, kDayNs = 86'400 * kSecondNs;

// One that took `took_ns`, was finished at `finished_ns` and has the time stamp `stored_ns`.
BackupEntry Backup(const std::string& name, int64_t finished_ns, int64_t stored_ns, int64_t took_ns = 60 * kSecondNs) {
  BackupEntry entry;
  entry.name = name;
  entry.modified_ns = stored_ns;
  entry.sentinel.emplace();
  entry.sentinel->start_time_ns = finished_ns - took_ns;
  entry.sentinel->finish_time_ns = finished_ns;
  return entry;
}

TEST(LatestTest, LooksAtNoOtherWhereStampsAreFarApart) {
  const std::vector<BackupEntry> entries{Backup("a", 1 * kDayNs, 1 * kDayNs), Backup("b", 2 * kDayNs, 2 * kDayNs + kSecondNs)};
  EXPECT_TRUE(MayBeNewer(entries).empty());
  EXPECT_EQ(NewestOf(entries), 1u);
}

TEST(LatestTest, LooksAtThoseCloserThanABackupTakes) {
  const int64_t hour_ns = 3600 * kSecondNs;
  // The last took three hours; the one before was stored two hours earlier, the first a day.
  const std::vector<BackupEntry> entries{Backup("a", kDayNs, kDayNs), Backup("b", 2 * kDayNs - 2 * hour_ns, 2 * kDayNs - 2 * hour_ns),
                                         Backup("c", 2 * kDayNs, 2 * kDayNs, 3 * hour_ns)};
  EXPECT_EQ(MayBeNewer(entries), std::vector<size_t>{1});
  EXPECT_EQ(NewestOf(entries), 2u);
}

// cp -r stored all of them long after they were finished, in any order.
TEST(LatestTest, OfACopyGoesByTheDocuments) {
  const int64_t copied_ns = 100 * kDayNs;
  const std::vector<BackupEntry> entries{Backup("newest", 9 * kDayNs, copied_ns), Backup("middle", 8 * kDayNs, copied_ns + 1),
                                         Backup("oldest", 7 * kDayNs, copied_ns + kDayNs / 2)};
  EXPECT_EQ(MayBeNewer(entries), (std::vector<size_t>{0, 1}));
  EXPECT_EQ(NewestOf(entries), 0u);
}

// What was stored before the last one was finished was finished before it, too.
TEST(LatestTest, DoesNotLookBehindTheCopy) {
  const std::vector<BackupEntry> entries{Backup("before", 5 * kDayNs, 5 * kDayNs), Backup("copied", 8 * kDayNs, 100 * kDayNs),
                                         Backup("copied too", 7 * kDayNs, 100 * kDayNs)};
  EXPECT_EQ(MayBeNewer(entries), std::vector<size_t>{1});
  EXPECT_EQ(NewestOf(entries), 1u);
}

TEST(LatestTest, LooksAtAllWhereTheStorageKnowsNoTimes) {
  const std::vector<BackupEntry> entries{Backup("a", 9 * kDayNs, 0), Backup("b", 8 * kDayNs, 0), Backup("c", 7 * kDayNs, 6 * kDayNs)};
  EXPECT_EQ(MayBeNewer(entries), (std::vector<size_t>{0, 1}));
  EXPECT_EQ(NewestOf(entries), 0u);
}

TEST(LatestTest, OrdersWhatWasFinishedAtOneMomentByStampAndName) {
  const std::vector<BackupEntry> entries{Backup("a", kDayNs, kDayNs), Backup("b", kDayNs, kDayNs)};
  EXPECT_EQ(NewestOf(entries), 1u);
}

}  // namespace
}  // namespace walrig
