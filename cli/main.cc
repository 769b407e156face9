// walrig: signals, the command line, the exit code. The only place that ends the process.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "cli/run.h"
#include "core/base/signals.h"
#include "core/base/stop.h"

namespace walrig {
namespace {

int Main(int argc, char** argv) {
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  Result<std::unique_ptr<StopSource>> stop = StopSource::New();
  if (!stop.ok()) {
    std::fprintf(stderr, "ERROR: %s\n", stop.status().ToString().c_str());
    return static_cast<int>(ExitCode::kError);
  }
  const Status signals = StopOnSignals(**stop, {SIGHUP, SIGINT, SIGQUIT, SIGTERM});
  if (!signals.ok()) std::fprintf(stderr, "WARNING: %s\n", signals.ToString().c_str());
  IgnoreSignalsOfWrites();
  const ExitCode code =
      Run({.words = words, .environment = environ, .out = stdout, .stop = (*stop)->token(), .last_signal = LastSignal});
  RestoreSignals();
  return static_cast<int>(code);
}

}  // namespace
}  // namespace walrig

int main(int argc, char** argv) {
  try {
    return walrig::Main(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "ERROR: out of memory; hint: %s\n", walrig::kOutOfMemoryHint);
    return static_cast<int>(walrig::ExitCode::kError);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ERROR: internal error: %s\n", error.what());
    return static_cast<int>(walrig::ExitCode::kError);
  }
}
