// Session::Drive, for the two files that make up Session.
#pragma once

#include <libssh2.h>

#include <algorithm>
#include <string>

#include "plugins/common/ssh/session.h"
#include "plugins/common/ssh/wait.h"

namespace walrig::ssh {

template <typename Step>
Result<long> Session::Drive(const Context& ctx, const char* what, Step step) {
  constexpr uint64_t kPollStepMs = 1000;
  while (true) {
    const long code = step();
    if (code != LIBSSH2_ERROR_EAGAIN) return code;
    const uint64_t now = MonotonicMs();
    if (now >= end_ms_) {
      return Timeout(std::string(what) + ": no answer from " + options_.host + " within " +
                     std::to_string(options_.connect_timeout_ms) + " ms")
          .Retryable();
    }
    WALRIG_TRY(WaitFor(ctx, socket_.get(), PollEvents(), std::min(end_ms_ - now, kPollStepMs)).status());
  }
}

}  // namespace walrig::ssh
