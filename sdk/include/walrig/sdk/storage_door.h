// SPDX-License-Identifier: MIT-0
// StorageDoor: a walrig::Storage as the C table "walrig.storage/1", and as "walrig.storage.unfinished/1" when it can.
//
// THREADS: as the table says; the storage behind it keeps the contract of walrig/storage.h.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrig/abi/entry.h"
#include "walrig/abi/storage.h"
#include "walrig/abi/unfinished.h"
#include "walrig/abi_status.h"
#include "walrig/sdk/call.h"
#include "walrig/sdk/guard.h"
#include "walrig/storage.h"

namespace walrig::sdk {

constexpr uint64_t StorageCaps(const StorageCapabilities& caps) {
  return (caps.range ? WALRIG_CAP_ST_RANGE : 0) | (caps.put_if_absent ? WALRIG_CAP_ST_PUT_ABSENT : 0) |
         (caps.copy ? WALRIG_CAP_ST_COPY : 0) | (caps.delimiter ? WALRIG_CAP_ST_DELIMITER : 0) |
         (caps.list_sorted ? WALRIG_CAP_ST_LIST_SORTED : 0) |
         (caps.read_your_writes ? WALRIG_CAP_ST_READ_YOUR_WRITES : 0) |
         (caps.list_your_writes ? WALRIG_CAP_ST_LIST_YOUR_WRITES : 0) |
         (caps.unfinished ? WALRIG_CAP_ST_UNFINISHED : 0);
}

class StorageDoor {
 public:
  struct Instance {
    const walrig_host* host;
    std::unique_ptr<Storage> storage;
  };

  static const walrig_storage_v1* Table() noexcept {
    static constexpr walrig_storage_v1 kTable = {
        sizeof(walrig_storage_v1), 0, Stat, OpenRead, Read, CloseRead, OpenWrite, Write, Commit, CloseWrite, List,
        Remove, Copy, Caps};
    return &kTable;
  }

  static const walrig_unfinished_v1* UnfinishedTable() noexcept {
    static constexpr walrig_unfinished_v1 kTable = {sizeof(walrig_unfinished_v1), 0, ListUnfinished, AbortUnfinished};
    return &kTable;
  }

  // What factory->iface answers.
  static const void* Interface(void* self, const char* id) noexcept {
    if (id == nullptr) return nullptr;
    const std::string_view name = id;
    if (name == WALRIG_IFACE_STORAGE_1) return Table();
    if (name != WALRIG_IFACE_UNFINISHED_1 || self == nullptr) return nullptr;
    const void* table = nullptr;
    GuardSilently([&] {
      if (Of(self).storage->capabilities().unfinished) table = UnfinishedTable();
    });
    return table;
  }

 private:
  struct Reader {
    const walrig_host* host;
    std::unique_ptr<Source> source;
  };
  struct Writer {
    const walrig_host* host;
    std::unique_ptr<Sink> sink;
    bool committed;
  };

  static Instance& Of(void* self) { return *static_cast<Instance*>(self); }
  static std::string_view View(walrig_bytes b) { return {static_cast<const char*>(b.ptr), b.ptr ? b.len : 0}; }
  static walrig_bytes Bytes(std::string_view text) { return {text.data(), text.size()}; }

  static int32_t Give(const ObjectInfo& info, walrig_object_sink sink, void* sink_ctx) {
    walrig_object object{};
    object.struct_size = sizeof object;
    object.flags = info.is_prefix ? WALRIG_OBJECT_PREFIX : 0;
    object.key = Bytes(info.key);
    object.etag = Bytes(info.etag);
    object.size = info.size_bytes;
    object.mtime_ns = info.mtime_ns;
    return sink(sink_ctx, &object);
  }

  static walrig_status Stat(void* self, const walrig_op* op, walrig_bytes key, walrig_object_sink sink, void* sink_ctx,
                            walrig_error* error) noexcept {
    return Guard(error, [&] {
      const Call call(Of(self).host, op);
      Result<ObjectInfo> info = Of(self).storage->Stat(call.ctx(), View(key));
      if (!info.ok()) return ToAbi(info.status(), error);
      Give(*info, sink, sink_ctx);
      return WALRIG_OK;
    });
  }

