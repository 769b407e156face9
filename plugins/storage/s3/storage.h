// S3Storage: a folder of a bucket of S3, or of a server that speaks it, as walrig::Storage.
//
// OWNS: the client. THREADS: as walrig::Storage.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/storage/s3/client.h"
#include "walrig/storage.h"

namespace walrig::s3 {

// Conditional writes are the server's: one that ignores If-None-Match must have put_if_absent switched off.
inline constexpr StorageCapabilities kCapabilities = {.range = true, .put_if_absent = true, .copy = true,
                                                      .delimiter = true, .list_sorted = true,
                                                      .read_your_writes = true, .list_your_writes = true,
                                                      .unfinished = true};

// Keys are refused that some server would change or refuse late: empty, a '/' at an end, empty parts, "." and "..",
// control bytes, text that is not UTF-8, more than 1024 bytes with the folder. FAILS WITH: kNameInvalid.
Status CheckKey(std::string_view folder, std::string_view key);

class S3Storage final : public Storage {
 public:
  static Result<std::unique_ptr<Storage>> Open(Settings settings);

  StorageCapabilities capabilities() const override;
  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override;
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override;
  Result<ListPage> List(const Context& ctx, const ListOptions& options) override;
  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override;
  Status Copy(const Context& ctx, std::string_view from, std::string_view to) override;
  Result<UnfinishedPage> ListUnfinished(const Context& ctx, std::string_view prefix, std::string_view page_token) override;
  Status AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                         std::vector<Status>* each) override;

 private:
  explicit S3Storage(std::unique_ptr<S3Client> client) : client_(std::move(client)) {}
  std::string Whole(std::string_view key) const { return client_->settings().folder + std::string(key); }
  Result<HttpHeaders> Head(const Context& ctx, std::string_view key);
  Result<UnfinishedPage> ListUploads(const Context& ctx, std::string_view asked, const std::string& wanted,
                                     std::string_view markers);
  Status Missing(const Context& ctx, Status status);
  Status DeleteBatch(const Context& ctx, std::span<const std::string> keys, std::span<Status> each);
  Result<bool> KeepsVersions(const Context& ctx);
  Status DeleteVersions(const Context& ctx, std::span<const std::string> keys, std::span<Status> each);
  Status DeleteListed(const Context& ctx, const std::vector<VersionsAnswer::Version>& versions,
                      const std::map<std::string, size_t>& places, std::span<Status> each);
  Result<ErrorAnswer> SendDelete(const Context& ctx, const std::string& objects, std::vector<DeleteFailure>* failures);
  Status CopyWhole(const Context& ctx, std::string_view from, std::string_view to, const std::string& etag);
  Status CopyParts(const Context& ctx, std::string_view from, std::string_view to, const ObjectInfo& info);
  S3Request CopyPartRequest(std::string_view from, std::string_view to, const ObjectInfo& info, const std::string& id,
                            uint64_t number, uint64_t part_bytes) const;
  Result<std::vector<std::string>> CopyAllParts(const Context& ctx, std::string_view from, std::string_view to,
                                                const ObjectInfo& info, const std::string& id);
  Status CompleteCopy(const Context& ctx, std::string_view to, const std::string& id, const std::vector<std::string>& etags);
  Result<std::string> CopiedEtag(const Context& ctx, const HttpResponse& response, std::string_view what);

  std::unique_ptr<S3Client> client_;
  std::atomic<int> keeps_versions_{-1};  // -1: not known yet
};

}  // namespace walrig::s3
