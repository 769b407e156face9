// Signals become a stop request; nothing else happens in a handler.
//
// A process has one set of signal handlers, so this is the one place of walrig with process-wide state.
// THREADS: call from the main thread, before other threads start.
#pragma once

#include <initializer_list>

#include "core/base/stop.h"

namespace walrig {

// From now on each of `signals` calls source.RequestStop() and is remembered. `source` must live until
// RestoreSignals() or the end of the process. A later call replaces the source for all signals.
// FAILS WITH: kInvalidArgument for a signal that cannot be caught.
Status StopOnSignals(StopSource& source, std::initializer_list<int> signals);

// The signal that arrived last, or 0.
int LastSignal();

// Undoes StopOnSignals: its signals have their default effect again, and LastSignal() is 0.
void RestoreSignals();

// Writes answer an error instead of ending the process: EPIPE to a closed pipe or socket, EFBIG beyond the largest size that
// a file may have (ulimit -f).
void IgnoreSignalsOfWrites();

}  // namespace walrig
