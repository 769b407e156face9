#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <new>
#include <stdexcept>

#include "core/plugin/bridge.h"
#include "walrig/abi/storage.h"
#include "walrig/abi/unfinished.h"
#include "walrig/abi_status.h"

namespace walrig {
namespace {

constexpr size_t kTokenBytesMax = 4096;

walrig_bytes Borrow(std::string_view text) { return {text.data(), text.size()}; }
// The longest text that a plugin may hand over: a key, an etag, an upload's number.
constexpr size_t kTextBytesMax = size_t{1} << 20;

// Called where Collect catches what it throws.
std::string TextOf(walrig_bytes bytes) {
  if (bytes.len > kTextBytesMax) throw std::length_error("a text of a storage plugin's");
  return bytes.len == 0 || bytes.ptr == nullptr ? std::string()
                                                : std::string(static_cast<const char*>(bytes.ptr), bytes.len);
}

// The record of one call; callees write to it on failure only, so a reader or writer keeps one for its whole life.
struct CallError : walrig_error {
  CallError() : walrig_error{} { struct_size = sizeof(walrig_error); }
  Status Take(walrig_status answer) {
    Status status = FromAbi(answer, *this);
    *this = CallError();
    return status;
  }
};

ObjectInfo InfoOf(const walrig_object& object) {
  ObjectInfo info;
  info.key = TextOf(object.key);
  info.is_prefix = (object.flags & WALRIG_OBJECT_PREFIX) != 0;
  if (info.is_prefix) return info;
  info.size_bytes = object.size;
  info.mtime_ns = object.mtime_ns;
  info.etag = TextOf(object.etag);
  return info;
}

// What one call gives to its sink, and whether all of it made sense.
struct Collected {
  std::vector<ObjectInfo> objects;
  bool sound = true;
  bool out_of_memory = false;
};

// Runs `take` for a sink that is called from C, where nothing may be thrown.
template <typename Into, typename Take>
int32_t Collect(Into& collected, Take&& take) noexcept {
  if (!collected.sound || collected.out_of_memory) return 1;
  try {
    take();
    return 0;
  } catch (const std::bad_alloc&) {
    collected.out_of_memory = true;
  } catch (const std::exception&) {
    collected.sound = false;  // a text that is too long
  }
  return 1;
}

int32_t CollectObject(void* into, const walrig_object* object) noexcept {
  auto& collected = *static_cast<Collected*>(into);
  collected.sound = collected.sound && object != nullptr && object->struct_size >= WALRIG_OBJECT_SIZE_1_0;
  return Collect(collected, [&] { collected.objects.push_back(InfoOf(*object)); });
}

struct CollectedUploads {
  std::vector<UnfinishedUpload> uploads;
  bool sound = true;
  bool out_of_memory = false;
};

int32_t CollectUpload(void* into, const walrig_unfinished* upload) noexcept {
  auto& collected = *static_cast<CollectedUploads*>(into);
  collected.sound = collected.sound && upload != nullptr && upload->struct_size >= WALRIG_UNFINISHED_SIZE_1_0;
  return Collect(collected, [&] {
    collected.uploads.push_back({.key = TextOf(upload->key),
                                 .id = TextOf(upload->id),
                                 .started_ns = upload->started_ns,
                                 .size_bytes = upload->size});
  });
}

class PluginSource final : public Source {
 public:
  PluginSource(const walrig_storage_v1* table, void* reader) : table_(table), reader_(reader) {}
  ~PluginSource() override { table_->close_read(reader_); }
  PluginSource(const PluginSource&) = delete;
  PluginSource& operator=(const PluginSource&) = delete;

  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
    const HostOp op(ctx);
    size_t got = 0;
    const walrig_status code = table_->read(reader_, op.get(), buffer.data(), buffer.size(), &got, &error_);
    if (code == WALRIG_END && got == 0) return size_t{0};
    if (code != WALRIG_OK && code != WALRIG_END) return error_.Take(code);
    if (code == WALRIG_END || got == 0 || got > buffer.size()) return Internal("the storage plugin read an impossible number of bytes");
    return got;
  }

