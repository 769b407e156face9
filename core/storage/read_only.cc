#include "core/storage/read_only.h"

namespace walrig {

namespace {

Status Refusal(std::string_view what, std::string_view key) {
  return ReadOnly(std::string(what) + " " + std::string(key) + ": the storage is used for reading only");
}

}  // namespace

Result<std::unique_ptr<Sink>> ReadOnlyStorage::Put(const Context&, std::string_view key, const PutOptions&) {
  return Refusal("put", key);
}

Status ReadOnlyStorage::Delete(const Context&, std::span<const std::string> keys, std::vector<Status>* each) {
  each->clear();
  for (const std::string& key : keys) each->push_back(Refusal("delete", key));
  return Refusal("delete", keys.empty() ? std::string_view() : std::string_view(keys.front()));
}

Status ReadOnlyStorage::Copy(const Context&, std::string_view, std::string_view to) { return Refusal("copy to", to); }

Status ReadOnlyStorage::AbortUnfinished(const Context&, std::span<const UnfinishedUpload> uploads,
                                        std::vector<Status>* each) {
  each->clear();
  for (const UnfinishedUpload& upload : uploads) each->push_back(Refusal("abort upload of", upload.key));
  return Refusal("abort upload of", uploads.empty() ? std::string_view() : std::string_view(uploads.front().key));
}

}  // namespace walrig
