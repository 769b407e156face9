// RetryingStorage: the only place in walrig that repeats a storage call.
//
// Only Status::retryable permits a repetition. The pause before the n-th repetition is random between nothing and
// initial_ms * 2^(n-1), at most max_ms ("full jitter"), but never shorter than the other side's retry_after_ms. It
// ends early on stop, and a call is not repeated when the pause would pass the deadline or total_ms_max. Each
// repetition is logged at info with its number and its reason.
//
// What is repeated:
//   Stat, List, Copy,      the call
//   the unfinished
//   Get                    the call; a stream that breaks, or ends early, is resumed by a ranged read from there, guarded
//                          by the etag (or size and time) that was seen before the first byte, so that the parts of two objects are
//                          never joined. Without the range capability the error stands, and so does kCorruption
//                          once bytes were delivered: they cannot be taken back.
//   Delete                 the call for the keys that failed retryably
//   Put, overwriting       everything, while the bytes so far fit replay_bytes_max; beyond it the error stands
//   Put, only_if_absent    the same; where an attempt may have had its effect (outcome_unknown, or kAlreadyExists
//                          after such an attempt) the object is compared with what was written, by size and XXH128: equal is
//                          success, another object is kAlreadyExists
//   Write, Commit of Put   that failed resumably: the same call on the same sink, whatever the size; it goes on where it failed
//   Commit, outcome        when the bytes are no longer at hand, the object is read and compared by size and XXH128: equal
//   unknown                is success; when they are, they are put again: overwriting is idempotent
//
// OWNS or borrows the inner storage, as StorageWrapper. THREADS: as Storage.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/storage/wrapper.h"

namespace walrig {

struct RetryPolicy {
  uint32_t attempts_max = 8;              // of one call, the first included; for a stream: without a byte of progress
  uint64_t initial_ms = 100;              // bound of the first pause
  uint64_t max_ms = 20'000;               // bound of any pause that the other side did not ask for
  uint64_t total_ms_max = 300'000;        // no new attempt starts later than this after the first failure (since the last progress)
  uint64_t replay_bytes_max = 1u << 20;   // of a Put, kept for repetition; PutOptions::memory_budget_bytes also bounds it
  bool pin_etag = true;                   // Stat before Get: what a resumed read is checked against, and the size
};

class RetryingStorage : public StorageWrapper {
 public:
  // `seed` feeds the jitter; the same seed gives the same pauses.
  RetryingStorage(std::unique_ptr<Storage> inner, const RetryPolicy& policy, uint64_t seed);
  RetryingStorage(Storage& inner, const RetryPolicy& policy, uint64_t seed);

  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override;
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override;
  Result<ListPage> List(const Context& ctx, const ListOptions& options) override;
  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override;
  Status Copy(const Context& ctx, std::string_view from, std::string_view to) override;
  Result<UnfinishedPage> ListUnfinished(const Context& ctx, std::string_view prefix,
                                        std::string_view page_token) override;
  Status AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                         std::vector<Status>* each) override;

 private:
  uint64_t NextSeed() { return seed_ + calls_.fetch_add(1, std::memory_order_relaxed) * 0x9E3779B97F4A7C15ull; }

  const RetryPolicy policy_;
  const uint64_t seed_;
  std::atomic<uint64_t> calls_{0};
};

}  // namespace walrig
