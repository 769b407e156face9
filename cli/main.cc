// walrig: signals, the command line, the exit code. The only place that ends the process.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "cli/restore.h"
#include "cli/restore_guard.h"
#include "cli/run.h"
#include "core/base/signals.h"
#include "core/base/stop.h"
#include "core/wal/restore_role.h"

namespace walrig {
namespace {

// Nothing when it could not even begin.
std::optional<ExitCode> RunProcess(RunInput input) {
  Result<std::unique_ptr<StopSource>> stop = StopSource::New();
  if (!stop.ok()) {
    std::fprintf(stderr, "ERROR: %s\n", stop.status().ToString().c_str());
    return std::nullopt;
  }
  const Status signals = StopOnSignals(**stop, {SIGHUP, SIGINT, SIGQUIT, SIGTERM});
  if (!signals.ok()) std::fprintf(stderr, "WARNING: %s\n", signals.ToString().c_str());
  IgnoreSignalsOfWrites();
  input.stop = (*stop)->token();
  input.last_signal = LastSignal;
  const ExitCode code = Run(input);
  RestoreSignals();
  return code;
}

ExitCode Main(int argc, char** argv) {
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const RunInput input{.words = words, .environment = environ, .out = stdout, .stop = {}};
  const auto work = [&input] { return RunProcess(input); };
  if (MayFetchWal(words)) return GuardRestore(input, work);
  return work().value_or(ExitCode::kError);
}

// What is left to say when nothing else can be: without memory, so without looking at anything.
int LastResort(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "wal-fetch") == 0) return kStopRecoveryCode;
  }
  return static_cast<int>(ExitCode::kError);
}

}  // namespace
}  // namespace walrig

int main(int argc, char** argv) {
  try {
    return static_cast<int>(walrig::Main(argc, argv));
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "ERROR: out of memory; hint: %s\n", walrig::kOutOfMemoryHint);
    return walrig::LastResort(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ERROR: internal error: %s\n", error.what());
    return walrig::LastResort(argc, argv);
  }
}
