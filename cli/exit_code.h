// What walrig's exit code says. The one list; the man page and docs/guide quote it.
//
// PostgreSQL reads the code of restore_command: 0 is "there it is", 1 to 125 "not there, recovery may end here or ask
// another source", above 125 "stop recovery". So wal-fetch alone has other codes for what fails, typing errors included:
// core/wal/restore_role. WAL-G ends with 1 on a usage error where walrig says 2, so that a script can tell a typing error
// from a failure.
#pragma once

namespace walrig {

enum class ExitCode : int {
  kOk = 0,
  kError = 1,
  kUsage = 2,          // unknown command, flag or number of arguments; nothing was done
  kFindings = 3,       // done, but something is wrong with the data: corrupt pages under --verify=strict, damage found
  kWalAbsent = 74,     // wal-fetch: the archive does not hold this file (WAL-G's code)
  // 126: wal-fetch, an error where PostgreSQL must stop rather than end recovery (kStopRecoveryCode)
  kAllSkipped = 77,    // plugin check: there was nothing to check (the convention of automake and ctest)
  kInterrupted = 130,  // ended by SIGINT (128 + 2), after cleaning up
  kHungUp = 129,       // SIGHUP
  kQuit = 131,         // SIGQUIT
  kTerminated = 143,   // SIGTERM
};

}  // namespace walrig
