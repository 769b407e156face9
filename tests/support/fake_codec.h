// FakeCompressor and FakeCipher: a trivial framed format with a checksum, to test what stands around the machines
// without any library.
//
// A frame: magic, blocks of (u16 little endian length, bytes xor mask), u16 0, u32 sum of the plain bytes.
// The frames of a concatenable compressor may follow one another; after others a byte is kCorruption.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/pipeline/codec.h"

namespace walrig::test {

struct FakeFormat {
  uint8_t magic;
  uint8_t mask;
  bool concatenable;
};

class FakeEncoder final : public Transform {
 public:
  explicit FakeEncoder(FakeFormat format) : format_(format) {}
  Result<Progress> Process(TransformIo& io, Directive directive) override {
    while (true) {
      const size_t count = std::min(pending_.size() - given_, io.out.size() - io.out_used);
      std::copy_n(pending_.begin() + static_cast<ptrdiff_t>(given_), count, io.out.begin() + static_cast<ptrdiff_t>(io.out_used));
      given_ += count;
      io.out_used += count;
      if (given_ < pending_.size()) return Progress::kNeedOutput;
      pending_.clear();
      given_ = 0;
      if (!begun_) {
        pending_.push_back(static_cast<char>(format_.magic));
        begun_ = true;
      } else if (io.in_used < io.in.size()) {
        Block(io);
      } else if (directive != Directive::kFinish) {
        return Progress::kNeedInput;
      } else if (ended_) {
        return Progress::kEnd;
      } else {
        pending_.append(2, '\0');
        for (int shift = 0; shift < 32; shift += 8) pending_.push_back(static_cast<char>(sum_ >> shift));
        ended_ = true;
      }
    }
  }
  Status Reset() override {
    *this = FakeEncoder(format_);
    return OkStatus();
  }

 private:
  void Block(TransformIo& io) {
    const size_t count = std::min<size_t>(io.in.size() - io.in_used, 5000);
    pending_.push_back(static_cast<char>(count));
    pending_.push_back(static_cast<char>(count >> 8));
    for (uint8_t byte : io.in.subspan(io.in_used, count)) {
      sum_ += byte;
      pending_.push_back(static_cast<char>(byte ^ format_.mask));
    }
    io.in_used += count;
  }

  FakeFormat format_;
  std::string pending_;
  size_t given_ = 0;
  uint32_t sum_ = 0;
  bool begun_ = false;
  bool ended_ = false;
};

class FakeDecoder final : public Transform {
 public:
  explicit FakeDecoder(FakeFormat format) : format_(format) {}
  Result<Progress> Process(TransformIo& io, Directive directive) override {
    while (io.in_used < io.in.size()) {
      if (state_ == State::kBytes && io.out_used == io.out.size()) return Progress::kNeedOutput;
      WALRIG_TRY(Take(io.in[io.in_used++], io));
    }
    if (directive != Directive::kFinish) return Progress::kNeedInput;
    if (state_ != State::kMagic || frames_ == 0) return Truncated("the fake stream ends early");
    return Progress::kEnd;
  }
  Status Reset() override {
    *this = FakeDecoder(format_);
    return OkStatus();
  }

 private:
  enum class State { kMagic, kLength, kBytes, kSum };

  Status Take(uint8_t byte, TransformIo& io) {
    switch (state_) {
      case State::kMagic:
        if (byte != format_.magic || (frames_ > 0 && !format_.concatenable)) return Corruption("not a fake stream");
        Enter(State::kLength);
        sum_ = 0;
        return OkStatus();
      case State::kLength:
        number_ |= uint32_t{byte} << (8 * digits_++);
        if (digits_ < 2) return OkStatus();
        left_ = number_;
        Enter(left_ == 0 ? State::kSum : State::kBytes);
        return OkStatus();
      case State::kBytes:
        sum_ += byte ^ format_.mask;
        io.out[io.out_used++] = byte ^ format_.mask;
        if (--left_ == 0) Enter(State::kLength);
        return OkStatus();
      case State::kSum:
        number_ |= uint32_t{byte} << (8 * digits_++);
        if (digits_ < 4) return OkStatus();
        if (number_ != sum_) return Corruption("the fake checksum does not hold");
        frames_++;
        Enter(State::kMagic);
        return OkStatus();
    }
    return OkStatus();
  }
  void Enter(State state) {
    state_ = state;
    number_ = 0;
    digits_ = 0;
  }

  FakeFormat format_;
  State state_ = State::kMagic;
  uint32_t number_ = 0;
  int digits_ = 0;
  uint32_t left_ = 0;
  uint32_t sum_ = 0;
  uint64_t frames_ = 0;
};

class FakeCompressor final : public Compressor {
 public:
  explicit FakeCompressor(bool concatenable = true) : format_{0xF1, 0x5A, concatenable} {
    traits_ = {.name = "fake", .extension = "fk", .concatenable = concatenable};
  }
  const CompressorTraits& traits() const override { return traits_; }
  CompressorTraits& mutable_traits() { return traits_; }
  Result<std::unique_ptr<Transform>> NewEncoder() override {
    encoders_made_++;
    return std::unique_ptr<Transform>(std::make_unique<FakeEncoder>(format_));
  }
  Result<std::unique_ptr<Transform>> NewDecoder() override {
    return std::unique_ptr<Transform>(std::make_unique<FakeDecoder>(format_));
  }
  uint64_t encoder_memory_bytes() const override { return 64 << 10; }
  uint64_t decoder_memory_bytes() const override { return 64 << 10; }
  int encoders_made() const { return encoders_made_; }

 private:
  FakeFormat format_;
  CompressorTraits traits_;
  std::atomic<int> encoders_made_{0};
};

class FakeCipher final : public Cipher {
 public:
  const std::string& name() const override { return name_; }
  Result<std::unique_ptr<Transform>> NewSealer() override {
    return std::unique_ptr<Transform>(std::make_unique<FakeEncoder>(kFormat));
  }
  Result<std::unique_ptr<Transform>> NewOpener() override {
    return std::unique_ptr<Transform>(std::make_unique<FakeDecoder>(kFormat));
  }
  uint64_t memory_bytes() const override { return 64 << 10; }

 private:
  static constexpr FakeFormat kFormat{0xC1, 0xA5, false};
  const std::string name_ = "fake";
};

}  // namespace walrig::test
