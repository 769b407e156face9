// LoggedStorage: a line in the debug log for each call: what, which key, how it ended, how long it took.
//
// Reads and writes of a stream are not logged one by one. Nothing is formatted when debug is off.
// OWNS or borrows the inner storage, as StorageWrapper. THREADS: as Storage.
#pragma once

#include "core/storage/wrapper.h"

namespace walrig {

class LoggedStorage : public StorageWrapper {
 public:
  using StorageWrapper::StorageWrapper;

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
};

}  // namespace walrig
