#include "plugins/cipher/libsodium/opener.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "plugins/cipher/libsodium/stream.h"
#include "plugins/common/plain_guess.h"

namespace walrig::libsodium {
namespace {

class Opener final : public Transform {
 public:
  Opener(const SecretBytes& key, StreamState state) : key_(key), state_(std::move(state)) {}

  Result<Progress> Process(TransformIo& io, Directive directive) override {
    while (true) {
      Give(io);
      if (given_ < plain_count_) return Progress::kNeedOutput;
      Take(io);
      if (!started_ && sealed_count_ == kHeaderBytes) {
        WALRIG_TRY(Start());
      } else if (started_ && sealed_count_ == kSealedBytes) {
        WALRIG_TRY(OpenFull());
      } else if (directive != Directive::kFinish || io.in_used < io.in.size()) {
        return Progress::kNeedInput;
      } else if (ended_) {
        return Progress::kEnd;
      } else {
        WALRIG_TRY(OpenLast());
      }
    }
  }

  Status Reset() override {
    sodium_memzero(state_.get(), sizeof *state_);
    sodium_memzero(plain_.data(), plain_.size());
    sealed_count_ = plain_count_ = given_ = 0;
    messages_ = 0;
    started_ = ended_ = false;
    return OkStatus();
  }

 private:
  void Give(TransformIo& io) {
    const size_t n = std::min(plain_count_ - given_, io.out.size() - io.out_used);
    if (n != 0) std::memcpy(io.out.data() + io.out_used, plain_.data() + given_, n);
    given_ += n;
    io.out_used += n;
  }

  void Take(TransformIo& io) {
    const size_t room = (started_ ? kSealedBytes : kHeaderBytes) - sealed_count_;
    const size_t n = std::min(room, io.in.size() - io.in_used);
    if (n != 0) std::memcpy(sealed_.data() + sealed_count_, io.in.data() + io.in_used, n);
    sealed_count_ += n;
    io.in_used += n;
  }

  Status Start() {
    std::memcpy(head_.data(), sealed_.data(), head_.size());
    if (crypto_secretstream_xchacha20poly1305_init_pull(state_.get(), sealed_.data(), key_.data()) != 0) {
      return Corruption("libsodium: the header of the stream is not valid");
    }
    started_ = true;
    sealed_count_ = 0;
    return OkStatus();
  }

  Status OpenFull() {
    WALRIG_ASSIGN(const unsigned char tag, Open());
    if (tag == crypto_secretstream_xchacha20poly1305_TAG_MESSAGE) return OkStatus();
    plain_count_ = 0;
    return Corruption("libsodium: message " + std::to_string(messages_) + " has a tag that WAL-G does not write there");
  }

  // What is left when the input has ended: less than a full message.
  Status OpenLast() {
    if (!started_) return Truncated("libsodium: the object ends in its header");
    if (sealed_count_ == 0) return Truncated("libsodium: the object ends before its last message");
    if (sealed_count_ < kOverheadBytes) return Truncated("libsodium: the object ends within a message");
    WALRIG_ASSIGN(const unsigned char tag, Open());
    if (tag != crypto_secretstream_xchacha20poly1305_TAG_FINAL) {
      plain_count_ = 0;
      return Corruption("libsodium: the last message is not marked as the last");
    }
    ended_ = true;
    return OkStatus();
  }

  Result<unsigned char> Open() {
    unsigned long long plain = 0;
    unsigned char tag = 0;
    const bool full = sealed_count_ == kSealedBytes;
    if (crypto_secretstream_xchacha20poly1305_pull(state_.get(), plain_.data(), &plain, &tag, sealed_.data(),
                                                   sealed_count_, nullptr, 0) != 0) {
      return Refused(full);
    }
    messages_++;
    sealed_count_ = given_ = 0;
    plain_count_ = static_cast<size_t>(plain);
    return tag;
  }

  Status Refused(bool full) const {
    const std::string_view plain_format = GuessPlainFormat(head_);
    if (messages_ == 0 && !plain_format.empty()) {
      return Corruption("libsodium: the object is not encrypted: it begins like " + std::string(plain_format))
          .Hint("it was stored without encryption; take the key's setting away to read it");
    }
    if (messages_ == 0) {
      return Corruption("libsodium: the object is damaged, or was written with another key or cipher")
          .Hint("compare WALG_LIBSODIUM_KEY (or _KEY_PATH) and _KEY_TRANSFORM with those of the writer");
    }
    const std::string which = "libsodium: message " + std::to_string(messages_ + 1) + " of the object was changed";
    return Corruption(full ? which : which + " or cut short");
  }

  const SecretBytes& key_;
  const StreamState state_;
  std::array<uint8_t, kSealedBytes> sealed_{};
  std::array<uint8_t, kPlainBytes> plain_{};
  std::array<uint8_t, 8> head_{};  // the object's first bytes, for messages
  size_t sealed_count_ = 0;
  size_t plain_count_ = 0, given_ = 0;
  uint64_t messages_ = 0;  // opened
  bool started_ = false, ended_ = false;
};

}  // namespace

Result<std::unique_ptr<Transform>> NewOpener(const SecretBytes& key) {
  WALRIG_ASSIGN(StreamState state, NewState());
  std::unique_ptr<Transform> opener = std::make_unique<Opener>(key, std::move(state));
  WALRIG_TRY(opener->Reset());
  return opener;
}

}  // namespace walrig::libsodium
