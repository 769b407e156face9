// WALRIG_ASSERT: a claim about our own code, checked in every build.
//
// For bugs, never for input: what comes from a user, a disk or a network is answered with a Status. A claim that does
// not hold ends the process with the place and the text of the claim, since data are at stake.
#pragma once

namespace walrig::internal {

[[noreturn]] void AssertFailed(const char* claim, const char* file, int line) noexcept;

}  // namespace walrig::internal

#define WALRIG_ASSERT(cond) \
  (static_cast<bool>(cond) ? static_cast<void>(0) : ::walrig::internal::AssertFailed(#cond, __FILE__, __LINE__))
