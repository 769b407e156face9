// ObjectForm: what a stored object begins like, to say what an operator mixed up: another cipher, no encryption at all.
//
// A guess from magic numbers, for messages and for objects of the time before encryption; never a proof of anything.
// THREADS: pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "walrig/bytes.h"

namespace walrig {

enum class ObjectForm : uint8_t {
  kUnknown,  // also libsodium's, which begins with random bytes
  kGcrypt,
  kOpenPgp,
  kEnvelope,  // WAL-G's Yandex envelopes
  kZstd,
  kLz4,
  kXz,
  kGzip,
  kLzo,
  kTar,
};

// Enough to tell them all apart.
inline constexpr size_t kObjectHeadBytes = 512;

ObjectForm FormOfObject(ByteSpan head);
// "zstd data", "an object of cipher gcrypt"; "" for unknown.
std::string_view FormName(ObjectForm form);
// The cipher that writes such objects; "" when it is no ciphertext, or unknown.
std::string_view CipherOfForm(ObjectForm form);
// Known, and not encrypted.
bool IsPlainForm(ObjectForm form);
// Whether everything that this cipher writes has a form of its own.
bool CipherHasForm(std::string_view cipher);

}  // namespace walrig
