// Result<T>: a T, or the Status that says why there is none. std::expected is not in C++20.
//
// THREADS: a value, like Status.
#pragma once

#include <optional>
#include <utility>

#include "walrig/status.h"

namespace walrig {

template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit on purpose: `return value;` and `return NotFound("...");` both read well.
  Result(T value) : value_(std::move(value)) {}
  // REQUIRES: !status.ok(). An OK status without a value is a bug and becomes kInternal.
  Result(Status status) : status_(std::move(status)) {
    if (status_.ok()) status_ = Internal("a Result was made from an OK status without a value");
  }

  bool ok() const noexcept { return value_.has_value(); }
  const Status& status() const& noexcept { return status_; }
  Status status() && { return std::move(status_); }

  // REQUIRES: ok().
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return std::move(*value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace walrig

#define WALRIG_CONCAT_(a, b) a##b
#define WALRIG_CONCAT(a, b) WALRIG_CONCAT_(a, b)

// Returns from the enclosing function when `expr`, a Status, is not OK.
#define WALRIG_TRY(...)                                                  \
  do {                                                                   \
    if (::walrig::Status walrig_try_ = (__VA_ARGS__); !walrig_try_.ok()) \
      return walrig_try_;                                                \
  } while (false)

// `lhs` (a declaration or an lvalue) gets the value of `expr`, a Result; returns its status when there is none.
#define WALRIG_ASSIGN(lhs, ...) WALRIG_ASSIGN_IMPL_(WALRIG_CONCAT(walrig_result_, __LINE__), lhs, __VA_ARGS__)
#define WALRIG_ASSIGN_IMPL_(tmp, lhs, ...)          \
  auto tmp = (__VA_ARGS__);                         \
  if (!tmp.ok()) return std::move(tmp).status();    \
  lhs = std::move(tmp).value()
