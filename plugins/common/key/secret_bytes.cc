#include "plugins/common/key/secret_bytes.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>

namespace walrig {
namespace {

int HexDigit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int Base64Digit(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

}  // namespace

Result<SecretBytes> SecretBytes::New(size_t size_bytes) {
  SecretBytes secret;
  if (size_bytes == 0) return secret;
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  if (size_bytes > SIZE_MAX - page) return OutOfMemory("the pages of a key");
  const size_t mapped = (size_bytes + page - 1) / page * page;
  void* const at = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return OutOfMemory("the pages of a key");
  // RLIMIT_MEMLOCK may be small: then the page can be swapped, and everything else still holds.
  (void)::mlock(at, mapped);
  (void)::madvise(at, mapped, MADV_DONTDUMP);
  (void)::madvise(at, mapped, MADV_WIPEONFORK);
  secret.data_ = static_cast<uint8_t*>(at);
  secret.size_ = size_bytes;
  secret.mapped_ = mapped;
  return secret;
}

Result<SecretBytes> SecretBytes::CopyOf(ByteSpan from) {
  WALRIG_ASSIGN(SecretBytes secret, New(from.size()));
  if (!from.empty()) std::memcpy(secret.data_, from.data(), from.size());
  return secret;
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    Free();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    mapped_ = std::exchange(other.mapped_, 0);
  }
  return *this;
}

SecretBytes::~SecretBytes() { Free(); }

void SecretBytes::Free() noexcept {
  if (data_ == nullptr) return;
  Wipe({data_, mapped_});
  ::munmap(data_, mapped_);
  data_ = nullptr;
  size_ = mapped_ = 0;
}

void SecretBytes::Resize(size_t size_bytes) noexcept {
  if (size_bytes > mapped_) return;
  if (size_bytes < size_) Wipe({data_ + size_bytes, size_ - size_bytes});
  size_ = size_bytes;
}

void Wipe(MutableByteSpan bytes) noexcept {
  volatile uint8_t* const at = bytes.data();
  for (size_t i = 0; i < bytes.size(); ++i) at[i] = 0;
}

bool SameSecret(ByteSpan a, ByteSpan b) noexcept {
  if (a.size() != b.size()) return false;
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

std::string_view TrimSpace(std::string_view text) noexcept {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

Result<SecretBytes> SecretFromHex(std::string_view text) {
  if (text.size() % 2 != 0) return InvalidArgument("an odd number of hexadecimal digits");
  WALRIG_ASSIGN(SecretBytes secret, SecretBytes::New(text.size() / 2));
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]), low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return InvalidArgument("not hexadecimal digits");
    secret.data()[i / 2] = static_cast<uint8_t>(high * 16 + low);
  }
  return secret;
}

Result<SecretBytes> SecretFromBase64(std::string_view text, bool padding_required) {
  const Status bad = InvalidArgument("not base64");
  size_t padding = 0;
  while (padding < 2 && !text.empty() && text.back() == '=') {
    text.remove_suffix(1);
    ++padding;
  }
  const size_t tail = text.size() % 4;
  const size_t wanted_padding = tail == 0 ? 0 : 4 - tail;
  if (tail == 1 || (padding != wanted_padding && (padding != 0 || padding_required))) return bad;
  WALRIG_ASSIGN(SecretBytes secret, SecretBytes::New(text.size() / 4 * 3 + (tail == 0 ? 0 : tail - 1)));
  uint32_t bits = 0;
  unsigned bit_count = 0;
  size_t at = 0;
  for (const char c : text) {
    const int digit = Base64Digit(c);
    if (digit < 0) return bad;
    bits = ((bits << 6) | static_cast<uint32_t>(digit)) & 0xFFFF;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    secret.data()[at++] = static_cast<uint8_t>((bits >> bit_count) & 0xFF);
  }
  // Bits that no byte takes must be zero, or two texts would mean one key.
  if ((bits & ((1u << bit_count) - 1)) != 0) return bad;
  return secret;
}

}  // namespace walrig
