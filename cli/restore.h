// Restore: wal-fetch as PostgreSQL's restore_command, which has no other words than its exit code.
//
// From the first line of main to the last, whatever is not "here it is" or "surely absent" becomes a code that ends no
// recovery early (core/wal/restore_role): a line that cannot be parsed, settings, the log, plugins, the storage, no
// memory, a crash. What may heal by itself is tried again, all of it from the configuration file on.
//
// THREADS: the main thread, before others exist.
#pragma once

#include <span>
#include <string>

#include "cli/args.h"
#include "cli/run.h"

namespace walrig {

// Whether the words may be those of a restore_command: cheap, and true rather too often.
bool MayFetchWal(std::span<const std::string> words);
// Whether they are, as far as they could be parsed (`line`, `parsed`). A misspelt command counts when a WAL file's name
// stands beside it, and so do --help and --version: PostgreSQL would take their exit code for an answer about the file.
bool FetchesWal(std::span<const std::string> words, const ParsedLine& line, const Status& parsed);

// Never fails, as Run.
ExitCode RunRestore(const RunInput& input, ParsedLine line, Status parsed);

// The exit code when the process that ran RunRestore ended without saying one; `otherwise` when the words are no
// restore_command after all.
ExitCode AnswerForLost(const RunInput& input, const Status& why, ExitCode otherwise);

}  // namespace walrig
