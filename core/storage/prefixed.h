// PrefixedStorage: a subfolder of a storage as a storage of its own.
//
// Keys and listings are relative to the prefix; nothing outside it can be named.
// OWNS or borrows the inner storage, as StorageWrapper. THREADS: as Storage.
#pragma once

#include "core/storage/wrapper.h"

namespace walrig {

class PrefixedStorage : public StorageWrapper {
 public:
  // `prefix` gets a '/' at its end unless it is empty or has one.
  PrefixedStorage(std::unique_ptr<Storage> inner, std::string prefix);
  PrefixedStorage(Storage& inner, std::string prefix);

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
  std::string Full(std::string_view key) const { return prefix_ + std::string(key); }
  const std::string prefix_;
};

}  // namespace walrig
