#include "core/layout/sentinel.h"

#include <gmock/gmock.h>

#include "core/base/time_format.h"
#include "core/layout/backup_metadata.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_data.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;
using test::TestData;

TEST(SentinelTest, WritesBackWhatWalgWroteByteForByte) {
  for (const char* name : {"full", "delta", "catchup"}) {
    const std::string text = TestData(std::string("layout/sentinel_") + name + ".json");
    ASSERT_FALSE(text.empty());
    ASSERT_OK_AND_ASSIGN(Sentinel sentinel, ParseSentinel(text));
    EXPECT_EQ(SerializeSentinel(sentinel), text);
  }
}

TEST(SentinelTest, ReadsAFullBackup) {
  ASSERT_OK_AND_ASSIGN(Sentinel sentinel, ParseSentinel(TestData("layout/sentinel_full.json")));
  EXPECT_EQ(sentinel.version, 2);
  EXPECT_EQ(sentinel.start_lsn->value, 20971560u);
  EXPECT_EQ(sentinel.system_identifier, 7711415019054265411u);
  EXPECT_EQ(FormatRfc3339Nano(sentinel.start_time_ns), "2026-11-23T17:08:46.49556Z");
  EXPECT_EQ(sentinel.tablespaces->tablespaces().size(), 2u);
  EXPECT_EQ((*sentinel.user_data)["odd"], "<&> '\" ü");
  EXPECT_FALSE(sentinel.is_delta());
  EXPECT_TRUE(sentinel.files_metadata_required());
}

TEST(SentinelTest, ReadsDeltasWithTheOldKeyToo) {
  ASSERT_OK_AND_ASSIGN(Sentinel delta, ParseSentinel(TestData("layout/sentinel_delta.json")));
  ASSERT_OK_AND_ASSIGN(Sentinel old, ParseSentinel(TestData("layout/sentinel_delta_from_lsn.json")));
  ASSERT_TRUE(delta.is_delta());
  ASSERT_TRUE(old.is_delta());
  EXPECT_EQ(old.delta->lsn, delta.delta->lsn);
  EXPECT_EQ(old.delta->count, 2);
  EXPECT_EQ(old.delta->full_name, "base_000000010000000000000014");
  EXPECT_FALSE(old.delta->is_catchup());
  ASSERT_OK_AND_ASSIGN(Sentinel catchup, ParseSentinel(TestData("layout/sentinel_catchup.json")));
  EXPECT_TRUE(catchup.delta->is_catchup());
}

TEST(SentinelTest, RefusesIncompleteDeltaKeysAndNamesTheMissing) {
  EXPECT_THAT(ParseSentinel(TestData("layout/sentinel_delta_keys_incomplete.json")), HasCode(Code::kCorruption));
  EXPECT_THAT(ParseSentinel(TestData("layout/sentinel_delta_keys_incomplete.json")), MessageHas("DeltaLSN"));
  EXPECT_THAT(ParseSentinel(R"({"DeltaLSN":1,"DeltaFullName":"b","DeltaCount":1})"), MessageHas("DeltaFrom"));
  EXPECT_THAT(ParseSentinel(R"({"DeltaLSN":1,"DeltaFrom":"b","DeltaCount":1})"), MessageHas("DeltaFullName"));
  EXPECT_THAT(ParseSentinel(R"({"DeltaLSN":1,"DeltaFrom":"b","DeltaFullName":"b"})"), MessageHas("DeltaCount"));
  EXPECT_THAT(ParseSentinel(R"({"DeltaLSN":1,"DeltaFrom":"b","DeltaFullName":"b","DeltaCount":0})"), MessageHas("DeltaCount"));
}

TEST(SentinelTest, ReadsVersionOneAndEmbeddedFiles) {
  ASSERT_OK_AND_ASSIGN(Sentinel sentinel, ParseSentinel(TestData("layout/sentinel_embedded.json")));
  EXPECT_EQ(sentinel.version, 1);
  EXPECT_FALSE(sentinel.files_metadata_required());
  EXPECT_THAT(sentinel.embedded_files_metadata, testing::StartsWith(R"({"Files":{"/base/5/2605":{)"));
  EXPECT_THAT(sentinel.embedded_files_metadata, testing::HasSubstr(R"("backup_label.tar.zst":["tablespace_map","backup_label"])"));
  EXPECT_TRUE(sentinel.unknown.empty());
}

TEST(SentinelTest, ReadsWaleAndKeepsWhatItDoesNotKnow) {
  ASSERT_OK_AND_ASSIGN(Sentinel sentinel, ParseSentinel(
      R"({"wal_segment_backup_stop":"000000010000000000000003","spec":{"base_prefix":"/p","tablespaces":[]},"LSN":null,"lsn2":[1]})"));
  EXPECT_FALSE(sentinel.start_lsn.has_value());
  EXPECT_EQ(sentinel.tablespaces->base_prefix(), "/p");
  EXPECT_EQ(sentinel.unknown.size(), 2u);
  EXPECT_THAT(SerializeSentinel(sentinel), testing::EndsWith(R"("wal_segment_backup_stop":"000000010000000000000003","lsn2":[1]})"));
}

