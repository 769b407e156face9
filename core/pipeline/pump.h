// Pump: drives a Transform over one piece of input; the loop that everybody who feeds a machine would write.
//
// THREADS: functions without state.
#pragma once

#include <utility>

#include "walrig/result.h"
#include "walrig/transform.h"

namespace walrig {

// Gives all of `in` to the machine, with kFinish until it says kEnd. `room()` answers the free part of the output (never
// empty); `filled(n)` is told how much of it was used and may fail, which ends the pump.
// FAILS WITH: what the machine and `filled` fail with; kInternal when the machine breaks its contract.
template <typename Room, typename Filled>
Status Pump(Transform& machine, ByteSpan in, Directive directive, Room&& room, Filled&& filled) {
  while (true) {
    TransformIo io{.in = in, .out = room()};
    WALRIG_ASSIGN(const Progress progress, machine.Process(io, directive));
    if (io.in_used > in.size() || io.out_used > io.out.size()) {
      return Internal("a compressor or cipher used more than it was given");
    }
    in = in.subspan(io.in_used);
    if (io.out_used > 0) WALRIG_TRY(filled(io.out_used));
    if (progress == Progress::kEnd && directive == Directive::kFinish) return OkStatus();
    if (progress == Progress::kNeedInput && in.empty() && directive != Directive::kFinish) return OkStatus();
    if (io.in_used == 0 && io.out_used == 0) return Internal("a compressor or cipher makes no progress");
  }
}

}  // namespace walrig
