#include "core/storage/objects.h"

#include <fmt/format.h>

#include <algorithm>

namespace walrig {

namespace {

constexpr size_t kDeleteKeysMax = 1000;  // what one S3 call takes

}  // namespace

Result<std::vector<ObjectInfo>> ListAll(const Context& ctx, Storage& storage, std::string_view prefix,
                                        std::string_view delimiter, std::string_view start_after) {
  ListOptions options;
  options.prefix = std::string(prefix);
  options.delimiter = std::string(delimiter);
  options.start_after = std::string(start_after);
  std::vector<ObjectInfo> all;
  while (true) {
    WALRIG_TRY(ctx.Poll());
    WALRIG_ASSIGN(ListPage page, storage.List(ctx, options));
    std::move(page.entries.begin(), page.entries.end(), std::back_inserter(all));
    if (page.next_page_token.empty()) break;
    if (page.next_page_token == options.page_token) {
      return ProtocolError(fmt::format("list {}: the storage gave the same page token twice", prefix));
    }
    options.page_token = std::move(page.next_page_token);
  }
  std::sort(all.begin(), all.end(), [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; });
  return all;
}

Result<std::string> ReadObject(const Context& ctx, Storage& storage, std::string_view key, uint64_t bytes_max) {
  WALRIG_ASSIGN(std::unique_ptr<Source> source, storage.Get(ctx, key, {}));
  std::string bytes;
  Buffer buffer(kIoBufferBytes);
  while (true) {
    WALRIG_TRY(ctx.Poll());
    WALRIG_ASSIGN(const size_t got, source->Read(ctx, buffer.span()));
    if (got == 0) return bytes;
    if (got > bytes_max - bytes.size()) {
      return TooLarge(fmt::format("{} has more than {} bytes", key, bytes_max));
    }
    bytes.append(AsText(buffer.first(got)));
  }
}

Status WriteObject(const Context& ctx, Storage& storage, std::string_view key, std::string_view bytes,
                   PutOptions options) {
  options.size_bytes = bytes.size();
  WALRIG_ASSIGN(std::unique_ptr<Sink> sink, storage.Put(ctx, key, options));
  if (!bytes.empty()) WALRIG_TRY(sink->Write(ctx, AsBytes(bytes)));
  return sink->Commit(ctx);
}

PutOptions NewObject(const Storage& storage) {
  PutOptions options;
  options.only_if_absent = storage.capabilities().put_if_absent;
  return options;
}

Result<bool> Exists(const Context& ctx, Storage& storage, std::string_view key) {
  const Result<ObjectInfo> info = storage.Stat(ctx, key);
  if (info.ok()) return true;
  if (info.status().code() == Code::kNotFound) return false;
  return info.status();
}

Status DeleteAll(const Context& ctx, Storage& storage, const std::vector<std::string>& keys) {
  Status first;
  for (size_t begin = 0; begin < keys.size(); begin += kDeleteKeysMax) {
    WALRIG_TRY(ctx.Poll());
    const auto part = std::span(keys).subspan(begin, std::min(kDeleteKeysMax, keys.size() - begin));
    std::vector<Status> each;
    if (Status status = storage.Delete(ctx, part, &each); !status.ok() && first.ok()) first = std::move(status);
    for (size_t i = 0; i < each.size() && i < part.size(); i++) {
      if (!each[i].ok() && first.ok()) first = std::move(each[i]).With("delete " + part[i]);
    }
  }
  return first;
}

}  // namespace walrig