  static walrig_status OpenRead(void* self, const walrig_op* op, walrig_bytes key, uint64_t off, uint64_t len,
                                walrig_bytes if_match_etag, void** reader, walrig_error* error) noexcept {
    return Guard(error, [&] {
      const Call call(Of(self).host, op);
      GetOptions options{.offset = off, .length = len, .if_match_etag = std::string(View(if_match_etag))};
      Result<std::unique_ptr<Source>> source = Of(self).storage->Get(call.ctx(), View(key), options);
      if (!source.ok()) return ToAbi(source.status(), error);
      *reader = new Reader{Of(self).host, std::move(source).value()};
      return WALRIG_OK;
    });
  }

  static walrig_status Read(void* reader, const walrig_op* op, void* buf, size_t cap, size_t* got,
                            walrig_error* error) noexcept {
    return Guard(error, [&]() -> walrig_status {
      *got = 0;
      if (cap == 0) return FillAbiError(error, Code::kInvalidArgument, "read into an empty buffer");
      auto& r = *static_cast<Reader*>(reader);
      const Call call(r.host, op);
      Result<size_t> n = r.source->Read(call.ctx(), {static_cast<uint8_t*>(buf), cap});
      if (!n.ok()) return ToAbi(n.status(), error);
      *got = *n;
      return *n == 0 ? WALRIG_END : WALRIG_OK;
    });
  }

  static void CloseRead(void* reader) noexcept {
    GuardSilently([&] { delete static_cast<Reader*>(reader); });
  }

  static walrig_status OpenWrite(void* self, const walrig_op* op, walrig_bytes key, const walrig_put_opts* opts,
                                 void** writer, walrig_error* error) noexcept {
    return Guard(error, [&] {
      const Call call(Of(self).host, op);
      PutOptions options;
      if (opts != nullptr) {
        options.size_bytes = opts->size;
        options.only_if_absent = (opts->flags & WALRIG_PUT_IF_ABSENT) != 0;
        if (opts->memory_budget != 0) options.memory_budget_bytes = opts->memory_budget;
      }
      Result<std::unique_ptr<Sink>> sink = Of(self).storage->Put(call.ctx(), View(key), options);
      if (!sink.ok()) return ToAbi(sink.status(), error);
      *writer = new Writer{Of(self).host, std::move(sink).value(), false};
      return WALRIG_OK;
    });
  }

  static walrig_status Write(void* writer, const walrig_op* op, const void* buf, size_t len,
                             walrig_error* error) noexcept {
    return Guard(error, [&] {
      auto& w = *static_cast<Writer*>(writer);
      const Call call(w.host, op);
      return ToAbi(w.sink->Write(call.ctx(), {static_cast<const uint8_t*>(buf), len}), error);
    });
  }

  static walrig_status Commit(void* writer, const walrig_op* op, walrig_error* error) noexcept {
    return Guard(error, [&] {
      auto& w = *static_cast<Writer*>(writer);
      const Call call(w.host, op);
      const Status status = w.sink->Commit(call.ctx());
      w.committed = !status.resumable();  // else also when it fails: a sink takes one Commit
      return ToAbi(status, error);
    });
  }

  static void CloseWrite(void* writer) noexcept {
    GuardSilently([&] {
      auto* w = static_cast<Writer*>(writer);
      if (w != nullptr && !w->committed) w->sink->Abort();
      delete w;
    });
  }

  static walrig_status List(void* self, const walrig_op* op, const walrig_list_opts* opts, walrig_object_sink sink,
                            void* sink_ctx, void* token_buf, size_t token_cap, size_t* token_len,
                            walrig_error* error) noexcept {
    return Guard(error, [&]() -> walrig_status {
      *token_len = 0;
      const Call call(Of(self).host, op);
      ListOptions options;
      options.prefix = View(opts->prefix);
      options.delimiter = View(opts->delimiter);
      options.start_after = View(opts->start_after);
      options.page_token = View(opts->page_token);
      options.keys_max = opts->max_keys;
      Result<ListPage> page = Of(self).storage->List(call.ctx(), options);
      if (!page.ok()) return ToAbi(page.status(), error);
      if (page->next_page_token.size() > token_cap) {
        return FillAbiError(error, Code::kTooLarge, "the page token does not fit the host's buffer");
      }
      for (const ObjectInfo& info : page->entries) {
        if (Give(info, sink, sink_ctx) != 0) return WALRIG_OK;
      }
      if (!page->next_page_token.empty()) {
        std::memcpy(token_buf, page->next_page_token.data(), page->next_page_token.size());
      }
      *token_len = page->next_page_token.size();
      return WALRIG_OK;
    });
  }

