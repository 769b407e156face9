#include "plugins/cipher/openpgp/framing.h"

#include <algorithm>

#include "plugins/common/plain_guess.h"

namespace walrig::openpgp {
namespace {

enum Tag : uint8_t {
  kPublicKeySession = 1,
  kSignature = 2,
  kPassphraseSession = 3,
  kOnePassSignature = 4,
  kSecretKey = 5,
  kPublicKey = 6,
  kCompressed = 8,
  kUnprotectedData = 9,
  kMarker = 10,
  kLiteral = 11,
  kProtectedData = 18,
  kAeadData = 20,
};

// RSA of 16384 bits takes 2 KiB.
constexpr size_t kSessionKeyBytesMax = 8 * 1024;
constexpr size_t kPacketsMax = 256;

enum PublicKeyAlgorithm : uint8_t { kRsa = 1, kRsaEncryptOnly = 2, kElgamal = 16, kEcdh = 18 };

// Takes a multi-precision integer from the front. False when it is cut, or its count of bits is not that of its bytes,
// which RFC 4880 (3.2) calls malformed and librnp overlooks.
bool TakeInteger(ByteSpan& bytes, ByteSpan* value) {
  if (bytes.size() < 2) return false;
  const size_t bits = size_t{bytes[0]} << 8 | bytes[1];
  const size_t count = (bits + 7) / 8;
  if (bits == 0 || bytes.size() - 2 < count) return false;
  *value = bytes.subspan(2, count);
  bytes = bytes.subspan(2 + count);
  const unsigned top = (*value)[0];
  const size_t top_bits = bits - 8 * (count - 1);
  return top >> top_bits == 0 && top >> (top_bits - 1) == 1;
}

// A session key is not authenticated by itself. What the standard leaves no choice about is held to, so that no bit of
// an object for one key can be changed unseen. `bytes` is what follows the algorithm's number.
bool IsWellFormed(uint8_t algorithm, ByteSpan bytes) {
  constexpr size_t kX25519PointBytes = 33;  // 0x40, then the number with its lowest byte first
  ByteSpan value;
  switch (algorithm) {
    case kRsa:
    case kRsaEncryptOnly:
      return TakeInteger(bytes, &value) && bytes.empty();
    case kElgamal:
      return TakeInteger(bytes, &value) && TakeInteger(bytes, &value) && bytes.empty();
    case kEcdh: {
      if (!TakeInteger(bytes, &value)) return false;
      // X25519 ignores the highest bit, which is always 0 (RFC 7748, 5).
      if (value.size() == kX25519PointBytes && value[0] == 0x40 && (value.back() & 0x80) != 0) return false;
      return !bytes.empty() && bytes[0] == bytes.size() - 1;
    }
    default:
      return true;  // the library knows more, or says that it does not
  }
}

bool IsData(uint8_t tag) { return tag == kProtectedData || tag == kAeadData; }

Status NotEncrypted(std::string_view what) {
  return Corruption("openpgp: the object is not encrypted: " + std::string(what))
      .Hint("it was stored without encryption, or with another cipher");
}

}  // namespace

std::string KeyIdText(KeyId id) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(id >> shift) & 15];
  return text;
}

Status MessageFraming::See(ByteSpan bytes) {
  const size_t kept = std::min(head_.size() - head_count_, bytes.size());
  std::copy_n(bytes.begin(), kept, head_.begin() + static_cast<ptrdiff_t>(head_count_));
  head_count_ += kept;
  while (!bytes.empty()) {
    switch (step_) {
      case Step::kTag:
        WALRIG_TRY(SeeTag(bytes[0]));
        bytes = bytes.subspan(1);
        break;
      case Step::kLength:
        WALRIG_TRY(SeeLength(bytes[0]));
        bytes = bytes.subspan(1);
        break;
      case Step::kBody: {
        const uint64_t n = to_the_end_ ? bytes.size() : std::min<uint64_t>(length_, bytes.size());
        WALRIG_TRY(SeeBody(bytes.first(static_cast<size_t>(n))));
        bytes = bytes.subspan(static_cast<size_t>(n));
        break;
      }
      case Step::kAfter:
        return Corruption("openpgp: there are bytes after the end of the message");
      case Step::kForeign:
        if (head_count_ == head_.size()) return Foreign();
        return OkStatus();
    }
  }
  return OkStatus();
}

Status MessageFraming::End() {
  if (step_ == Step::kForeign) return Foreign();
  if (step_ == Step::kAfter || (step_ == Step::kBody && to_the_end_ && data_begun_)) return OkStatus();
  return Truncated(data_begun_ ? "openpgp: the object ends within its encrypted data"
                               : "openpgp: the object ends before its encrypted data");
}

// Waits for some more bytes before it says what they look like.
Status MessageFraming::Foreign() const {
  const ByteSpan head(head_.data(), head_count_);
  if (AsText(head).starts_with("-----BEGIN PGP")) {
    return Corruption("openpgp: the object is armored text; stored objects are binary")
        .Hint("`gpg --dearmor` makes it binary");
  }
  const std::string_view format = GuessPlainFormat(head);
  if (!format.empty()) return NotEncrypted("it begins like " + std::string(format));
  return Corruption("openpgp: the object is no OpenPGP message")
      .Hint("it is damaged, was stored without encryption, or was written by another cipher");
}

