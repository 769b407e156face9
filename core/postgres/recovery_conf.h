// Recovery settings: what turns a restored directory into one that replays WAL to a moment.
//
// Pure text: the job that restores appends it to postgresql.auto.conf and creates recovery.signal (empty).
// THREADS: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/postgres/lsn.h"
#include "walrig/result.h"

namespace walrig {

inline constexpr std::string_view kRecoverySignalName = "recovery.signal";
inline constexpr std::string_view kStandbySignalName = "standby.signal";
inline constexpr std::string_view kAutoConfName = "postgresql.auto.conf";

// As the user gave them; empty and absent: not set. At most one target of time, lsn, xid, name, immediate.
struct RecoverySettings {
  std::string restore_command;
  std::string target_time;      // PostgreSQL's timestamp text
  std::optional<Lsn> target_lsn;
  std::string target_xid;       // decimal
  std::string target_name;
  bool target_immediate = false;
  std::string target_timeline;  // "current", "latest", or a number; "" leaves PostgreSQL's default
  std::string target_action;    // "pause", "promote", "shutdown"; "" leaves PostgreSQL's default
  std::optional<bool> target_inclusive;

  bool any_target() const;
};

// FAILS WITH: kInvalidArgument for more than one target, an action or timeline that PostgreSQL does not know, an xid
// that is no number, and text that a configuration file cannot hold (NUL, line ends).
Status CheckRecoverySettings(const RecoverySettings& settings);

// The lines for postgresql.auto.conf, each "name = 'value'", after a comment line that says who wrote them. All
// other targets are unset, since the file may hold a stale one.
// REQUIRES: CheckRecoverySettings.
std::string FormatRecoverySettings(const RecoverySettings& settings);

// The text of a postgresql.auto.conf with every recovery_target* line made a comment. An older recovery may have left
// them there, and a stale timeline or action would steer the new one.
std::string CommentOutRecoveryTargets(std::string_view conf);

// The value that the text of a postgresql.conf sets last for `name` (lower case), "" when it sets none. Files that it
// includes are not looked at.
std::string ConfSetting(std::string_view conf, std::string_view name);

// 'it''s': quoted as postgresql.conf wants it; backslashes are doubled, since the parser de-escapes them.
std::string QuoteConfValue(std::string_view value);

// One word for a shell: unchanged when harmless, else in single quotes.
std::string QuoteShellWord(std::string_view word);

// "PROGRAM ARGUMENTS wal-fetch %f %p"; `arguments` are shell-quoted already, or empty; '%' in the words is doubled.
std::string FormatRestoreCommand(std::string_view program, std::string_view arguments);

}  // namespace walrig
