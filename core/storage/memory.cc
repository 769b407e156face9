#include "core/storage/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace walrig {

namespace {

Status CheckKey(std::string_view key) {
  const auto bad = [&] { return NameInvalid(fmt::format("'{}' is not a key", key)); };
  if (key.empty() || key.find('\0') != key.npos) return bad();
  while (true) {
    const size_t slash = key.find('/');
    const std::string_view part = key.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return bad();
    if (slash == key.npos) return OkStatus();
    key.remove_prefix(slash + 1);
  }
}

class SharedSource final : public Source {
 public:
  SharedSource(std::shared_ptr<const std::string> bytes, size_t begin, size_t end)
      : bytes_(std::move(bytes)), position_(begin), end_(end) {}
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
    WALRIG_TRY(ctx.Poll());
    const size_t count = std::min(buffer.size(), end_ - position_);
    std::memcpy(buffer.data(), bytes_->data() + position_, count);
    position_ += count;
    return count;
  }

 private:
  std::shared_ptr<const std::string> bytes_;
  size_t position_;
  size_t end_;
};

}  // namespace

class MemoryStorageSink final : public Sink {
 public:
  MemoryStorageSink(MemoryStorage& storage, std::string_view key, const PutOptions& options, uint64_t upload)
      : storage_(storage), key_(key), options_(options), upload_(upload) {}
  ~MemoryStorageSink() override { Abort(); }
  MemoryStorageSink(const MemoryStorageSink&) = delete;
  MemoryStorageSink& operator=(const MemoryStorageSink&) = delete;

  Status Write(const Context& ctx, ByteSpan bytes) override {
    WALRIG_TRY(ctx.Poll());
    bytes_.append(AsText(bytes));
    return OkStatus();
  }
  Status Commit(const Context& ctx) override {
    WALRIG_TRY(ctx.Poll());
    if (ended_) return Internal(fmt::format("commit of {} after its end", key_));
    ended_ = true;
    if (!storage_.EndUpload(upload_)) return NotFound(fmt::format("put {}: the upload was aborted meanwhile", key_));
    if (options_.size_bytes != kUnknownSize && options_.size_bytes != bytes_.size()) {
      return InvalidArgument(
          fmt::format("put {}: {} bytes were announced, {} written", key_, options_.size_bytes, bytes_.size()));
    }
    return storage_.Store(ctx, key_, std::make_shared<const std::string>(std::move(bytes_)), options_.only_if_absent);
  }
  void Abort() noexcept override {
    if (!ended_) storage_.EndUpload(upload_);
    ended_ = true;
    bytes_.clear();
  }

 private:
  MemoryStorage& storage_;
  const std::string key_;
  const PutOptions options_;
  const uint64_t upload_;
  std::string bytes_;
  bool ended_ = false;
};

StorageCapabilities MemoryStorage::capabilities() const {
  return {.range = true,
          .put_if_absent = true,
          .copy = true,
          .delimiter = true,
          .list_sorted = true,
          .read_your_writes = true,
          .list_your_writes = true,
          .unfinished = true};
}

Status MemoryStorage::Store(const Context& ctx, const std::string& key, std::shared_ptr<const std::string> bytes,
                            bool only_if_absent) {
  const int64_t now_ns = ctx.clock->WallNs();
  std::lock_guard lock(mutex_);
  if (only_if_absent && objects_.contains(key)) return AlreadyExists(fmt::format("{} exists", key));
  objects_[key] = Object{std::move(bytes), now_ns, ++generation_};
  return OkStatus();
}

Result<ObjectInfo> MemoryStorage::Stat(const Context& ctx, std::string_view key) {
  WALRIG_TRY(ctx.Poll());
  WALRIG_TRY(CheckKey(key));
  std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return NotFound(fmt::format("{} does not exist", key));
  const Object& object = found->second;
  return ObjectInfo{.key = std::string(key), .size_bytes = object.bytes->size(), .mtime_ns = object.mtime_ns,
                    .etag = std::to_string(object.generation)};
}

Result<std::unique_ptr<Source>> MemoryStorage::Get(const Context& ctx, std::string_view key,
                                                   const GetOptions& options) {
  WALRIG_TRY(ctx.Poll());
  WALRIG_TRY(CheckKey(key));
  std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return NotFound(fmt::format("{} does not exist", key));
  const Object& object = found->second;
  if (!options.if_match_etag.empty() && options.if_match_etag != std::to_string(object.generation)) {
    return PreconditionFailed(fmt::format("{} is another object by now", key));
  }
  const size_t size = object.bytes->size();
  const size_t begin = static_cast<size_t>(std::min<uint64_t>(options.offset, size));
  const size_t end = begin + static_cast<size_t>(std::min<uint64_t>(options.length, size - begin));
  return std::unique_ptr<Source>(std::make_unique<SharedSource>(object.bytes, begin, end));
}

