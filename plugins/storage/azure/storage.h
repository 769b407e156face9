// AzureStorage: objects as block blobs of a container, readable and writable by WAL-G's Azure storage.
//
// OWNS: the service, with its connections. THREADS: as walrig::Storage.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/storage/azure/deleter.h"
#include "plugins/storage/azure/service.h"
#include "walrig/storage.h"

namespace walrig::azure {

// Not sorted: see lister.h.
inline constexpr StorageCapabilities kCapabilities = {.range = true, .put_if_absent = true, .copy = true,
                                                      .delimiter = true, .read_your_writes = true,
                                                      .list_your_writes = true, .unfinished = true};

class AzureStorage final : public Storage {
 public:
  explicit AzureStorage(std::unique_ptr<Service> service) : service_(std::move(service)), deleter_(*service_) {}

  StorageCapabilities capabilities() const override { return kCapabilities; }
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
  const std::unique_ptr<Service> service_;
  Deleter deleter_;
};

}  // namespace walrig::azure