Status MessageFraming::SeeTag(uint8_t octet) {
  if ((octet & 0x80) == 0) {
    if (packets_ != 0) return Corruption("openpgp: bytes that are no packet follow the session keys");
    step_ = Step::kForeign;
    return head_count_ == head_.size() ? Foreign() : OkStatus();
  }
  if (++packets_ > kPacketsMax) return Corruption("openpgp: the object has too many packets");
  old_format_ = (octet & 0x40) == 0;
  tag_ = static_cast<uint8_t>(old_format_ ? (octet >> 2) & 15 : octet & 63);
  length_ = 0;
  partial_ = to_the_end_ = in_packet_ = false;
  body_.clear();
  step_ = Step::kLength;
  length_octets_ = 1;
  switch (tag_) {
    case kPublicKeySession:
    case kPassphraseSession:
    case kMarker:
    case kProtectedData:
    case kAeadData:
      break;
    case kUnprotectedData:
      return Corruption("openpgp: the object has no integrity protection, so nobody can tell whether it was changed")
          .Hint("it was written by very old software; decrypt it with gpg, look at it, and store it anew");
    case kCompressed:
    case kLiteral:
    case kSignature:
    case kOnePassSignature:
      return NotEncrypted("it is an OpenPGP message in the clear");
    case kSecretKey:
    case kPublicKey:
      return NotEncrypted("it is an OpenPGP key");
    default:
      if (packets_ == 1) {
        step_ = Step::kForeign;
        return head_count_ == head_.size() ? Foreign() : OkStatus();
      }
      return Corruption("openpgp: the object has a packet of type " + std::to_string(tag_) +
                        ", which does not belong there");
  }
  if (!old_format_) return OkStatus();
  const uint8_t kind = octet & 3;
  if (kind == 3) {
    if (!IsData(tag_)) return Corruption("openpgp: a session key has no length");
    to_the_end_ = true;
    return BeginBody(0, false);
  }
  length_octets_ = static_cast<uint8_t>(1 << kind);
  return OkStatus();
}

Status MessageFraming::SeeLength(uint8_t octet) {
  if (!old_format_ && length_octets_ == 1 && first_octet_ == 0) {
    if (octet < 192) return BeginBody(octet, false);
    if (octet >= 224 && octet < 255) {
      if (!IsData(tag_)) return Corruption("openpgp: a session key comes in parts");
      return BeginBody(uint64_t{1} << (octet & 31), true);
    }
    first_octet_ = octet;
    length_octets_ = octet == 255 ? 4 : 1;
    return OkStatus();
  }
  length_ = length_ << 8 | octet;
  if (--length_octets_ != 0) return OkStatus();
  const uint8_t first = first_octet_;
  first_octet_ = 0;
  const bool two_octets = !old_format_ && first != 255;
  return BeginBody(two_octets ? (uint64_t{first} - 192) * 256 + length_ + 192 : length_, false);
}

Status MessageFraming::BeginBody(uint64_t length, bool partial) {
  length_ = length;
  partial_ = partial;
  step_ = Step::kBody;
  if (!in_packet_) {
    in_packet_ = true;
    if (IsData(tag_)) {
      WALRIG_TRY(BeginData());
    } else if (length > kSessionKeyBytesMax) {
      return Corruption("openpgp: a session key of " + std::to_string(length) + " bytes");
    }
  }
  return length_ == 0 && !to_the_end_ ? EndPacket() : OkStatus();
}

Status MessageFraming::BeginData() {
  data_begun_ = true;
  if (!recipients_.empty()) return OkStatus();
  if (passphrase_) {
    return PermissionDenied("openpgp: the object was encrypted with a passphrase, not for a key")
        .Hint("decrypt it with gpg; objects of WAL-G and walrig are encrypted for keys");
  }
  if (unknown_version_) return NotSupported("openpgp: the session keys are of a version that cannot be read");
  return Corruption("openpgp: the object has no session key");
}

Status MessageFraming::SeeBody(ByteSpan bytes) {
  if (!IsData(tag_)) {
    body_.insert(body_.end(), bytes.begin(), bytes.end());
  } else if (body_.empty() && !bytes.empty()) {
    body_.push_back(bytes[0]);
    if (tag_ == kProtectedData && bytes[0] == 2) {
      return NotSupported(
                 "openpgp: the object is encrypted by version 2 of its packet (RFC 9580), which librnp of this system "
                 "cannot read")
          .Hint("decrypt it with gpg or another program of RFC 9580, and store it anew");
    }
    if (bytes[0] != 1) return Corruption("openpgp: the encrypted data are of version " + std::to_string(bytes[0]));
  }
  if (to_the_end_) return OkStatus();
  length_ -= bytes.size();
  return length_ == 0 ? EndPacket() : OkStatus();
}

Status MessageFraming::EndPacket() {
  if (partial_) {
    length_octets_ = 1;
    length_ = 0;
    step_ = Step::kLength;
    return OkStatus();
  }
  step_ = IsData(tag_) ? Step::kAfter : Step::kTag;
  return IsData(tag_) ? OkStatus() : EndSessionKey();
}

Status MessageFraming::EndSessionKey() {
  if (tag_ == kPassphraseSession) passphrase_ = true;
  if (tag_ != kPublicKeySession) return OkStatus();
  if (body_.empty()) return Corruption("openpgp: an empty session key");
  if (body_[0] != 3) {
    unknown_version_ = true;
    return OkStatus();
  }
  if (body_.size() < 10 || !IsWellFormed(body_[9], ByteSpan(body_).subspan(10))) {
    return Corruption("openpgp: a session key is damaged");
  }
  KeyId id = 0;
  for (size_t i = 1; i <= 8; ++i) id = id << 8 | body_[i];
  recipients_.push_back(id);
  return OkStatus();
}

}  // namespace walrig::openpgp
