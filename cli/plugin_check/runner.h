// Runner: gives each check of the conformance kit a process of its own and collects what it says.
//
// A child is this program again with the hidden option --one; it answers with one JSON line {"kind","why"} on its
// standard output. Anything else, a signal or no answer in time, is a failed check.
//
// THREADS: one runner, one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sdk/conformance/check.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

struct CheckResult {
  std::string name;
  int level = 0;
  conformance::Verdict verdict;
  uint64_t elapsed_ms = 0;
};

struct CheckSelection {
  int level_max = 2;
  std::string filter;  // ECMAScript, anywhere in the name; "" for all
};

// The checks that the selection takes. FAILS WITH: kInvalidArgument (the filter is no regular expression).
Result<std::vector<conformance::Check>> Select(std::vector<conformance::Check> checks, const CheckSelection& selection);

// In this process.
CheckResult RunHere(const conformance::Check& check);
// In a child: `command` and "--one NAME" appended to it.
CheckResult RunInChild(const Context& ctx, const conformance::Check& check, const std::vector<std::string>& command,
                       uint64_t timeout_ms);

std::string VerdictToLine(const conformance::Verdict& verdict);

// Reports of all results.
std::string ReportText(const std::vector<CheckResult>& results, const std::string& subject);
std::string ReportTap(const std::vector<CheckResult>& results);
std::string ReportJunit(const std::vector<CheckResult>& results, const std::string& subject);
std::string ReportJson(const std::vector<CheckResult>& results, const std::string& subject);

}  // namespace walrig
