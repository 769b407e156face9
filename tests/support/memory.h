// Small helpers around Source and Sink for tests.
#pragma once

#include <string>

#include "walrig/stream.h"

namespace walrig::test {

// Everything a source gives, read through a buffer of `buffer_bytes`.
inline Result<std::string> Drain(const Context& ctx, Source& source, size_t buffer_bytes = 4096) {
  std::string all;
  Buffer buffer(buffer_bytes);
  for (;;) {
    WALRIG_ASSIGN(size_t n, source.Read(ctx, buffer.span()));
    if (n == 0) return all;
    all.append(AsText(buffer.first(n)));
  }
}

// Text that does not repeat with a short period, the same for the same length: "0 1 2 3 ...".
inline std::string NumberedBytes(size_t size_bytes) {
  std::string text;
  for (size_t i = 0; text.size() < size_bytes; ++i) text += std::to_string(i) + ' ';
  text.resize(size_bytes);
  return text;
}

// A source that gives `good` and then fails with `status`.
class FailingSource final : public Source {
 public:
  FailingSource(std::string good, Status status) : good_(std::move(good)), status_(std::move(status)) {}
  Result<size_t> Read(const Context&, MutableByteSpan buffer) override {
    if (position_ == good_.size()) return status_;
    size_t n = std::min(buffer.size(), good_.size() - position_);
    good_.copy(reinterpret_cast<char*>(buffer.data()), n, position_);
    position_ += n;
    return n;
  }

 private:
  std::string good_;
  Status status_;
  size_t position_ = 0;
};

}  // namespace walrig::test
