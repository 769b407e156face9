#include "core/plugin/host.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

#include "core/base/string_util.h"

#ifndef WALRIG_VERSION
#define WALRIG_VERSION "0.1.0"
#endif

namespace walrig {
namespace {

// The C table and what belongs to it; a plugin sees the first member only.
struct HostTable : walrig_host {
  std::string plugin;
  HostServices* services = nullptr;
  std::mutex metrics_mutex;
  std::vector<std::string> metric_names;  // id - 1 is the index
};

const HostTable& TableOf(const walrig_host* host) { return *static_cast<const HostTable*>(host); }
HostTable& MutableTableOf(const walrig_host* host) {
  return *const_cast<HostTable*>(static_cast<const HostTable*>(host));
}

constexpr size_t kLogBytesMax = 16 * 1024;
constexpr size_t kMetricsMax = 1024;

LogLevel LevelOf(int32_t level) {
  if (level <= WALRIG_LOG_TRACE) return LogLevel::kTrace;
  return level >= WALRIG_LOG_ERROR ? LogLevel::kError : static_cast<LogLevel>(level);
}

int32_t LogEnabled(const walrig_host* host, int32_t level) noexcept {
  const Log* log = TableOf(host).services->log.load(std::memory_order_acquire);
  return log != nullptr && log->Enabled(LevelOf(level)) ? 1 : 0;
}

void WriteLog(const walrig_host* host, int32_t level, const char* area, const char* text, size_t length) noexcept {
  const HostTable& table = TableOf(host);
  Log* log = table.services->log.load(std::memory_order_acquire);
  if (log == nullptr || text == nullptr || !log->Enabled(LevelOf(level))) return;
  try {
    const std::string line = Printable({text, std::min(length, kLogBytesMax)}, kLogBytesMax);
    log->Write(LevelOf(level), area != nullptr && *area != '\0' ? area : table.plugin.c_str(), line);
  } catch (...) {
    return;  // a log line is no reason to unwind through a plugin
  }
}

const HostConfig* ConfigOf(const walrig_config* config) { return reinterpret_cast<const HostConfig*>(config); }

const std::string* ValueOf(const walrig_config* config, const char* name) noexcept {
  return config == nullptr || name == nullptr ? nullptr : ConfigOf(config)->Find(name);
}

walrig_status CfgStr(const walrig_config* config, const char* name, const char** out, size_t* length) noexcept {
  const std::string* value = ValueOf(config, name);
  if (value == nullptr) return WALRIG_E_NOT_FOUND;
  if (ConfigOf(config)->IsSecret(name)) return WALRIG_E_PERMISSION;  // secrets go through cfg_secret only
  *out = value->data();
  *length = value->size();
  return WALRIG_OK;
}

// `parse`: Result of a number. Its message takes memory, and a plugin is C.
template <typename Number, typename Parse>
walrig_status CfgNumber(const std::string* value, Number* out, Parse parse) noexcept {
  if (value == nullptr) return WALRIG_E_NOT_FOUND;
  try {
    const auto number = parse(*value);
    if (!number.ok()) return WALRIG_E_INVALID_ARG;
    *out = *number;
    return WALRIG_OK;
  } catch (...) {
    return WALRIG_E_NO_MEMORY;
  }
}

walrig_status CfgI64(const walrig_config* config, const char* name, int64_t* out) noexcept {
  return CfgNumber(ValueOf(config, name), out, [](const std::string& text) { return ParseInt(text); });
}

walrig_status CfgU64(const walrig_config* config, const char* name, uint64_t* out) noexcept {
  return CfgNumber(ValueOf(config, name), out, [](const std::string& text) -> Result<uint64_t> {
    if (text == "true" || text == "false") return uint64_t{text == "true" ? 1u : 0u};
    return ParseUint(text);
  });
}

walrig_status CfgF64(const walrig_config* config, const char* name, double* out) noexcept {
  return CfgNumber(ValueOf(config, name), out, [](const std::string& text) { return ParseDouble(text); });
}

walrig_status CfgSecret(const walrig_config* config, const char* name, void* buffer, size_t capacity,
                        size_t* length) noexcept {
  const std::string* value = ValueOf(config, name);
  if (value == nullptr) return WALRIG_E_NOT_FOUND;
  *length = value->size();
  if (value->size() > capacity) return WALRIG_E_TOO_LARGE;
  if (!value->empty()) std::memcpy(buffer, value->data(), value->size());
  return WALRIG_OK;
}

const Context* ContextOf(const walrig_op* op) {
  return op == nullptr ? nullptr : &reinterpret_cast<const HostOp*>(op)->context();
}

int32_t OpCancelled(const walrig_op* op) noexcept {
  const Context* ctx = ContextOf(op);
  return ctx != nullptr && ctx->stop.requested() ? 1 : 0;
}

int32_t OpCancelFd(const walrig_op* op) noexcept {
  const Context* ctx = ContextOf(op);
  return ctx != nullptr ? ctx->stop.fd() : -1;
}

uint64_t OpDeadline(const walrig_op* op) noexcept {
  const Context* ctx = ContextOf(op);
  return ctx != nullptr ? ctx->deadline_ns : 0;
}

uint32_t OpAttempt(const walrig_op* op) noexcept {
  const Context* ctx = ContextOf(op);
  return ctx != nullptr ? ctx->attempt : 1;
}

// Rates are limited by the core's own wrappers around sources and sinks; here remains the chance to stop.
walrig_status OpThrottle(const walrig_op* op, uint32_t, uint64_t) noexcept {
  return OpCancelled(op) != 0 ? WALRIG_E_CANCELLED : WALRIG_OK;
}

uint32_t MetricId(const walrig_host* host, const char* name, uint32_t) noexcept {
  if (name == nullptr) return 0;
  HostTable& table = MutableTableOf(host);
  try {
    const std::lock_guard lock(table.metrics_mutex);
    auto& names = table.metric_names;
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) return static_cast<uint32_t>(i + 1);
    }
    if (names.size() == kMetricsMax) return 0;
    names.reserve(kMetricsMax);  // so that a name, once handed out, never moves
    names.emplace_back(name);
    return static_cast<uint32_t>(names.size());
  } catch (...) {
    return 0;
  }
}

