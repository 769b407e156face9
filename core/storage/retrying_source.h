// RetryingSource: a Get stream that survives broken connections; made by RetryingStorage.
//
// OWNS: the present inner stream. Borrows both storages. THREADS: as Source.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/storage/backoff.h"
#include "core/storage/retrying.h"

namespace walrig {

class RetryingSource final : public Source {
 public:
  struct Origin {
    Storage& attempts;   // one call is one attempt
    const RetryPolicy& policy;
    uint64_t seed;
    std::string key;
    GetOptions options;                // as given by the caller, the etag pinned
    std::optional<ObjectInfo> pinned;  // seen before the first byte; what resumed reads are checked against
  };

  RetryingSource(Origin origin, std::unique_ptr<Source> source);
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override;

 private:
  Status Resume(const Context& ctx);
  Status CheckSame(const Context& ctx);
  Status CheckLength(size_t got) const;

  Origin origin_;
  std::unique_ptr<Source> source_;  // null after it broke
  Backoff backoff_;
  uint64_t delivered_bytes_ = 0;
  std::optional<uint64_t> expected_bytes_;
};

}  // namespace walrig
