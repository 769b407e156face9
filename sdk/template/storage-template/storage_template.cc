// SPDX-License-Identifier: MIT-0
// A whole storage plugin: objects in memory, gone with the process. Replace the map by your store.
//
// What to keep when you do: nothing is visible before Commit; Commit replaces atomically; an uncommitted Sink leaves
// nothing; one call is one attempt, and its Status says whether it may be tried again (Status::Retryable) and whether
// it may have happened all the same (Status::OutcomeUnknown).
#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrig/export.h"

namespace {

using namespace walrig;

struct Object {
  std::string bytes;
  int64_t mtime_ns = 0;
  uint64_t generation = 0;
};

// What Put and Get share with the storage. A reader keeps its object although another takes the name.
struct Shelf {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<const Object>, std::less<>> objects;  // guarded by mutex
  uint64_t generation = 0;                                                    // guarded by mutex
};

Status CheckKey(std::string_view key) {
  const bool good = !key.empty() && key.size() <= 1024 && key.front() != '/' && key.back() != '/' &&
                    key.find("//") == key.npos && key.find('\0') == key.npos;
  return good ? OkStatus() : NameInvalid("object name \"" + std::string(key) + "\" cannot be held");
}

Status NoObject(std::string_view key) { return NotFound("object " + std::string(key) + " does not exist"); }

ObjectInfo InfoOf(std::string_view key, const Object& object) {
  ObjectInfo info;
  info.key = key;
  info.size_bytes = object.bytes.size();
  info.mtime_ns = object.mtime_ns;
  info.etag = std::to_string(object.generation);
  return info;
}

class MemoryReader final : public Source {
 public:
  MemoryReader(std::shared_ptr<const Object> object, size_t offset, size_t length)
      : object_(std::move(object)), left_(std::string_view(object_->bytes).substr(offset, length)) {}

  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
    WALRIG_TRY(ctx.Poll());
    const size_t n = std::min(buffer.size(), left_.size());
    std::copy_n(left_.begin(), n, buffer.begin());
    left_.remove_prefix(n);
    return n;
  }

 private:
  std::shared_ptr<const Object> object_;  // the other owner is the shelf, until the object is replaced
  std::string_view left_;
};

class MemoryWriter final : public Sink {
 public:
  MemoryWriter(Shelf& shelf, std::string_view key, const PutOptions& options)
      : shelf_(shelf), key_(key), options_(options) {}

  Status Write(const Context& ctx, ByteSpan bytes) override {
    WALRIG_TRY(ctx.Poll());
    bytes_ += AsText(bytes);
    return OkStatus();
  }

  Status Commit(const Context& ctx) override {
    WALRIG_TRY(ctx.Poll());
    if (options_.size_bytes != kUnknownSize && bytes_.size() != options_.size_bytes) {
      return InvalidArgument("object " + key_ + ": another count of bytes than announced");
    }
    auto object = std::make_shared<Object>();
    object->bytes = std::move(bytes_);
    object->mtime_ns = ctx.clock->WallNs();
    const std::lock_guard lock(shelf_.mutex);
    if (options_.only_if_absent && shelf_.objects.contains(key_)) return AlreadyExists("object " + key_ + " exists");
    object->generation = ++shelf_.generation;
    shelf_.objects[key_] = std::move(object);
    return OkStatus();
  }

  void Abort() noexcept override { bytes_.clear(); }

 private:
  Shelf& shelf_;
  std::string key_, bytes_;
  PutOptions options_;
};

constexpr StorageCapabilities kCapabilities = {.range = true, .put_if_absent = true, .copy = true, .delimiter = true,
                                               .list_sorted = true, .read_your_writes = true,
                                               .list_your_writes = true};

