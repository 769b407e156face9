#include "plugins/cipher/libsodium/sealer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "plugins/cipher/libsodium/stream.h"

namespace walrig::libsodium {
namespace {

class Sealer final : public Transform {
 public:
  Sealer(const SecretBytes& key, StreamState state) : key_(key), state_(std::move(state)) {}

  Result<Progress> Process(TransformIo& io, Directive directive) override {
    if (ended_ && !io.in.empty()) return InvalidArgument("libsodium: input after the end");
    while (true) {
      Give(io);
      if (given_ < sealed_count_) return Progress::kNeedOutput;
      if (ended_) return Progress::kEnd;
      Take(io);
      if (plain_count_ == kPlainBytes) {
        WALRIG_TRY(SealMessage(crypto_secretstream_xchacha20poly1305_TAG_MESSAGE));
      } else if (directive == Directive::kFinish) {
        WALRIG_TRY(SealMessage(crypto_secretstream_xchacha20poly1305_TAG_FINAL));
        ended_ = true;
      } else {
        return Progress::kNeedInput;
      }
    }
  }

  Status Reset() override {
    sodium_memzero(plain_.data(), plain_.size());
    plain_count_ = given_ = 0;
    ended_ = false;
    if (crypto_secretstream_xchacha20poly1305_init_push(state_.get(), sealed_.data(), key_.data()) != 0) {
      return Internal("libsodium: a stream cannot be started");
    }
    sealed_count_ = kHeaderBytes;
    return OkStatus();
  }

 private:
  void Give(TransformIo& io) {
    const size_t n = std::min(sealed_count_ - given_, io.out.size() - io.out_used);
    if (n != 0) std::memcpy(io.out.data() + io.out_used, sealed_.data() + given_, n);
    given_ += n;
    io.out_used += n;
  }

  void Take(TransformIo& io) {
    const size_t n = std::min(kPlainBytes - plain_count_, io.in.size() - io.in_used);
    if (n != 0) std::memcpy(plain_.data() + plain_count_, io.in.data() + io.in_used, n);
    plain_count_ += n;
    io.in_used += n;
  }

  Status SealMessage(unsigned char tag) {
    unsigned long long sealed = 0;
    if (crypto_secretstream_xchacha20poly1305_push(state_.get(), sealed_.data(), &sealed, plain_.data(), plain_count_,
                                                   nullptr, 0, tag) != 0) {
      return Internal("libsodium: a message cannot be sealed");
    }
    sealed_count_ = static_cast<size_t>(sealed);
    given_ = plain_count_ = 0;
    return OkStatus();
  }

  const SecretBytes& key_;
  const StreamState state_;
  std::array<uint8_t, kPlainBytes> plain_{};
  std::array<uint8_t, kSealedBytes> sealed_{};
  size_t plain_count_ = 0;
  size_t sealed_count_ = 0, given_ = 0;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<Transform>> NewSealer(const SecretBytes& key) {
  WALRIG_ASSIGN(StreamState state, NewState());
  std::unique_ptr<Transform> sealer = std::make_unique<Sealer>(key, std::move(state));
  WALRIG_TRY(sealer->Reset());
  return sealer;
}

}  // namespace walrig::libsodium
