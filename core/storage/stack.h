// The stack of wrappers around a driver, in one visible order.
//
//   jobs -> read_only -> prefixed -> retrying -> throttled -> logged -> metered -> driver
//
// Below `retrying` a call is one attempt: attempts are what is throttled, logged and counted.
// THREADS: as Storage.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/storage/retrying.h"
#include "walrig/storage.h"

namespace walrig {

class TokenBucket;

struct StackOptions {
  RetryPolicy retry{};
  bool retrying = true;
  uint64_t seed = 1;               // of the jitter; SeedFromSystem() outside tests
  std::string prefix{};            // "" for none
  bool read_only = false;
  TokenBucket* download = nullptr;  // null: unlimited; borrowed, outlives the storage
  TokenBucket* upload = nullptr;    // the same; a way of its own, so that a transfer is not paid for twice
};

std::unique_ptr<Storage> BuildStack(std::unique_ptr<Storage> driver, const StackOptions& options);

}  // namespace walrig
