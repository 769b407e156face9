// ThrottledStorage: what goes to and comes from the storage takes its bytes from a token bucket: the network limit
// (WALG_NETWORK_RATE_LIMIT). Several storages may share one bucket.
//
// OWNS or borrows the inner storage, as StorageWrapper; borrows the bucket, which must outlive it and its streams.
// THREADS: as Storage.
#pragma once

#include "core/storage/wrapper.h"

namespace walrig {

class TokenBucket;

class ThrottledStorage : public StorageWrapper {
 public:
  ThrottledStorage(std::unique_ptr<Storage> inner, TokenBucket& bucket)
      : StorageWrapper(std::move(inner)), bucket_(bucket) {}
  ThrottledStorage(Storage& inner, TokenBucket& bucket) : StorageWrapper(inner), bucket_(bucket) {}

  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override;

 private:
  TokenBucket& bucket_;
};

}  // namespace walrig
