#include "core/base/json_stream.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/base/exception_status.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

// Reads a Source in pieces and hands out bytes one by one. An error or a token that is too long looks like the end to
// the parser; status() says the truth.
class Feeder {
 public:
  Feeder(const Context& ctx, Source& source, size_t token_bytes_max)
      : ctx_(ctx), source_(source), token_bytes_max_(token_bytes_max), buffer_(64 * 1024) {}

  bool AtEnd() {
    if (next_ == end_ && !ended_) Refill();
    return next_ == end_;
  }
  char Current() const { return static_cast<char>(buffer_.data()[next_]); }
  void Advance() { ++next_; }

  const Status& status() const { return status_; }
  bool ended() const { return ended_; }  // the parser has seen the end, or will at its next step
  uint64_t position() const { return base_ + next_; }

 private:
  void Refill() {
    base_ += end_;
    next_ = end_ = 0;
    Status polled = ctx_.Poll();
    if (!polled.ok()) return Fail(std::move(polled));
    Result<size_t> read = source_.Read(ctx_, buffer_.span());
    if (!read.ok()) return Fail(std::move(read).status());
    end_ = *read;
    if (end_ == 0) ended_ = true;
    for (size_t i = 0; i < end_; ++i) Measure(static_cast<char>(buffer_.data()[i]));
    if (token_too_long_) {
      end_ = 0;
      Fail(Corruption(fmt::format("a string or number of more than {} bytes", token_bytes_max_)));
    }
  }

  void Fail(Status status) {
    status_ = std::move(status);
    ended_ = true;
  }

  // The parser collects a token whole, so its length is bounded here, before the parser sees it.
  void Measure(char c) {
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
        token_bytes_ = 0;
        return;
      }
    } else if (c == '"') {
      in_string_ = true;
      token_bytes_ = 0;
      return;
    } else if (c == ',' || c == ':' || c == '{' || c == '}' || c == '[' || c == ']' || c == ' ' || c == '\n' ||
               c == '\t' || c == '\r') {
      token_bytes_ = 0;
      return;
    }
    if (++token_bytes_ > token_bytes_max_) token_too_long_ = true;
  }

  const Context& ctx_;
  Source& source_;
  const size_t token_bytes_max_;
  Buffer buffer_;
  size_t next_ = 0, end_ = 0;
  uint64_t base_ = 0;
  bool ended_ = false;
  Status status_;
  bool in_string_ = false, escaped_ = false, token_too_long_ = false;
  size_t token_bytes_ = 0;
};

class FeederIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  FeederIterator() = default;
  explicit FeederIterator(Feeder* feeder) : feeder_(feeder) {}
  char operator*() const { return feeder_->Current(); }
  FeederIterator& operator++() {
    feeder_->Advance();
    return *this;
  }
  FeederIterator operator++(int) {
    FeederIterator before = *this;
    ++*this;
    return before;
  }
  // Only ever compared with the end.
  friend bool operator==(const FeederIterator& a, const FeederIterator& b) {
    Feeder* feeder = a.feeder_ != nullptr ? a.feeder_ : b.feeder_;
    return feeder == nullptr || feeder->AtEnd();
  }
  friend bool operator!=(const FeederIterator& a, const FeederIterator& b) { return !(a == b); }

 private:
  Feeder* feeder_ = nullptr;
};

class Adapter final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Adapter(JsonEvents& events, int depth_max) : events_(events), depth_max_(depth_max) {}

  const Status& status() const { return status_; }
  const std::string& parse_reason() const { return parse_reason_; }

  bool null() override { return Keep(events_.OnNull()); }
  bool boolean(bool value) override { return Keep(events_.OnBool(value)); }
  bool number_integer(number_integer_t value) override { return Keep(events_.OnInt(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Keep(events_.OnUint(value)); }
  bool number_float(number_float_t value, const string_t&) override { return Keep(events_.OnDouble(value)); }
  bool string(string_t& value) override { return Keep(events_.OnString(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Deeper() && Keep(events_.OnStartObject()); }
  bool key(string_t& key) override { return Keep(events_.OnKey(key)); }
  bool end_object() override { return --depth_, Keep(events_.OnEndObject()); }
  bool start_array(std::size_t) override { return Deeper() && Keep(events_.OnStartArray()); }
  bool end_array() override { return --depth_, Keep(events_.OnEndArray()); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    parse_reason_ = error.what();
    return false;
  }

 private:
  bool Keep(Status status) {
    status_ = std::move(status);
    return status_.ok();
  }
  bool Deeper() {
    if (++depth_ <= depth_max_) return true;
    status_ = Corruption(fmt::format("nested deeper than {} levels", depth_max_));
    return false;
  }

  JsonEvents& events_;
  const int depth_max_;
  int depth_ = 0;
  Status status_;
  std::string parse_reason_;
};

// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..." without its head.
std::string Reason(const std::string& what) {
  const size_t at = what.find("syntax error");
  return Printable(at == std::string::npos ? what : what.substr(at), 200);
}

}  // namespace

Status ReadJsonStream(const Context& ctx, Source& source, std::string_view what, const JsonStreamLimits& limits,
                      JsonEvents& events) {
  Feeder feeder(ctx, source, limits.token_bytes_max);
  Adapter adapter(events, limits.depth_max);
  bool parsed = false;
  try {
    parsed = nlohmann::json::sax_parse(FeederIterator(&feeder), FeederIterator(), &adapter);
  } catch (const std::exception& error) {
    return ExceptionStatus(error, what);
  }
  if (!feeder.status().ok()) return Status(feeder.status()).With(what);
  if (!adapter.status().ok()) return Status(adapter.status()).With(what);
  if (parsed) return OkStatus();
  if (feeder.ended()) {
    return Truncated(fmt::format("{}: the document ends in the middle, after {} bytes", what, feeder.position()));
  }
  return Corruption(
      fmt::format("{}: not JSON near byte {}: {}", what, feeder.position(), Reason(adapter.parse_reason())));
}

}  // namespace walrig