 private:
  const walrig_storage_v1* table_;
  void* reader_;
  CallError error_;
};

class PluginSink final : public Sink {
 public:
  PluginSink(const walrig_storage_v1* table, void* writer) : table_(table), writer_(writer) {}
  ~PluginSink() override { Abort(); }
  PluginSink(const PluginSink&) = delete;
  PluginSink& operator=(const PluginSink&) = delete;

  Status Write(const Context& ctx, ByteSpan bytes) override {
    if (writer_ == nullptr) return Internal("write to a storage object that was closed");
    const HostOp op(ctx);
    const walrig_status code = table_->write(writer_, op.get(), bytes.data(), bytes.size(), &error_);
    return code == WALRIG_OK ? OkStatus() : error_.Take(code);
  }

  Status Commit(const Context& ctx) override {
    if (writer_ == nullptr) return Internal("commit of a storage object that was closed");
    const HostOp op(ctx);
    const walrig_status code = table_->commit(writer_, op.get(), &error_);
    Status status = code == WALRIG_OK ? OkStatus() : error_.Take(code);
    if (!status.resumable()) Abort();  // frees the writer; what was committed stays
    return status;
  }

  void Abort() noexcept override {
    if (writer_ != nullptr) table_->close_write(std::exchange(writer_, nullptr));
  }

 private:
  const walrig_storage_v1* table_;
  void* writer_;
  CallError error_;
};

class PluginStorage final : public Storage {
 public:
  // `unfinished` may be null.
  PluginStorage(std::unique_ptr<PluginInstance> instance, const walrig_storage_v1* table,
                const walrig_unfinished_v1* unfinished)
      : instance_(std::move(instance)), table_(table), unfinished_(unfinished), caps_(CapsOf(*instance_, *table)) {}

  StorageCapabilities capabilities() const override {
    const uint64_t caps = caps_;
    return {.range = (caps & WALRIG_CAP_ST_RANGE) != 0,
            .put_if_absent = (caps & WALRIG_CAP_ST_PUT_ABSENT) != 0,
            .copy = (caps & WALRIG_CAP_ST_COPY) != 0 && table_->copy != nullptr,
            .delimiter = (caps & WALRIG_CAP_ST_DELIMITER) != 0,
            .list_sorted = (caps & WALRIG_CAP_ST_LIST_SORTED) != 0,
            .read_your_writes = (caps & WALRIG_CAP_ST_READ_YOUR_WRITES) != 0,
            .list_your_writes = (caps & WALRIG_CAP_ST_LIST_YOUR_WRITES) != 0,
            .unfinished = unfinished_ != nullptr};
  }

  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override {
    const HostOp op(ctx);
    CallError error;
    Collected found;
    const walrig_status code = table_->stat(self(), op.get(), Borrow(key), CollectObject, &found, &error);
    if (found.out_of_memory) return OutOfMemory("the description of an object");
    if (code != WALRIG_OK && found.sound) return error.Take(code);
    if (!found.sound || found.objects.size() != 1) {
      return Internal("the storage plugin described no object, several, or one that makes no sense");
    }
    return std::move(found.objects.front());
  }

  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override {
    const HostOp op(ctx);
    CallError error;
    void* reader = nullptr;
    const walrig_status code = table_->open_read(self(), op.get(), Borrow(key), options.offset, options.length,
                                                 Borrow(options.if_match_etag), &reader, &error);
    if (code != WALRIG_OK) return error.Take(code);
    if (reader == nullptr) return Internal("the storage plugin opened an object without a reader");
    return std::unique_ptr<Source>(new PluginSource(table_, reader));
  }

  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    const HostOp op(ctx);
    CallError error;
    walrig_put_opts opts{};
    opts.struct_size = sizeof opts;
    opts.flags = options.only_if_absent ? WALRIG_PUT_IF_ABSENT : 0;
    opts.size = options.size_bytes;
    opts.memory_budget = options.memory_budget_bytes;
    void* writer = nullptr;
    const walrig_status code = table_->open_write(self(), op.get(), Borrow(key), &opts, &writer, &error);
    if (code != WALRIG_OK) return error.Take(code);
    if (writer == nullptr) return Internal("the storage plugin opened an object without a writer");
    return std::unique_ptr<Sink>(new PluginSink(table_, writer));
  }

