// Probe: starts walrig-plugin-probe for one file and judges what comes back.
//
// The child writes, on descriptor 3, four bytes of length (little-endian) and a JSON document:
//   {"outcome":"ok|unloadable|incompatible","reason":"...","load_ms":0.9,"closure":["/lib/..."],"module":{...}}
// A signal, a timeout, another length or anything that is not this document means quarantine.
//
// THREADS: from the main thread: the child dies with the thread that started it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/plugin/catalogue.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

struct ProbeResult {
  FileState state = FileState::kQuarantined;
  std::string reason;
  int exit_code = 0, signal = 0;
  double elapsed_ms = 0, load_ms = 0;
  std::vector<std::string> closure;
  std::optional<ModuleInfo> module;  // when state is kOk
};

// FAILS WITH: kNotFound when there is no probe at `probe`, kCancelled, what the system says about pipes and processes.
Result<ProbeResult> RunProbe(const Context& ctx, const std::string& probe, const std::string& file,
                             uint64_t timeout_ms);

// Judges a complete answer, without its length. Anything but the document above is kCorruption.
Result<ProbeResult> ParseProbeAnswer(std::string_view text);

}  // namespace walrig
