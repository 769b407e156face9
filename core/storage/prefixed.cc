#include "core/storage/prefixed.h"

namespace walrig {

namespace {

std::string WithSlash(std::string prefix) {
  if (!prefix.empty() && prefix.back() != '/') prefix += '/';
  return prefix;
}

}  // namespace

PrefixedStorage::PrefixedStorage(std::unique_ptr<Storage> storage, std::string prefix)
    : StorageWrapper(std::move(storage)), prefix_(WithSlash(std::move(prefix))) {}
PrefixedStorage::PrefixedStorage(Storage& storage, std::string prefix)
    : StorageWrapper(storage), prefix_(WithSlash(std::move(prefix))) {}

Result<ObjectInfo> PrefixedStorage::Stat(const Context& ctx, std::string_view key) {
  WALRIG_ASSIGN(ObjectInfo info, inner().Stat(ctx, Full(key)));
  info.key = std::string(key);
  return info;
}

Result<std::unique_ptr<Source>> PrefixedStorage::Get(const Context& ctx, std::string_view key,
                                                     const GetOptions& options) {
  return inner().Get(ctx, Full(key), options);
}

Result<std::unique_ptr<Sink>> PrefixedStorage::Put(const Context& ctx, std::string_view key,
                                                   const PutOptions& options) {
  return inner().Put(ctx, Full(key), options);
}

Result<ListPage> PrefixedStorage::List(const Context& ctx, const ListOptions& options) {
  ListOptions full = options;
  full.prefix = Full(options.prefix);
  if (!options.start_after.empty()) full.start_after = Full(options.start_after);
  WALRIG_ASSIGN(ListPage page, inner().List(ctx, full));
  for (ObjectInfo& entry : page.entries) {
    if (!entry.key.starts_with(prefix_)) {
      return ProtocolError("list " + full.prefix + ": the storage answered a key outside the prefix: " + entry.key);
    }
    entry.key.erase(0, prefix_.size());
  }
  return page;
}

Status PrefixedStorage::Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) {
  std::vector<std::string> full;
  full.reserve(keys.size());
  for (const std::string& key : keys) full.push_back(Full(key));
  return inner().Delete(ctx, full, each);
}

Status PrefixedStorage::Copy(const Context& ctx, std::string_view from, std::string_view to) {
  return inner().Copy(ctx, Full(from), Full(to));
}

Result<UnfinishedPage> PrefixedStorage::ListUnfinished(const Context& ctx, std::string_view prefix,
                                             std::string_view page_token) {
  WALRIG_ASSIGN(UnfinishedPage page, inner().ListUnfinished(ctx, Full(prefix), page_token));
  for (UnfinishedUpload& upload : page.entries) {
    if (!upload.key.starts_with(prefix_)) {
      return ProtocolError("list unfinished uploads: the storage answered a key outside the prefix: " + upload.key);
    }
    upload.key.erase(0, prefix_.size());
  }
  return page;
}

Status PrefixedStorage::AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                              std::vector<Status>* each) {
  std::vector<UnfinishedUpload> full(uploads.begin(), uploads.end());
  for (UnfinishedUpload& upload : full) upload.key.insert(0, prefix_);
  return inner().AbortUnfinished(ctx, full, each);
}

}  // namespace walrig