Result<std::unique_ptr<Sink>> MemoryStorage::Put(const Context& ctx, std::string_view key, const PutOptions& options) {
  WALRIG_TRY(ctx.Poll());
  WALRIG_TRY(CheckKey(key));
  return std::unique_ptr<Sink>(std::make_unique<MemoryStorageSink>(*this, key, options, BeginUpload(ctx, key)));
}

Result<ListPage> MemoryStorage::List(const Context& ctx, const ListOptions& options) {
  WALRIG_TRY(ctx.Poll());
  if (options.keys_max == 0) return InvalidArgument("a page of no keys was asked for");
  ListPage page;
  std::lock_guard lock(mutex_);
  for (auto it = objects_.lower_bound(options.prefix); it != objects_.end(); ++it) {
    const std::string& key = it->first;
    if (!key.starts_with(options.prefix)) break;
    if (!options.start_after.empty() && key <= options.start_after) continue;
    ObjectInfo entry;
    entry.key = key;
    const size_t cut =
        options.delimiter.empty() ? key.npos : key.find(options.delimiter, options.prefix.size());
    if (cut != key.npos) {
      entry.key = key.substr(0, cut + options.delimiter.size());
      entry.is_prefix = true;
      if (!page.entries.empty() && page.entries.back().key == entry.key) continue;
    } else {
      entry.size_bytes = it->second.bytes->size();
      entry.mtime_ns = it->second.mtime_ns;
      entry.etag = std::to_string(it->second.generation);
    }
    // The token is the last entry of the page before; a common prefix stands for everything below it.
    if (!options.page_token.empty() && entry.key <= options.page_token) continue;
    if (page.entries.size() == options.keys_max) {
      page.next_page_token = page.entries.back().key;
      break;
    }
    page.entries.push_back(std::move(entry));
  }
  return page;
}

Status MemoryStorage::Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) {
  WALRIG_TRY(ctx.Poll());
  each->assign(keys.size(), OkStatus());
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < keys.size(); i++) {
    if (Status status = CheckKey(keys[i]); !status.ok()) {
      (*each)[i] = std::move(status);
    } else {
      objects_.erase(keys[i]);
    }
  }
  return OkStatus();
}

Status MemoryStorage::Copy(const Context& ctx, std::string_view from, std::string_view to) {
  WALRIG_TRY(ctx.Poll());
  WALRIG_TRY(CheckKey(from));
  WALRIG_TRY(CheckKey(to));
  std::shared_ptr<const std::string> bytes;
  {
    std::lock_guard lock(mutex_);
    const auto found = objects_.find(from);
    if (found == objects_.end()) return NotFound(fmt::format("{} does not exist", from));
    bytes = found->second.bytes;
  }
  return Store(ctx, std::string(to), std::move(bytes), false);
}

uint64_t MemoryStorage::BeginUpload(const Context& ctx, std::string_view key) {
  const int64_t now_ns = ctx.clock->WallNs();
  std::lock_guard lock(mutex_);
  const uint64_t upload = ++uploads_begun_;
  uploads_[upload] = {.key = std::string(key), .id = std::to_string(upload), .started_ns = now_ns};
  return upload;
}

bool MemoryStorage::EndUpload(uint64_t upload) noexcept {
  std::lock_guard lock(mutex_);
  return uploads_.erase(upload) != 0;
}

Result<UnfinishedPage> MemoryStorage::ListUnfinished(const Context& ctx, std::string_view prefix,
                                             std::string_view page_token) {
  WALRIG_TRY(ctx.Poll());
  if (!page_token.empty()) return InvalidArgument("list unfinished uploads: unknown page token");
  UnfinishedPage page;
  std::lock_guard lock(mutex_);
  for (const auto& [number, upload] : uploads_) {
    if (upload.key.starts_with(prefix)) page.entries.push_back(upload);
  }
  return page;
}

Status MemoryStorage::AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                              std::vector<Status>* each) {
  WALRIG_TRY(ctx.Poll());
  each->assign(uploads.size(), OkStatus());
  std::lock_guard lock(mutex_);
  for (const UnfinishedUpload& upload : uploads) {
    std::erase_if(uploads_, [&](const auto& known) {
      return known.second.id == upload.id && known.second.key == upload.key;
    });
  }
  return OkStatus();
}

}  // namespace walrig
