// ProcessMark: which process wrote something, so that another one can tell whether it still runs.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>

namespace walrig {

struct ProcessMark {
  std::string machine;   // this boot of the machine and its space of process numbers; "" unknown
  uint64_t pid = 0;
  uint64_t started = 0;  // ticks since that boot: a number that was given again is another process

  friend bool operator==(const ProcessMark&, const ProcessMark&) = default;
};

ProcessMark OwnProcessMark();

// kUnknown: of another machine, container or boot of which nothing can be seen from here, or no mark at all.
// kGone is certain; a process that cannot be looked at counts as running.
enum class ProcessState { kRuns, kGone, kUnknown };
ProcessState StateOf(const ProcessMark& mark);

}  // namespace walrig
