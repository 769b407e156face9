// Run: one command line from words to exit code. All of walrig but signals and the process itself.
//
// THREADS: the main thread, before others exist.
#pragma once

#include <cstdio>
#include <span>
#include <string>

#include "cli/exit_code.h"
#include "walrig/stop.h"

namespace walrig {

class Clock;

struct RunInput {
  std::span<const std::string> words;        // without the program's name
  const char* const* environment = nullptr;  // as environ
  std::FILE* out = nullptr;                  // standard output
  StopToken stop;
  int (*last_signal)() = nullptr;  // 0 when none came; null counts as none
  Clock* clock = nullptr;          // null: the real one
};

// Never fails: what goes wrong is logged and becomes an exit code.
ExitCode Run(const RunInput& input);

// 128 + signal for the signals that walrig ends on, kError for 0 and others.
ExitCode ExitCodeOfSignal(int signal);

}  // namespace walrig