TEST(SentinelTest, MatchesKeysInAnyCaseButNotTwice) {
  ASSERT_OK_AND_ASSIGN(Sentinel sentinel, ParseSentinel(R"({"lsn":5,"PGVERSION":150000,"ispermanent":true})"));
  EXPECT_EQ(sentinel.start_lsn->value, 5u);
  EXPECT_EQ(sentinel.pg_version, 150000);
  EXPECT_TRUE(sentinel.permanent);
  EXPECT_THAT(ParseSentinel(R"({"Spec":{"base_prefix":"/p"},"spec":{"base_prefix":"/q"}})"), HasCode(Code::kCorruption));
}

TEST(SentinelTest, KeepsAll64Bits) {
  ASSERT_OK_AND_ASSIGN(Sentinel sentinel, ParseSentinel(R"({"LSN":18446744073709551615,"SystemIdentifier":18446744073709551614})"));
  EXPECT_EQ(sentinel.start_lsn->value, UINT64_MAX);
  EXPECT_EQ(sentinel.system_identifier, UINT64_MAX - 1);
}

TEST(SentinelTest, NamesTheKeyOfTheWrongType) {
  for (const auto& [text, key] :
       {std::pair{R"({"LSN":"0/2000028"})", "LSN"}, {R"({"PgVersion":"15"})", "PgVersion"}, {R"({"FinishLSN":-1})", "FinishLSN"},
        {R"({"SystemIdentifier":1e99})", "SystemIdentifier"}, {R"({"Version":0})", "Version"}, {R"({"PgVersion":4294967296})", "PgVersion"},
        {R"({"StartTime":"yesterday"})", "StartTime"}, {R"({"IsPermanent":1})", "IsPermanent"}, {R"({"Spec":[]})", "Spec"},
        {R"({"UncompressedSize":9223372036854775808})", "UncompressedSize"}, {R"({"LSN":1.5})", "LSN"}, {R"({"Hostname":7})", "Hostname"}}) {
    EXPECT_THAT(ParseSentinel(text), HasCode(Code::kCorruption)) << text;
    EXPECT_THAT(ParseSentinel(text, "s.json"), MessageHas(key)) << text;
    EXPECT_THAT(ParseSentinel(text, "s.json"), MessageHas("s.json")) << text;
  }
  for (const char* text : {"", "[]", "null", "{", "5", "{}{}", "garbage", "\xFF"}) {
    EXPECT_THAT(ParseSentinel(text), HasCode(Code::kCorruption)) << text;
  }
}

TEST(SentinelTest, TakesGosZeroTimeForUnknown) {
  ASSERT_OK_AND_ASSIGN(Sentinel sentinel, ParseSentinel(R"({"Version":2,"StartTime":"0001-01-01T00:00:00Z"})"));
  EXPECT_EQ(sentinel.start_time_ns, 0);
  EXPECT_THAT(SerializeSentinel(sentinel), testing::HasSubstr(R"("StartTime":"0001-01-01T00:00:00Z")"));
}

TEST(BackupMetadataTest, WritesBackWhatWalgWroteByteForByte) {
  const std::string text = TestData("layout/metadata.json");
  ASSERT_OK_AND_ASSIGN(BackupMetadata metadata, ParseBackupMetadata(text));
  EXPECT_EQ(SerializeBackupMetadata(metadata), text);
  EXPECT_TRUE(metadata.permanent);
  EXPECT_EQ(metadata.start_lsn.value, 20971560u);
  EXPECT_EQ(BackupMetadataToJson(metadata)["hostname"], "db1");
}

TEST(BackupMetadataTest, KeepsUnknownKeysAcrossAChange) {
  ASSERT_OK_AND_ASSIGN(BackupMetadata metadata, ParseBackupMetadata(R"({"is_permanent":false,"later":{"b":1,"a":2},"system_identifier":null})"));
  metadata.permanent = true;
  const std::string text = SerializeBackupMetadata(metadata);
  EXPECT_THAT(text, testing::HasSubstr(R"("is_permanent":true,"system_identifier":null)"));
  EXPECT_THAT(text, testing::EndsWith(R"("later":{"b":1,"a":2}})"));
}

TEST(BackupMetadataTest, NamesTheKeyOfTheWrongType) {
  EXPECT_THAT(ParseBackupMetadata(R"({"is_permanent":"true"})"), MessageHas("is_permanent"));
  EXPECT_THAT(ParseBackupMetadata(R"({"start_lsn":-1})"), MessageHas("start_lsn"));
  EXPECT_THAT(ParseBackupMetadata("{"), HasCode(Code::kCorruption));
}

}  // namespace
}  // namespace walrig