  // Without a word about a key its fate is that of the whole call. Of those that failed the first tells why.
  static void EachToAbi(const std::vector<Status>& statuses, const Status& whole, size_t n, walrig_status* each, walrig_error* error) {
    bool told = false;
    for (size_t i = 0; i < n; ++i) {
      const Status& status = i < statuses.size() ? statuses[i] : whole;
      each[i] = ToAbi(status, told || status.ok() ? nullptr : error);
      told = told || !status.ok();
    }
  }

  static walrig_status Remove(void* self, const walrig_op* op, const walrig_bytes* keys, size_t n, walrig_status* each,
                              walrig_error* error) noexcept {
    return Guard(error, [&] {
      const Call call(Of(self).host, op);
      std::vector<std::string> names;
      names.reserve(n);
      for (size_t i = 0; i < n; ++i) names.emplace_back(View(keys[i]));
      std::vector<Status> statuses;
      const Status status = Of(self).storage->Delete(call.ctx(), names, &statuses);
      EachToAbi(statuses, status, n, each, error);
      return ToAbi(status, error);
    });
  }

  static walrig_status Copy(void* self, const walrig_op* op, walrig_bytes src, walrig_bytes dst,
                            walrig_error* error) noexcept {
    return Guard(error, [&] {
      const Call call(Of(self).host, op);
      return ToAbi(Of(self).storage->Copy(call.ctx(), View(src), View(dst)), error);
    });
  }

  static uint64_t Caps(void* self) noexcept {
    uint64_t caps = 0;
    GuardSilently([&] { caps = StorageCaps(Of(self).storage->capabilities()); });
    return caps;
  }

  static walrig_status ListUnfinished(void* self, const walrig_op* op, walrig_bytes prefix, walrig_bytes page_token,
                                      walrig_unfinished_sink sink, void* sink_ctx, void* token_buf, size_t token_cap,
                                      size_t* token_len, walrig_error* error) noexcept {
    return Guard(error, [&]() -> walrig_status {
      *token_len = 0;
      const Call call(Of(self).host, op);
      Result<UnfinishedPage> page = Of(self).storage->ListUnfinished(call.ctx(), View(prefix), View(page_token));
      if (!page.ok()) return ToAbi(page.status(), error);
      const std::string& token = page->next_page_token;
      if (token.size() > token_cap) {
        return FillAbiError(error, Code::kTooLarge, "the page token does not fit the host's buffer");
      }
      for (const UnfinishedUpload& upload : page->entries) {
        const walrig_unfinished entry{
            sizeof(walrig_unfinished), 0, Bytes(upload.key), Bytes(upload.id), upload.size_bytes, upload.started_ns};
        if (sink(sink_ctx, &entry) != 0) return WALRIG_OK;
      }
      if (!token.empty()) std::memcpy(token_buf, token.data(), token.size());
      *token_len = token.size();
      return WALRIG_OK;
    });
  }

  static walrig_status AbortUnfinished(void* self, const walrig_op* op, const walrig_unfinished* uploads, size_t n,
                                       size_t stride, walrig_status* each, walrig_error* error) noexcept {
    return Guard(error, [&] {
      const Call call(Of(self).host, op);
      std::vector<UnfinishedUpload> entries;
      entries.reserve(n);
      const auto* at = reinterpret_cast<const unsigned char*>(uploads);
      for (size_t i = 0; i < n; ++i, at += stride) {
        const auto& upload = *reinterpret_cast<const walrig_unfinished*>(at);
        entries.push_back({.key = std::string(View(upload.key)),
                           .id = std::string(View(upload.id)),
                           .started_ns = upload.started_ns,
                           .size_bytes = upload.size});
      }
      std::vector<Status> statuses;
      const Status status = Of(self).storage->AbortUnfinished(call.ctx(), entries, &statuses);
      EachToAbi(statuses, status, n, each, error);
      return ToAbi(status, error);
    });
  }
};

}  // namespace walrig::sdk
