// RetryingSink: a Put stream that is written anew while its bytes are still at hand; made by RetryingStorage.
//
// OWNS: the present inner sink and the bytes for a replay. Borrows both storages. THREADS: as Sink.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/base/checksum.h"
#include "core/storage/backoff.h"
#include "core/storage/retrying.h"

namespace walrig {

class RetryingSink final : public Sink {
 public:
  struct Target {
    Storage& attempts;   // one call is one attempt
    Storage& retrying;   // for looking at what is stored
    const RetryPolicy& policy;
    uint64_t seed;
    std::string key;
    PutOptions options;
  };

  RetryingSink(Target target, std::unique_ptr<Sink> sink);
  Status Write(const Context& ctx, ByteSpan bytes) override;
  Status Commit(const Context& ctx) override;
  void Abort() noexcept override;

 private:
  enum class Stored { kNothing, kOurs, kOther };

  Status CommitOnce(const Context& ctx, bool* final);
  Status Rewrite(const Context& ctx, Status failure, ByteSpan tail);
  Status OpenAndWrite(const Context& ctx, ByteSpan tail);
  Result<Stored> LookAtStored(const Context& ctx);
  std::optional<Status> Settle(const Context& ctx, const Status& failure);
  void Remember(ByteSpan bytes);

  Target target_;
  std::unique_ptr<Sink> sink_;  // null after it failed
  Backoff backoff_;
  uint64_t replay_bytes_max_;
  bool replayable_ = true;
  std::string replay_;          // everything written so far, while replayable_
  uint64_t written_bytes_ = 0;
  Xxh128 hash_;                 // of everything written, once it is more than replay_ holds
  bool effect_possible_ = false;  // an attempt ended with outcome_unknown
};

}  // namespace walrig
