// MeteredStorage: counts calls, failures, seconds and bytes into ctx.metrics.
//
// walrig_storage_calls_total, walrig_storage_failures_total and walrig_storage_seconds_total, each with a label op:
// stat, get, put, commit, list, delete, copy, list_unfinished, abort_unfinished; walrig_storage_bytes_total with op "get" or "put". Costs a test of a
// pointer when there are no metrics.
// OWNS or borrows the inner storage, as StorageWrapper. THREADS: as Storage.
#pragma once

#include "core/storage/wrapper.h"

namespace walrig {

class MeteredStorage : public StorageWrapper {
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
