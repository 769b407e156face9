// GcsStorage: a bucket of Google Cloud Storage, by its JSON API.
//
// Keys are names below the prefix, as WAL-G writes them. An etag is the object's generation. Names below `*_chunks/` are
// pieces of uploads: never shown, and removed by AbortUnfinished.
//
// OWNS: connections and tokens. THREADS: as Storage.
#pragma once

#include <memory>
#include <string>

#include "plugins/storage/gcs/client.h"
#include "plugins/storage/gcs/object_writer.h"
#include "walrig/storage.h"

namespace walrig::gcs {

inline constexpr StorageCapabilities kCapabilities = {.range = true, .put_if_absent = true, .copy = true, .delimiter = true,
                                                      .list_sorted = true, .read_your_writes = true, .list_your_writes = true,
                                                      .unfinished = true};

class GcsStorage final : public Storage {
 public:
  GcsStorage(std::unique_ptr<Client> client, const WriterOptions& writer) : client_(std::move(client)), writer_(writer) {}

  StorageCapabilities capabilities() const override { return kCapabilities; }
  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override;
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override;
  Result<ListPage> List(const Context& ctx, const ListOptions& options) override;
  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override;
  Status Copy(const Context& ctx, std::string_view from, std::string_view to) override;
  Result<UnfinishedPage> ListUnfinished(const Context& ctx, std::string_view prefix, std::string_view page_token) override;
  Status AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads, std::vector<Status>* each) override;

 private:
  Result<std::string> NameOf(std::string_view key) const;
  Status AbortOne(const Context& ctx, const UnfinishedUpload& upload);

  const std::unique_ptr<Client> client_;
  const WriterOptions writer_;
};

}  // namespace walrig::gcs
