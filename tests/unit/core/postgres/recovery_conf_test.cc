#include "core/postgres/recovery_conf.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(RecoveryConfTest, WritesTheTargetAfterThoseItUnsets) {
  RecoverySettings settings;
  settings.restore_command = "walrig wal-fetch %f %p";
  settings.target_time = "2026-11-23 17:01:35+00";
  settings.target_action = "promote";
  settings.target_inclusive = false;
  ASSERT_OK(CheckRecoverySettings(settings));
  const std::string text = FormatRecoverySettings(settings);
  EXPECT_THAT(text, HasSubstr("restore_command = 'walrig wal-fetch %f %p'\n"));
  EXPECT_THAT(text, HasSubstr("recovery_target_name = ''\nrecovery_target_time = '2026-11-23 17:01:35+00'\n"));
  EXPECT_THAT(text, HasSubstr("recovery_target = ''\n"));
  EXPECT_THAT(text, EndsWith("recovery_target_inclusive = 'off'\nrecovery_target_action = 'promote'\n"));
  EXPECT_THAT(text, Not(HasSubstr("recovery_target_timeline")));
}

TEST(RecoveryConfTest, WritesLsnAndImmediate) {
  RecoverySettings lsn;
  lsn.target_lsn = Lsn{0x1700028};
  EXPECT_THAT(FormatRecoverySettings(lsn), HasSubstr("recovery_target_lsn = '0/1700028'\n"));
  RecoverySettings immediate;
  immediate.target_immediate = true;
  EXPECT_THAT(FormatRecoverySettings(immediate), HasSubstr("recovery_target = 'immediate'\n"));
  EXPECT_TRUE(immediate.any_target());
  EXPECT_FALSE(RecoverySettings{}.any_target());
}

TEST(RecoveryConfTest, RefusesContradictionsAndWhatAFileCannotHold) {
  const auto refused = [](auto change) {
    RecoverySettings settings;
    change(settings);
    EXPECT_THAT(CheckRecoverySettings(settings), HasCode(Code::kInvalidArgument));
  };
  refused([](RecoverySettings& s) { s.target_immediate = true, s.target_xid = "5"; });
  refused([](RecoverySettings& s) { s.target_name = "a\nrecovery_target_action = 'promote'"; });
  refused([](RecoverySettings& s) { s.target_name = std::string(64, 'x'); });
  refused([](RecoverySettings& s) { s.target_xid = "-1"; });
  refused([](RecoverySettings& s) { s.target_time = "yesterday"; });
  refused([](RecoverySettings& s) { s.target_action = "stop"; });
  refused([](RecoverySettings& s) { s.target_timeline = "newest"; });
  refused([](RecoverySettings& s) { s.restore_command = std::string("a\0b", 3); });
}

TEST(RecoveryConfTest, CommentsOutTheTargetsOfAnEarlierRecovery) {
  EXPECT_EQ(CommentOutRecoveryTargets("port = 5\nrecovery_target_timeline = '3'\n Recovery_Target = 'immediate'\n"
                                      "# recovery_target_xid = 5\nrestore_command = 'x'"),
            "port = 5\n# of an earlier recovery: recovery_target_timeline = '3'\n"
            "# of an earlier recovery:  Recovery_Target = 'immediate'\n# recovery_target_xid = 5\nrestore_command = 'x'");
  EXPECT_EQ(CommentOutRecoveryTargets(""), "");
}

TEST(RecoveryConfTest, ReadsWhatAConfigurationFileSetsLast) {
  const auto value = [](std::string_view conf) { return ConfSetting(conf, "data_directory"); };
  EXPECT_EQ(value("data_directory = '/old/place'\t# (change requires restart)\n"), "/old/place");
  EXPECT_EQ(value("#data_directory = '/commented'\nport = 5"), "");
  EXPECT_EQ(value("data_directory '/a'\nDATA_DIRECTORY=/b # last"), "/b");
  EXPECT_EQ(value("data_directory = 'it''s \\'here\\''"), "it's 'here'");
  EXPECT_EQ(value("data_directory_mode = '0700'\n"), "");
  EXPECT_EQ(value("data_directory"), "");
  EXPECT_EQ(value("data_directory = 'unended"), "unended");
  EXPECT_EQ(value(""), "");
}

TEST(RecoveryConfTest, QuotesForEveryReader) {
  EXPECT_EQ(QuoteConfValue("it's \\n"), "'it''s \\\\n'");
  EXPECT_EQ(QuoteShellWord("/usr/bin/walrig"), "/usr/bin/walrig");
  EXPECT_EQ(QuoteShellWord("it's here"), "'it'\\''s here'");
  EXPECT_EQ(QuoteShellWord(""), "''");
  EXPECT_EQ(QuoteShellWord("$(rm)"), "'$(rm)'");
  EXPECT_EQ(FormatRestoreCommand("/opt/100%/walrig", "--config '/a b'"), "/opt/100%%/walrig --config '/a b' wal-fetch %f %p");
  EXPECT_EQ(FormatRestoreCommand("walrig", ""), "walrig wal-fetch %f %p");
}

}  // namespace
}  // namespace walrig
