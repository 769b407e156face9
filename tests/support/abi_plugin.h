// A small host for tests: opens a plugin's real .so and drives it through the C ABI, without any room of the core.
//
//   AbiPlugin plugin("compressor-zstd", "zstd", {{"level", "1"}});
//   AbiResult r = plugin.Transform(WALRIG_ENCODE, text, {.in_bytes = 1, .out_bytes = 1});
//
// Option values are given as canonical text; the defaults of the plugin's own table are filled in. THREADS: an
// AbiPlugin may be used by many threads once made.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrig/abi/plugin.h"
#include "walrig/abi_status.h"

// The host's side of the two opaque types.
struct walrig_config {
  std::map<std::string, std::string> values;
};
struct walrig_op {
  std::atomic<bool> cancelled{false};
  int cancel_fd = -1;
  uint64_t deadline_ns = 0;
};

namespace walrig::testing {

inline std::mutex g_log_mutex;
inline std::vector<std::string> g_log_lines;

namespace abi_host {

inline walrig_status Find(const walrig_config* config, const char* name, const std::string** out) {
  const auto it = config->values.find(name);
  if (it == config->values.end()) return WALRIG_E_NOT_FOUND;
  *out = &it->second;
  return WALRIG_OK;
}
inline walrig_status CfgStr(const walrig_config* config, const char* name, const char** out, size_t* len) {
  const std::string* text = nullptr;
  if (walrig_status s = Find(config, name, &text); s != WALRIG_OK) return s;
  *out = text->data();
  *len = text->size();
  return WALRIG_OK;
}
inline walrig_status CfgU64(const walrig_config* config, const char* name, uint64_t* out) {
  const std::string* text = nullptr;
  if (walrig_status s = Find(config, name, &text); s != WALRIG_OK) return s;
  *out = *text == "true" ? 1 : *text == "false" ? 0 : std::strtoull(text->c_str(), nullptr, 10);
  return WALRIG_OK;
}
inline walrig_status CfgI64(const walrig_config* config, const char* name, int64_t* out) {
  const std::string* text = nullptr;
  if (walrig_status s = Find(config, name, &text); s != WALRIG_OK) return s;
  *out = std::strtoll(text->c_str(), nullptr, 10);
  return WALRIG_OK;
}
inline walrig_status CfgF64(const walrig_config* config, const char* name, double* out) {
  const std::string* text = nullptr;
  if (walrig_status s = Find(config, name, &text); s != WALRIG_OK) return s;
  *out = std::strtod(text->c_str(), nullptr);
  return WALRIG_OK;
}
inline walrig_status CfgSecret(const walrig_config* config, const char* name, void* buf, size_t cap, size_t* len) {
  const std::string* text = nullptr;
  if (walrig_status s = Find(config, name, &text); s != WALRIG_OK) return s;
  *len = text->size();
  if (text->size() > cap) return WALRIG_E_TOO_LARGE;
  std::memcpy(buf, text->data(), text->size());
  return WALRIG_OK;
}
inline void LogLine(const walrig_host*, int32_t, const char* area, const char* text, size_t len) {
  const std::lock_guard lock(g_log_mutex);
  g_log_lines.push_back(std::string(area) + ": " + std::string(text, len));
}

inline const walrig_host* Table() {
  static const walrig_host kHost = [] {
    walrig_host h{};
    h.struct_size = sizeof h;
    h.abi_major = WALRIG_ABI_MAJOR;
    h.abi_minor = WALRIG_ABI_MINOR;
    h.name = "walrig-test";
    h.version = "0";
    h.log_enabled = [](const walrig_host*, int32_t) -> int32_t { return 1; };
    h.log = LogLine;
    h.cfg_str = CfgStr;
    h.cfg_i64 = CfgI64;
    h.cfg_u64 = CfgU64;
    h.cfg_f64 = CfgF64;
    h.cfg_secret = CfgSecret;
    h.op_cancelled = [](const walrig_op* op) -> int32_t { return op != nullptr && op->cancelled.load() ? 1 : 0; };
    h.op_cancel_fd = [](const walrig_op* op) -> int32_t { return op != nullptr ? op->cancel_fd : -1; };
    h.op_deadline_ns = [](const walrig_op* op) -> uint64_t { return op != nullptr ? op->deadline_ns : 0; };
    h.op_attempt = [](const walrig_op*) -> uint32_t { return 1; };
    h.op_throttle = [](const walrig_op*, uint32_t, uint64_t) -> walrig_status { return WALRIG_OK; };
    h.metric_id = [](const walrig_host*, const char*, uint32_t) -> uint32_t { return 0; };
    h.metric_add = [](const walrig_host*, uint32_t, double) {};
    h.service = [](const walrig_host*, const char*) -> const void* { return nullptr; };
    return h;
  }();
  return &kHost;
}

}  // namespace abi_host

// What a call of the ABI ended with, and the bytes it gave.
struct AbiResult {
  Status status;
  std::string bytes;
  bool ok() const { return status.ok(); }
  Code code() const { return status.code(); }
};

struct Steps {
  size_t in_bytes = 64 * 1024;   // given at a time
  size_t out_bytes = 64 * 1024;  // room at a time
  bool flush_each = false;       // WALRIG_FLUSH instead of WALRIG_RUN
};

class AbiPlugin {
 public:
  // `file` without ".so", in WALRIG_TEST_PLUGINDIR; `name` of the factory. A failure to make an instance is in
  // create_status(); anything else wrong fails the test.
  AbiPlugin(const std::string& file, const std::string& name, std::map<std::string, std::string> options = {}) {
    const std::string path = std::string(WALRIG_TEST_PLUGINDIR) + "/" + file + ".so";
    void* dso = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (dso == nullptr) {
      ADD_FAILURE() << ::dlerror();
      std::abort();
    }
    const auto entry = reinterpret_cast<walrig_plugin_entry_fn>(::dlsym(dso, WALRIG_ENTRY_SYMBOL));
    module_ = entry();
    for (const walrig_factory* const* f = module_->factories; *f != nullptr; ++f) {
      if (name == (*f)->name) factory_ = *f;
    }
    if (factory_ == nullptr) {
      ADD_FAILURE() << "no factory " << name << " in " << path;
      std::abort();
    }
    walrig_config config;
    for (uint32_t i = 0; i < factory_->option_count; ++i) {
      const walrig_option& o = factory_->options[i];
      if (o.default_text != nullptr) config.values[o.name] = o.default_text;
    }
    for (auto& [key, value] : options) config.values[key] = value;
    walrig_error error = NewError();
    create_status_ = FromAbi(factory_->create(factory_, abi_host::Table(), &config, nullptr, &self_, &error), error);
  }
  ~AbiPlugin() {
    if (self_ != nullptr) factory_->destroy(self_);
  }
  AbiPlugin(const AbiPlugin&) = delete;
  AbiPlugin& operator=(const AbiPlugin&) = delete;