class MemoryStorage final : public Storage {
 public:
  StorageCapabilities capabilities() const override { return kCapabilities; }

  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override {
    WALRIG_ASSIGN(const std::shared_ptr<const Object> object, Find(ctx, key));
    return InfoOf(key, *object);
  }

  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override {
    WALRIG_ASSIGN(std::shared_ptr<const Object> object, Find(ctx, key));
    if (!options.if_match_etag.empty() && options.if_match_etag != std::to_string(object->generation)) {
      return PreconditionFailed("object " + std::string(key) + " was replaced");
    }
    const uint64_t size = object->bytes.size();
    const uint64_t offset = std::min(options.offset, size);
    const uint64_t length = std::min(options.length, size - offset);
    return std::unique_ptr<Source>(std::make_unique<MemoryReader>(std::move(object), offset, length));
  }

  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    WALRIG_TRY(ctx.Poll());
    WALRIG_TRY(CheckKey(key));
    const std::lock_guard lock(shelf_.mutex);
    if (options.only_if_absent && shelf_.objects.contains(key)) {
      return AlreadyExists("object " + std::string(key) + " exists");
    }
    return std::unique_ptr<Sink>(std::make_unique<MemoryWriter>(shelf_, key, options));
  }

  Result<ListPage> List(const Context& ctx, const ListOptions& options) override {
    WALRIG_TRY(ctx.Poll());
    // The token is the last entry given; below a common prefix all is skipped.
    const bool resumed = !options.page_token.empty();
    const std::string after = std::max(options.start_after, options.page_token);
    ListPage page;
    const std::lock_guard lock(shelf_.mutex);
    for (auto it = shelf_.objects.lower_bound(options.prefix); it != shelf_.objects.end(); ++it) {
      const std::string& key = it->first;
      if (!key.starts_with(options.prefix)) break;
      ObjectInfo info = InfoOf(key, *it->second);
      if (const size_t at = options.delimiter.empty() ? key.npos : key.find(options.delimiter, options.prefix.size());
          at != key.npos) {
        info = ObjectInfo();
        info.key = key.substr(0, at + options.delimiter.size());
        info.is_prefix = true;
      }
      const bool given = resumed && info.is_prefix && info.key <= options.page_token;
      const bool again = !page.entries.empty() && page.entries.back().key == info.key;
      if (key <= after || given || again) continue;
      if (page.entries.size() == std::max(options.keys_max, 1u)) {
        page.next_page_token = page.entries.back().key;
        break;
      }
      page.entries.push_back(std::move(info));
    }
    return page;
  }

  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override {
    WALRIG_TRY(ctx.Poll());
    each->clear();
    const std::lock_guard lock(shelf_.mutex);
    for (const std::string& key : keys) {
      each->push_back(CheckKey(key));
      if (each->back().ok()) shelf_.objects.erase(key);
    }
    return OkStatus();
  }

  Status Copy(const Context& ctx, std::string_view from, std::string_view to) override {
    WALRIG_TRY(CheckKey(to));
    WALRIG_ASSIGN(const std::shared_ptr<const Object> source, Find(ctx, from));
    auto copy = std::make_shared<Object>(*source);
    copy->mtime_ns = ctx.clock->WallNs();
    const std::lock_guard lock(shelf_.mutex);
    copy->generation = ++shelf_.generation;
    shelf_.objects[std::string(to)] = std::move(copy);
    return OkStatus();
  }

 private:
  Result<std::shared_ptr<const Object>> Find(const Context& ctx, std::string_view key) {
    WALRIG_TRY(ctx.Poll());
    WALRIG_TRY(CheckKey(key));
    const std::lock_guard lock(shelf_.mutex);
    const auto it = shelf_.objects.find(key);
    if (it == shelf_.objects.end()) return NoObject(key);
    return it->second;
  }

  Shelf shelf_;
};

Result<std::unique_ptr<Storage>> Create(const Context& ctx, const sdk::ConfigReader& config) {
  // The host has checked the options against the table below; here they are only read.
  WALRIG_ASSIGN(const std::string name, config.Text("name"));
  if (ctx.log->Enabled(LogLevel::kDebug)) ctx.log->Write(LogLevel::kDebug, "storage/template", "opened " + name);
  return std::unique_ptr<Storage>(std::make_unique<MemoryStorage>());
}

constexpr const char* kNameSettings[] = {"WALRIG_TEMPLATE_NAME", nullptr};
constexpr walrig_option kOptions[] = {
    sdk::Option{.name = "name",
                .type = OptionType::kString,
                .required = true,
                .settings = kNameSettings,
                .help = "Name of this storage in the log."},
};
constexpr walrig_factory kTemplate = sdk::StorageFactory<Create>(
    {.name = "template", .description = "Objects in memory, a template", .options = kOptions}, kCapabilities);

}  // namespace

WALRIG_EXPORT_PLUGIN("org.walrig.storage-template", WALRIG_PLUGIN_VERSION, "MIT-0", "storage:template",
                     "Objects in memory, a template", &kTemplate);
