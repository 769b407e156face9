#include "plugins/storage/azure/storage.h"

#include "plugins/storage/azure/blob_reader.h"
#include "plugins/storage/azure/blob_writer.h"
#include "plugins/storage/azure/copier.h"
#include "plugins/storage/azure/lister.h"
#include "walrig/sdk/call.h"

namespace walrig::azure {
namespace {

// A name that cannot be held is not there, for those who only look.
Result<std::string> NameToRead(const Service& service, std::string_view key) {
  Result<std::string> name = service.NameOf(key);
  if (name.ok()) return name;
  return NotFound(std::string(name.status().message()) + " is not there");
}

}  // namespace

Result<ObjectInfo> AzureStorage::Stat(const Context& ctx, std::string_view key) {
  WALRIG_ASSIGN(const std::string name, NameToRead(*service_, key));
  WALRIG_ASSIGN(const HttpResponse response,
                service_->Send(ctx, service_->BlobRequest("HEAD", name), "look at " + name));
  WALRIG_ASSIGN(ObjectInfo info, InfoFromHeaders(response.headers));
  info.key = key;
  return info;
}

Result<std::unique_ptr<Source>> AzureStorage::Get(const Context& ctx, std::string_view key, const GetOptions& options) {
  WALRIG_ASSIGN(const std::string name, NameToRead(*service_, key));
  return OpenBlob(ctx, *service_, name, options);
}

Result<std::unique_ptr<Sink>> AzureStorage::Put(const Context& ctx, std::string_view key, const PutOptions& options) {
  WALRIG_ASSIGN(std::string name, service_->NameOf(key));
  return BlobWriter::Open(ctx, *service_, std::move(name), options);
}

Result<ListPage> AzureStorage::List(const Context& ctx, const ListOptions& options) {
  return ListBlobs(ctx, *service_, options);
}

Status AzureStorage::Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) {
  return deleter_.Delete(ctx, keys, each);
}

Status AzureStorage::Copy(const Context& ctx, std::string_view from, std::string_view to) {
  WALRIG_ASSIGN(const std::string source, NameToRead(*service_, from));
  WALRIG_ASSIGN(const std::string target, service_->NameOf(to));
  return CopyBlob(ctx, *service_, source, target);
}

Result<UnfinishedPage> AzureStorage::ListUnfinished(const Context& ctx, std::string_view prefix,
                                                    std::string_view page_token) {
  return ListUncommitted(ctx, *service_, prefix, page_token);
}

Status AzureStorage::AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                                     std::vector<Status>* each) {
  each->assign(uploads.size(), OkStatus());
  for (size_t i = 0; i < uploads.size(); ++i) {
    WALRIG_TRY(sdk::PollStop(ctx));
    (*each)[i] = DropUncommitted(ctx, *service_, uploads[i]);
  }
  return OkStatus();
}

}  // namespace walrig::azure
