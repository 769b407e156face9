// MessageFraming: looks at the packets of a stored OpenPGP message from outside while its bytes go by.
//
// The library reads a message as it likes: it stops where the message ends, and skips what it does not know. This class
// holds an object to what an encrypted object is: session keys, then one packet of encrypted data with integrity
// protection, then nothing. It says what the object is when it is something else, and for which keys it was written. It
// decrypts nothing; its input is hostile. RFC 4880, 4.2 and 5; RFC 9580 for what came later.
//
// THREADS: one at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig::openpgp {

using KeyId = uint64_t;

// "617ECB478D9EEFB6", as gpg prints it.
std::string KeyIdText(KeyId id);

class MessageFraming {
 public:
  // Sees all bytes in order. FAILS WITH: kCorruption (no OpenPGP, not encrypted, without integrity protection, bytes
  // after the end), kNotSupported (encrypted in a way that the library cannot read), kPermission (only a passphrase
  // opens it).
  Status See(ByteSpan bytes);
  // No more bytes come. FAILS WITH: kTruncated in the middle of a message; what See fails with.
  Status End();

  // The encrypted data have begun: recipients() is complete.
  bool data_begun() const noexcept { return data_begun_; }
  const std::vector<KeyId>& recipients() const noexcept { return recipients_; }

 private:
  enum class Step { kTag, kLength, kBody, kAfter, kForeign };

  Status SeeTag(uint8_t octet);
  Status SeeLength(uint8_t octet);
  Status BeginBody(uint64_t length, bool partial);
  Status SeeBody(ByteSpan bytes);
  Status BeginData();
  Status EndPacket();
  Status EndSessionKey();
  Status Foreign() const;

  Step step_ = Step::kTag;
  bool old_format_ = false;
  uint8_t tag_ = 0;
  uint8_t length_octets_ = 0;  // still to come
  uint8_t first_octet_ = 0;    // of a length in the new format
  uint64_t length_ = 0;        // being read, then what is left of the body or of a part of it
  bool partial_ = false;       // another part follows this one
  bool to_the_end_ = false;    // old format without a length: until the input ends
  bool in_packet_ = false;     // the first part of the body has begun
  bool data_begun_ = false;
  bool passphrase_ = false;       // a session key that a passphrase opens
  bool unknown_version_ = false;  // a session key of a version that the library does not read
  size_t packets_ = 0;
  std::vector<uint8_t> body_;  // of a session key packet, bounded
  std::vector<KeyId> recipients_;
  std::array<uint8_t, 16> head_{};  // the object's first bytes
  size_t head_count_ = 0;
};

}  // namespace walrig::openpgp