  Result<ListPage> List(const Context& ctx, const ListOptions& options) override {
    const HostOp op(ctx);
    CallError error;
    walrig_list_opts opts{};
    opts.struct_size = sizeof opts;
    opts.max_keys = options.keys_max;
    opts.prefix = Borrow(options.prefix);
    opts.delimiter = Borrow(options.delimiter);
    opts.start_after = Borrow(options.start_after);
    opts.page_token = Borrow(options.page_token);
    Collected found;
    std::array<char, kTokenBytesMax> token;
    size_t token_bytes = 0;
    const walrig_status code = table_->list(self(), op.get(), &opts, CollectObject, &found, token.data(),
                                            token.size(), &token_bytes, &error);
    if (found.out_of_memory) return OutOfMemory("a list of objects");
    if (code != WALRIG_OK && found.sound) return error.Take(code);
    if (token_bytes > token.size()) return Internal("the storage plugin gave a page token longer than its room");
    ListPage page;
    page.entries = std::move(found.objects);
    const bool nameless = std::any_of(page.entries.begin(), page.entries.end(), [](const auto& e) { return e.key.empty(); });
    if (!found.sound || nameless) return Internal("the storage plugin listed an object that makes no sense");
    page.next_page_token.assign(token.data(), token_bytes);
    return page;
  }

  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override {
    each->clear();
    if (keys.empty()) return OkStatus();
    const HostOp op(ctx);
    CallError error;
    std::vector<walrig_bytes> names;
    names.reserve(keys.size());
    for (const std::string& key : keys) names.push_back(Borrow(key));
    std::vector<walrig_status> codes(keys.size(), WALRIG_OK);
    const walrig_status code = table_->remove(self(), op.get(), names.data(), names.size(), codes.data(), &error);
    const walrig_error detail = error;  // of the call, or of one of the keys
    for (size_t i = 0; i < codes.size(); ++i) {
      each->push_back(codes[i] == WALRIG_OK ? OkStatus() : KeyStatus(codes[i], detail, keys[i]));
    }
    return code == WALRIG_OK ? OkStatus() : error.Take(code);
  }

  Status Copy(const Context& ctx, std::string_view from, std::string_view to) override {
    if (table_->copy == nullptr) return NotSupported("this storage cannot copy");
    const HostOp op(ctx);
    CallError error;
    const walrig_status code = table_->copy(self(), op.get(), Borrow(from), Borrow(to), &error);
    return code == WALRIG_OK ? OkStatus() : error.Take(code);
  }

  Result<UnfinishedPage> ListUnfinished(const Context& ctx, std::string_view prefix,
                                        std::string_view page_token) override {
    if (unfinished_ == nullptr) return Storage::ListUnfinished(ctx, prefix, page_token);
    const HostOp op(ctx);
    CallError error;
    CollectedUploads found;
    std::array<char, kTokenBytesMax> token;
    size_t token_bytes = 0;
    const walrig_status code = unfinished_->list(self(), op.get(), Borrow(prefix), Borrow(page_token), CollectUpload,
                                                 &found, token.data(), token.size(), &token_bytes, &error);
    if (found.out_of_memory) return OutOfMemory("a list of unfinished uploads");
    if (code != WALRIG_OK && found.sound) return error.Take(code);
    if (token_bytes > token.size()) return Internal("the storage plugin gave a page token longer than its room");
    const bool foreign = std::any_of(found.uploads.begin(), found.uploads.end(), [prefix](const auto& upload) {
      return upload.key.empty() || !std::string_view(upload.key).starts_with(prefix);
    });
    if (!found.sound || foreign) return Internal("the storage plugin listed an upload that makes no sense");
    return UnfinishedPage{std::move(found.uploads), std::string(token.data(), token_bytes)};
  }

