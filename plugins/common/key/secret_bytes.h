// SecretBytes: key material in pages of its own, which are never swapped where mlock is allowed, never in a core dump,
// not in a forked child, and zeroed when they go. Also what text keys are written in: hex and base64, decoded from one
// secret into another without a copy elsewhere.
//
// Each object takes whole pages, so it is for keys and passphrases, not for data.
// OWNS: its pages. Move-only. THREADS: one at a time; const methods any.
#pragma once

#include <cstddef>
#include <string_view>

#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig {

class SecretBytes {
 public:
  SecretBytes() = default;
  // `size_bytes` of zeros. FAILS WITH: kNoMemory.
  static Result<SecretBytes> New(size_t size_bytes);
  // The bytes of `from`, which the caller may want to wipe.
  static Result<SecretBytes> CopyOf(ByteSpan from);

  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  uint8_t* data() noexcept { return data_; }
  const uint8_t* data() const noexcept { return data_; }
  size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  MutableByteSpan span() noexcept { return {data_, size_}; }
  ByteSpan bytes() const noexcept { return {data_, size_}; }
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }

  // Shorter, or as long as it was made; what is cut off is zeroed. REQUIRES: not longer than New said.
  void Resize(size_t size_bytes) noexcept;

 private:
  void Free() noexcept;

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t mapped_ = 0;
};

// Zeroes through volatile, so that no compiler takes it for a dead store.
void Wipe(MutableByteSpan bytes) noexcept;
// Takes the same time whatever the bytes are (not: however many).
bool SameSecret(ByteSpan a, ByteSpan b) noexcept;

// What is between the white space at both ends (blank, tab, CR, LF, VT, FF). A view into `text`.
std::string_view TrimSpace(std::string_view text) noexcept;

// FAILS WITH: kInvalidArgument when `text` is not all hexadecimal digits in pairs. The message never shows the text.
Result<SecretBytes> SecretFromHex(std::string_view text);
// Base64 of the standard alphabet, or with - and _; padded, or (`padding_required` false) without. FAILS WITH: as hex.
Result<SecretBytes> SecretFromBase64(std::string_view text, bool padding_required = true);

}  // namespace walrig
