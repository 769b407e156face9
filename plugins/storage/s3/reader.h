// S3Reader: an object, or a range of it, being read; checks the CRC-32C that the server keeps, when it is of all that is
// read.
//
// OWNS: the stream. THREADS: as Source.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "plugins/common/http/client.h"
#include "plugins/common/http/digest.h"
#include "walrig/stream.h"

namespace walrig::s3 {

class S3Reader final : public Source {
 public:
  // `length` is what must come; a server that gives more than was asked for (`cut`) is not listened to any longer then.
  // `crc_base64` may be empty, or the sum of sums of a multipart upload ("...-3"): then nothing is checked.
  S3Reader(std::unique_ptr<HttpStream> stream, std::string key, std::string crc_base64, uint64_t length, bool cut)
      : stream_(std::move(stream)), key_(std::move(key)), expected_(std::move(crc_base64)), left_(length), cut_(cut) {
    checks_ = !expected_.empty() && expected_.find('-') == std::string::npos;
  }
  // FAILS WITH: kCorruption, retryable; kTruncated, retryable; what the stream says.
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
    if (cut_) {
      if (left_ == 0) return size_t{0};
      buffer = buffer.first(static_cast<size_t>(std::min<uint64_t>(left_, buffer.size())));
    }
    Result<size_t> got = stream_->Read(ctx, buffer);
    if (!got.ok()) return std::move(got).status().With("get " + key_);
    if (*got > left_) return ProtocolError("get " + key_ + ": more bytes than were asked for");
    left_ -= *got;
    if (checks_) crc_ = http::Crc32c(crc_, buffer.first(*got));
    if (*got > 0) return got;
    if (left_ > 0) return Truncated("get " + key_ + ": the answer ended early").Retryable();
    if (checks_ && http::Crc32cBase64(crc_) != expected_) {
      return Corruption("get " + key_ + ": the bytes do not have the CRC-32C that the server keeps").Retryable();
    }
    return got;
  }

 private:
  std::unique_ptr<HttpStream> stream_;
  std::string key_, expected_;
  bool checks_ = false;
  uint64_t left_;
  bool cut_;
  uint32_t crc_ = 0;
};

// A range that is empty.
class NoBytes final : public Source {
 public:
  Result<size_t> Read(const Context& ctx, MutableByteSpan) override {
    WALRIG_TRY(ctx.Poll());
    return size_t{0};
  }
};

}  // namespace walrig::s3