  Status AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                         std::vector<Status>* each) override {
    if (unfinished_ == nullptr) return Storage::AbortUnfinished(ctx, uploads, each);
    each->clear();
    if (uploads.empty()) return OkStatus();
    const HostOp op(ctx);
    CallError error;
    std::vector<walrig_unfinished> entries;
    entries.reserve(uploads.size());
    for (const UnfinishedUpload& upload : uploads) {
      entries.push_back({sizeof(walrig_unfinished), 0, Borrow(upload.key), Borrow(upload.id), upload.size_bytes,
                         upload.started_ns});
    }
    std::vector<walrig_status> codes(uploads.size(), WALRIG_OK);
    const walrig_status code = unfinished_->abort(self(), op.get(), entries.data(), entries.size(),
                                                  sizeof(walrig_unfinished), codes.data(), &error);
    const walrig_error detail = error;
    for (size_t i = 0; i < codes.size(); ++i) {
      each->push_back(codes[i] == WALRIG_OK ? OkStatus() : KeyStatus(codes[i], detail, uploads[i].key));
    }
    return code == WALRIG_OK ? OkStatus() : error.Take(code);
  }

 private:
  // The one record of the call belongs to a key only when their codes agree.
  static Status KeyStatus(walrig_status code, const walrig_error& detail, const std::string& key) {
    walrig_error none{};
    none.struct_size = sizeof none;
    return FromAbi(code, detail.code == code ? detail : none).With(key);
  }
  // Options may take away from what the factory claims, never add to it.
  static uint64_t CapsOf(const PluginInstance& instance, const walrig_storage_v1& table) {
    const uint64_t claimed = instance.info().caps;
    if (table.struct_size < offsetof(walrig_storage_v1, caps) + sizeof table.caps || table.caps == nullptr) return claimed;
    return claimed & table.caps(instance.self());
  }
  void* self() const { return instance_->self(); }

  std::unique_ptr<PluginInstance> instance_;
  const walrig_storage_v1* table_;
  const walrig_unfinished_v1* unfinished_;
  const uint64_t caps_;
};

// Null when the plugin does not claim it. FAILS WITH: kCorruption when it claims and has it not.
Result<const walrig_unfinished_v1*> UnfinishedOf(const PluginInstance& instance) {
  if ((instance.info().caps & WALRIG_CAP_ST_UNFINISHED) == 0) return nullptr;
  WALRIG_ASSIGN(const void* iface, instance.Interface(WALRIG_IFACE_UNFINISHED_1, WALRIG_UNFINISHED_V1_SIZE_1_0));
  const auto* table = static_cast<const walrig_unfinished_v1*>(iface);
  if (table->list == nullptr || table->abort == nullptr) {
    return Corruption("storage/" + instance.info().name + " offers to list unfinished uploads and lacks a function");
  }
  return table;
}

}  // namespace

Result<std::unique_ptr<Storage>> BridgeStorage(std::unique_ptr<PluginInstance> instance) {
  WALRIG_ASSIGN(const void* iface, instance->Interface(WALRIG_IFACE_STORAGE_1, WALRIG_STORAGE_V1_SIZE_1_0));
  const auto* table = static_cast<const walrig_storage_v1*>(iface);
  if (table->stat == nullptr || table->open_read == nullptr || table->read == nullptr || table->close_read == nullptr ||
      table->open_write == nullptr || table->write == nullptr || table->commit == nullptr ||
      table->close_write == nullptr || table->list == nullptr || table->remove == nullptr) {
    return Corruption("storage/" + instance->info().name + " lacks a function that every storage must have");
  }
  WALRIG_ASSIGN(const walrig_unfinished_v1* unfinished, UnfinishedOf(*instance));
  return std::unique_ptr<Storage>(new PluginStorage(std::move(instance), table, unfinished));
}

}  // namespace walrig