  const walrig_module& module() const { return *module_; }
  const walrig_factory& factory() const { return *factory_; }
  const Status& create_status() const { return create_status_; }
  void* self() const { return self_; }
  const walrig_storage_v1& storage() const {
    return *static_cast<const walrig_storage_v1*>(factory_->iface(self_, WALRIG_IFACE_STORAGE_1));
  }
  const walrig_transform_v1& transform() const {
    return *static_cast<const walrig_transform_v1*>(factory_->iface(self_, WALRIG_IFACE_TRANSFORM_1));
  }
  static walrig_error NewError() {
    walrig_error error{};
    error.struct_size = sizeof error;
    return error;
  }

  // Drives one stream over all of `in`. A stream that stops making progress is kInternal.
  AbiResult Transform(int32_t direction, std::string_view in, const Steps& steps = {}) const {
    void* stream = nullptr;
    walrig_error error = NewError();
    if (const int32_t code = transform().open(self_, direction, &stream, &error); code != WALRIG_OK) {
      return {FromAbi(code, error), {}};
    }
    AbiResult result = Drive(stream, in, steps);
    transform().close(stream);
    return result;
  }

  AbiResult Drive(void* stream, std::string_view in, const Steps& steps) const {
    AbiResult result;
    std::vector<uint8_t> out(steps.out_bytes);
    int idle = 0;
    size_t at = 0;
    size_t piece = std::min(steps.in_bytes, in.size());
    while (true) {
      const bool last = at + piece == in.size();
      walrig_io io{};
      io.struct_size = sizeof io;
      io.directive = last ? WALRIG_FINISH : steps.flush_each ? WALRIG_FLUSH : WALRIG_RUN;
      io.in = reinterpret_cast<const uint8_t*>(in.data()) + at;
      io.in_len = piece;
      io.out = out.data();
      io.out_cap = out.size();
      walrig_error error = NewError();
      const int32_t code = transform().process(stream, &io, &error);
      if (code < 0) return {FromAbi(code, error), std::move(result.bytes)};
      result.bytes.append(reinterpret_cast<const char*>(out.data()), io.out_used);
      at += io.in_used;
      piece -= io.in_used;
      if (code == WALRIG_END) {
        if (!last || piece != 0) return {Internal("the stream ended before its input"), {}};
        return result;
      }
      if (code == WALRIG_NEED_INPUT) {
        if (piece != 0 || last) return {Internal("asks for input that it did not take"), {}};
        piece = std::min(steps.in_bytes, in.size() - at);
        idle = 0;
        continue;
      }
      if (io.out_used < io.out_cap && io.in_used == 0 && io.out_used == 0 && ++idle > 3) {
        return {Internal("no progress"), {}};
      }
    }
  }

 private:
  const walrig_module* module_ = nullptr;
  const walrig_factory* factory_ = nullptr;
  void* self_ = nullptr;
  Status create_status_;
};

// The same bytes for the same seed: text that compresses, noise that does not, or both by turns.
inline std::string Mixed(size_t size_bytes, uint32_t seed) {
  std::string text;
  text.reserve(size_bytes);
  uint32_t x = seed * 2654435761u + 1;
  while (text.size() < size_bytes) {
    x = x * 1664525u + 1013904223u;
    if ((x >> 28) < 5) {
      for (int i = 0; i < 40; ++i) {
        x = x * 1664525u + 1013904223u;
        text += static_cast<char>(x >> 24);
      }
    } else {
      text += "row " + std::to_string(x % 977) + " of a table, ";
    }
  }
  text.resize(size_bytes);
  return text;
}

}  // namespace walrig::testing
