// SPDX-License-Identifier: MIT-0
// ConfigReader: the checked options of one create() call, in C++ types.
//
// The host has parsed and checked what the user wrote; values are canonical. Every getter FAILS WITH kNotFound when
// the option was not set and has no default (the ...Or forms answer the fallback then), and kInternal when the name is
// not in the plugin's table.
//
// THREADS: one at a time, during create() only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrig/abi/host.h"
#include "walrig/result.h"

namespace walrig::sdk {

// A secret that is zeroed when it goes and does not print. Move-only.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::vector<char> bytes) : bytes_(std::move(bytes)) {}
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      Wipe();
      bytes_ = std::move(other.bytes_);
      other.bytes_.clear();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { Wipe(); }

  // Lives as long as this object.
  std::string_view bytes() const noexcept { return {bytes_.data(), bytes_.size()}; }

  static void WipeBytes(void* data, size_t size_bytes) noexcept {
    // Through volatile, or the compiler drops stores to memory that dies.
    volatile char* p = static_cast<volatile char*>(data);
    for (size_t i = 0; i < size_bytes; ++i) p[i] = 0;
  }

 private:
  void Wipe() noexcept { WipeBytes(bytes_.data(), bytes_.size()); }
  std::vector<char> bytes_;
};

class ConfigReader {
 public:
  // Both must outlive the reader, as they do during create().
  ConfigReader(const walrig_host* host, const walrig_config* config) : host_(host), config_(config) {}

  // Text, enum, path and list options.
  Result<std::string> Text(const char* name) const {
    const char* text = nullptr;
    size_t length = 0;
    WALRIG_TRY(Check(name, host_->cfg_str(config_, name, &text, &length)));
    return std::string(text, length);
  }
  Result<std::string> TextOr(const char* name, std::string fallback) const {
    return Or(Text(name), std::move(fallback));
  }

  // Unsigned numbers, sizes (bytes) and times (nanoseconds).
  Result<uint64_t> Uint(const char* name) const {
    uint64_t value = 0;
    WALRIG_TRY(Check(name, host_->cfg_u64(config_, name, &value)));
    return value;
  }
  Result<uint64_t> UintOr(const char* name, uint64_t fallback) const { return Or(Uint(name), fallback); }

  Result<int64_t> Int(const char* name) const {
    int64_t value = 0;
    WALRIG_TRY(Check(name, host_->cfg_i64(config_, name, &value)));
    return value;
  }
  Result<int64_t> IntOr(const char* name, int64_t fallback) const { return Or(Int(name), fallback); }

  Result<double> Float(const char* name) const {
    double value = 0;
    WALRIG_TRY(Check(name, host_->cfg_f64(config_, name, &value)));
    return value;
  }

  Result<bool> Bool(const char* name) const {
    uint64_t value = 0;
    WALRIG_TRY(Check(name, host_->cfg_u64(config_, name, &value)));
    return value != 0;
  }
  Result<bool> BoolOr(const char* name, bool fallback) const { return Or(Bool(name), fallback); }

  Result<Secret> SecretOf(const char* name) const {
    std::vector<char> bytes(256);
    size_t length = 0;
    int32_t code = host_->cfg_secret(config_, name, bytes.data(), bytes.size(), &length);
    if (code == WALRIG_E_TOO_LARGE) {
      bytes = std::vector<char>(length);
      code = host_->cfg_secret(config_, name, bytes.data(), bytes.size(), &length);
    }
    WALRIG_TRY(Check(name, code));
    if (length > bytes.size()) return Internal("the host gave a secret that is longer than its buffer");
    bytes.resize(length);
    return Secret(std::move(bytes));
  }

  const walrig_host* host() const noexcept { return host_; }

 private:
  static Status Check(const char* name, int32_t code) {
    if (code == WALRIG_OK) return OkStatus();
    if (code == WALRIG_E_NOT_FOUND) return NotFound("option " + std::string(name) + " is not set");
    return Internal("option " + std::string(name) + ": the host answered " + std::to_string(code));
  }
  template <typename T>
  static Result<T> Or(Result<T> got, T fallback) {
    if (!got.ok() && got.status().code() == Code::kNotFound) return fallback;
    return got;
  }

  const walrig_host* host_;
  const walrig_config* config_;
};

}  // namespace walrig::sdk
