// ProgressLine: one line on a terminal that tells how far a job is, at what rate, and when it will be done.
//
// Where standard error is no terminal nothing is drawn, unless WALRIG_PROGRESS=always. Log lines go through the
// context that this object hands out, so that the line is wiped before each of them.
//
// OWNS: a thread, joined by Stop and by the destructor. THREADS: counters from any; the rest by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/config/settings.h"
#include "core/pipeline/progress.h"
#include "walrig/context.h"

namespace walrig {

// What the line says: "12.3 GiB of 40.1 GiB (31%), 410 MiB/s, 1m9s left". Pure.
std::string ProgressText(uint64_t done, uint64_t total, uint64_t elapsed_ns);

class ProgressLine {
 public:
  // `ctx` must outlive this object. Draws from the first half second on.
  ProgressLine(const Context& ctx, const Settings& settings);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // For the job.
  const Context& context() const;
  ProgressCounters& counters();
  // Wipes the line for good. Harmless a second time.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace walrig
