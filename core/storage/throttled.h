// ThrottledStorage: what comes from the storage takes its bytes from one token bucket, what goes to it from another: the
// network limit (WALG_NETWORK_RATE_LIMIT), each way. Several storages may share buckets.
//
// OWNS or borrows the inner storage, as StorageWrapper; borrows the buckets, which must outlive it and its streams; a null
// one is no limit.
// THREADS: as Storage.
#pragma once

#include "core/storage/wrapper.h"

namespace walrig {

class TokenBucket;

class ThrottledStorage : public StorageWrapper {
 public:
  ThrottledStorage(std::unique_ptr<Storage> inner, TokenBucket* download, TokenBucket* upload)
      : StorageWrapper(std::move(inner)), download_(download), upload_(upload) {}
  ThrottledStorage(Storage& inner, TokenBucket* download, TokenBucket* upload)
      : StorageWrapper(inner), download_(download), upload_(upload) {}

  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override;

 private:
  TokenBucket* const download_;
  TokenBucket* const upload_;
};

}  // namespace walrig