void MetricAdd(const walrig_host* host, uint32_t id, double value) noexcept {
  HostTable& table = MutableTableOf(host);
  Metrics* metrics = table.services->metrics.load(std::memory_order_acquire);
  if (metrics == nullptr || id == 0) return;
  try {
    std::string_view name;
    {
      const std::lock_guard lock(table.metrics_mutex);
      if (id > table.metric_names.size()) return;
      name = table.metric_names[id - 1];
    }
    metrics->Add(name, value);
  } catch (...) {
    return;
  }
}

const void* Service(const walrig_host*, const char*) noexcept { return nullptr; }

}  // namespace

const std::string* HostConfig::Find(std::string_view name) const noexcept {
  for (const auto& [key, value] : values_) {
    if (key == name) return &value;
  }
  return nullptr;
}

bool HostConfig::IsSecret(std::string_view name) const noexcept {
  for (const OptionSpec& spec : specs_) {
    if (spec.name == name) return spec.secret;
  }
  return false;
}

HostServices& ProcessHostServices() {
  static HostServices* const services = new HostServices;  // plugins may call the table until the process is gone
  return *services;
}

const walrig_host* NewHostTable(std::string plugin, HostServices& services) {
  auto* table = new HostTable();
  table->plugin = std::move(plugin);
  table->services = &services;
  table->struct_size = sizeof(walrig_host);
  table->abi_major = static_cast<uint16_t>(WALRIG_ABI_MAJOR);
  table->abi_minor = static_cast<uint16_t>(WALRIG_ABI_MINOR);
  table->name = "walrig";
  table->version = WALRIG_VERSION;
  table->log_enabled = LogEnabled;
  table->log = WriteLog;
  table->cfg_str = CfgStr;
  table->cfg_i64 = CfgI64;
  table->cfg_u64 = CfgU64;
  table->cfg_f64 = CfgF64;
  table->cfg_secret = CfgSecret;
  table->op_cancelled = OpCancelled;
  table->op_cancel_fd = OpCancelFd;
  table->op_deadline_ns = OpDeadline;
  table->op_attempt = OpAttempt;
  table->op_throttle = OpThrottle;
  table->metric_id = MetricId;
  table->metric_add = MetricAdd;
  table->service = Service;
  return table;
}

}  // namespace walrig
