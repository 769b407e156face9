// ReadOnlyStorage: refuses every change with kReadOnly; for verification, dry runs and storages that must be spared.
//
// OWNS or borrows the inner storage, as StorageWrapper. THREADS: as Storage.
#pragma once

#include "core/storage/wrapper.h"

namespace walrig {

class ReadOnlyStorage : public StorageWrapper {
 public:
  using StorageWrapper::StorageWrapper;

  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override;
  // Each key gets kReadOnly; so does the call.
  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override;
  Status Copy(const Context& ctx, std::string_view from, std::string_view to) override;
  Status AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                         std::vector<Status>* each) override;
};

}  // namespace walrig
