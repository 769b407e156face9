// AbiStorage: a storage plugin driven through the C ABI, in words that tests like. THREADS: as the storage.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/abi_plugin.h"

namespace walrig::testing {

struct AbiObject {
  std::string key, etag;
  bool is_prefix = false;
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
};

struct AbiList {
  std::string prefix = {}, delimiter = {}, start_after = {};
  uint32_t keys_max = 1000;
};

class AbiStorage {
 public:
  explicit AbiStorage(const AbiPlugin& plugin, const walrig_op* op = nullptr)
      : table_(plugin.storage()), self_(plugin.self()), op_(op) {}

  // A writer; closed by its destructor.
  class Writer {
   public:
    Writer(const AbiStorage& storage, std::string_view key, uint32_t flags = 0, uint64_t size = WALRIG_UNKNOWN_SIZE)
        : storage_(storage) {
      walrig_put_opts opts{};
      opts.struct_size = sizeof opts;
      opts.flags = flags;
      opts.size = size;
      opts.memory_budget = 1 << 20;
      walrig_error error = AbiPlugin::NewError();
      status_ = FromAbi(storage.table_.open_write(storage.self_, storage.op_, Bytes(key), &opts, &handle_, &error), error);
    }
    ~Writer() { Close(); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    const Status& opened() const { return status_; }
    Status Write(std::string_view bytes) {
      walrig_error error = AbiPlugin::NewError();
      return FromAbi(storage_.table_.write(handle_, storage_.op_, bytes.data(), bytes.size(), &error), error);
    }
    Status Commit() {
      walrig_error error = AbiPlugin::NewError();
      return FromAbi(storage_.table_.commit(handle_, storage_.op_, &error), error);
    }
    void Close() {
      if (handle_ != nullptr) storage_.table_.close_write(handle_);
      handle_ = nullptr;
    }

   private:
    const AbiStorage& storage_;
    void* handle_ = nullptr;
    Status status_;
  };

  Status Put(std::string_view key, std::string_view bytes, uint32_t flags = 0) const {
    Writer writer(*this, key, flags);
    if (!writer.opened().ok()) return writer.opened();
    if (Status s = writer.Write(bytes); !s.ok()) return s;
    return writer.Commit();
  }

  AbiResult Get(std::string_view key, uint64_t offset = 0, uint64_t length = WALRIG_UNKNOWN_SIZE,
                std::string_view etag = {}) const {
    void* reader = nullptr;
    walrig_error error = AbiPlugin::NewError();
    int32_t code = table_.open_read(self_, op_, Bytes(key), offset, length, Bytes(etag), &reader, &error);
    if (code != WALRIG_OK) return {FromAbi(code, error), {}};
    AbiResult result;
    char buffer[4096];
    size_t got = 0;
    while ((code = table_.read(reader, op_, buffer, sizeof buffer, &got, &error)) == WALRIG_OK) {
      result.bytes.append(buffer, got);
    }
    if (code != WALRIG_END) result.status = FromAbi(code, error);
    table_.close_read(reader);
    return result;
  }

  Status Stat(std::string_view key, AbiObject* object = nullptr) const {
    walrig_error error = AbiPlugin::NewError();
    std::vector<AbiObject> objects;
    const int32_t code = table_.stat(self_, op_, Bytes(key), Collect, &objects, &error);
    if (code == WALRIG_OK && object != nullptr) *object = objects.at(0);
    return FromAbi(code, error);
  }

  // All pages, one after another; `pages` counts them.
  std::pair<Status, std::vector<AbiObject>> List(const AbiList& list, size_t* pages = nullptr) const {
    std::vector<AbiObject> objects;
    std::string token;
    if (pages != nullptr) *pages = 0;
    while (true) {
      walrig_list_opts opts{};
      opts.struct_size = sizeof opts;
      opts.max_keys = list.keys_max;
      opts.prefix = Bytes(list.prefix);
      opts.delimiter = Bytes(list.delimiter);
      opts.start_after = Bytes(list.start_after);
      opts.page_token = Bytes(token);
      char next[2048];
      size_t next_bytes = 0;
      walrig_error error = AbiPlugin::NewError();
      const size_t before = objects.size();
      const int32_t code = table_.list(self_, op_, &opts, Collect, &objects, next, sizeof next, &next_bytes, &error);
      if (code != WALRIG_OK) return {FromAbi(code, error), {}};
      if (pages != nullptr) ++*pages;
      EXPECT_LE(objects.size() - before, list.keys_max);
      if (next_bytes == 0) return {OkStatus(), std::move(objects)};
      token.assign(next, next_bytes);
    }
  }

  std::vector<std::string> Keys(const AbiList& list = {}) const {
    auto [status, objects] = List(list);
    EXPECT_TRUE(status.ok()) << status.ToString();
    std::vector<std::string> keys;
    for (const AbiObject& object : objects) keys.push_back(object.key);
    return keys;
  }

  std::vector<Code> Delete(const std::vector<std::string>& keys) const {
    std::vector<walrig_bytes> names;
    for (const std::string& key : keys) names.push_back(Bytes(key));
    std::vector<walrig_status> each(keys.size(), 12345);
    walrig_error error = AbiPlugin::NewError();
    EXPECT_EQ(table_.remove(self_, op_, names.data(), names.size(), each.data(), &error), WALRIG_OK) << error.message;
    std::vector<Code> codes;
    for (const walrig_status s : each) codes.push_back(static_cast<Code>(-s));
    return codes;
  }

  Status Copy(std::string_view from, std::string_view to) const {
    walrig_error error = AbiPlugin::NewError();
    return FromAbi(table_.copy(self_, op_, Bytes(from), Bytes(to), &error), error);
  }

 private:
  static walrig_bytes Bytes(std::string_view text) { return {text.data(), text.size()}; }
  static int32_t Collect(void* ctx, const walrig_object* object) {
    const auto text = [](walrig_bytes b) { return std::string(static_cast<const char*>(b.ptr), b.len); };
    static_cast<std::vector<AbiObject>*>(ctx)->push_back({text(object->key), text(object->etag),
                                                          (object->flags & WALRIG_OBJECT_PREFIX) != 0, object->size,
                                                          object->mtime_ns});
    return 0;
  }

  const walrig_storage_v1& table_;
  void* self_;
  const walrig_op* op_;
};

}  // namespace walrig::testing
