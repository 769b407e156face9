// WatchedStorage: tells that the storage behind it fails, by what its calls end with.
//
// Stands above the retries: what is told would be told to the job, too. Which failures count says SpeaksAgainstStorage.
// OWNS or borrows the inner storage, as StorageWrapper. THREADS: as Storage; the listener is called by any thread.
#pragma once

#include <atomic>
#include <functional>

#include "core/storage/wrapper.h"

namespace walrig {

class WatchedStorage final : public StorageWrapper {
 public:
  // Called once, with the first failure.
  using Listener = std::function<void(const Context&, const Status&)>;
  WatchedStorage(std::unique_ptr<Storage> inner, Listener listener)
      : StorageWrapper(std::move(inner)), listener_(std::move(listener)) {}

  // Whether a call failed so far.
  bool failed() const noexcept { return failed_; }

  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override;
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override;
  Result<ListPage> List(const Context& ctx, const ListOptions& options) override;
  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override;
  Status Copy(const Context& ctx, std::string_view from, std::string_view to) override;
  Result<UnfinishedPage> ListUnfinished(const Context& ctx, std::string_view prefix,
                                        std::string_view page_token) override;

  // For its streams.
  void Look(const Context& ctx, const Status& status);

 private:
  const Listener listener_;
  std::atomic<bool> failed_{false};
};

}  // namespace walrig
