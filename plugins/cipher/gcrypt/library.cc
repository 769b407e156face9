#include "plugins/cipher/gcrypt/library.h"

#include <gcrypt.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <vector>

namespace walrig::gcrypt {
namespace {

// A handle takes 2 KiB; two are open per object that is written or read. When it is full libgcrypt says so, and a handle
// then stands in ordinary memory.
constexpr size_t kSecureMemoryBytes = 1 << 20;

Status LibraryFailure(std::string_view what, gcry_error_t error) {
  if (gcry_err_code(error) == GPG_ERR_ENOMEM) return OutOfMemory("libgcrypt");
  return Internal("libgcrypt: " + std::string(what) + ": " + gcry_strerror(error));
}

// libgcrypt locks its pool, and would let it stand in a core dump.
void KeepPoolOutOfDumps() {
  void* const first = gcry_malloc_secure(16);
  if (first == nullptr) return;
  if (gcry_is_secure(first) != 0) {
    const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<uintptr_t>(first) / page * page;
    (void)::madvise(reinterpret_cast<void*>(begin), kSecureMemoryBytes, MADV_DONTDUMP);
    (void)::madvise(reinterpret_cast<void*>(begin), kSecureMemoryBytes, MADV_WIPEONFORK);
  }
  gcry_free(first);
}

// Parts of libgcrypt (numbers of X25519, the random generator) end the process when they get no memory, unless this
// answers that there is some now: what is kept for that is given back, and they ask again. Whoever asks next is told
// that there is none, and by then the job fails in words.
constexpr size_t kReserveBytes = 256 * 1024;  // above malloc's threshold for mmap, so that it goes back to the system
std::atomic<void*> reserve{nullptr};

int GiveReserve(void*, size_t, unsigned) {
  void* const kept = reserve.exchange(nullptr);
  if (kept == nullptr) return 0;
  std::free(kept);
  return 1;
}

int CipherOf(Algorithm algorithm) {
  return algorithm == Algorithm::kAes256Gcm ? GCRY_CIPHER_AES256 : GCRY_CIPHER_CHACHA20;
}

int ModeOf(Algorithm algorithm) {
  return algorithm == Algorithm::kAes256Gcm ? GCRY_CIPHER_MODE_GCM : GCRY_CIPHER_MODE_POLY1305;
}

struct CloseMac {
  void operator()(gcry_mac_hd_t handle) const noexcept { gcry_mac_close(handle); }
};

}  // namespace

std::string_view AlgorithmName(Algorithm algorithm) {
  return algorithm == Algorithm::kAes256Gcm ? "aes-256-gcm" : "chacha20-poly1305";
}

Status StartLibrary() {
  if (gcry_check_version("1.10.0") == nullptr) {
    return NotSupported(std::string("libgcrypt ") + gcry_check_version(nullptr) + " is too old")
        .Hint("1.10 or newer is needed");
  }
  // Where mlock is not allowed libgcrypt would write a warning to standard error, which is not the plugin's.
  gcry_control(GCRYCTL_DISABLE_SECMEM_WARN);
  gcry_control(GCRYCTL_INIT_SECMEM, kSecureMemoryBytes, 0);
  if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P) == 0) gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
  KeepPoolOutOfDumps();
  if (reserve.load() == nullptr) std::free(reserve.exchange(std::malloc(kReserveBytes)));
  gcry_set_outofcore_handler(GiveReserve, nullptr);
  return OkStatus();
}

void RandomBytes(MutableByteSpan out) { gcry_randomize(out.data(), out.size(), GCRY_STRONG_RANDOM); }

Status HmacSha256(ByteSpan key, std::initializer_list<ByteSpan> message, MutableByteSpan out) {
  gcry_mac_hd_t raw = nullptr;
  gcry_error_t opened = gcry_mac_open(&raw, GCRY_MAC_HMAC_SHA256, GCRY_MAC_FLAG_SECURE, nullptr);
  if (gcry_err_code(opened) == GPG_ERR_ENOMEM) opened = gcry_mac_open(&raw, GCRY_MAC_HMAC_SHA256, 0, nullptr);
  if (opened != 0) return LibraryFailure("HMAC", opened);
  const std::unique_ptr<std::remove_pointer_t<gcry_mac_hd_t>, CloseMac> handle(raw);
  if (const auto error = gcry_mac_setkey(raw, key.data(), key.size())) return LibraryFailure("HMAC", error);
  for (const ByteSpan piece : message) {
    if (piece.empty()) continue;
    if (const auto error = gcry_mac_write(raw, piece.data(), piece.size())) return LibraryFailure("HMAC", error);
  }
  size_t length = out.size();
  if (const auto error = gcry_mac_read(raw, out.data(), &length)) return LibraryFailure("HMAC", error);
  return OkStatus();
}

Result<SecretBytes> HkdfSha256(ByteSpan ikm, ByteSpan salt, std::initializer_list<ByteSpan> info) {
  static constexpr std::array<uint8_t, 32> kNoSalt{};
  WALRIG_ASSIGN(SecretBytes extracted, SecretBytes::New(kMacBytes));
  WALRIG_TRY(HmacSha256(salt.empty() ? ByteSpan(kNoSalt) : salt, {ikm}, extracted.span()));
  std::vector<uint8_t> message;
  for (const ByteSpan piece : info) message.insert(message.end(), piece.begin(), piece.end());
  message.push_back(1);
  WALRIG_ASSIGN(SecretBytes expanded, SecretBytes::New(kKeyBytes));
  WALRIG_TRY(HmacSha256(extracted.bytes(), {message}, expanded.span()));
  return expanded;
}

Result<SecretBytes> X25519(ByteSpan scalar, ByteSpan point) {
  WALRIG_ASSIGN(SecretBytes shared, SecretBytes::New(kKeyBytes));
  if (const auto error = gcry_ecc_mul_point(GCRY_ECC_CURVE25519, shared.data(), scalar.data(), point.data())) {
    return LibraryFailure("X25519", error);
  }
  const std::array<uint8_t, kKeyBytes> zero{};
  if (SameSecret(shared.bytes(), zero)) return Corruption("gcrypt: a public key of X25519 that is none");
  return shared;
}

Status X25519Public(ByteSpan scalar, MutableByteSpan out) {
  if (const auto error = gcry_ecc_mul_point(GCRY_ECC_CURVE25519, out.data(), scalar.data(), nullptr)) {
    return LibraryFailure("X25519", error);
  }
  return OkStatus();
}

void Aead::Close::operator()(gcry_cipher_handle* handle) const noexcept { gcry_cipher_close(handle); }

Result<Aead> Aead::New(Algorithm algorithm, ByteSpan key) {
  gcry_cipher_hd_t raw = nullptr;
  gcry_error_t error = gcry_cipher_open(&raw, CipherOf(algorithm), ModeOf(algorithm), GCRY_CIPHER_SECURE);
  // The locked pool has an end; its size is a guess of how many objects are open at once.
  if (gcry_err_code(error) == GPG_ERR_ENOMEM) error = gcry_cipher_open(&raw, CipherOf(algorithm), ModeOf(algorithm), 0);
  if (error != 0) return LibraryFailure(AlgorithmName(algorithm), error);
  Aead aead(raw);
  if (const auto bad = gcry_cipher_setkey(raw, key.data(), key.size())) return LibraryFailure(AlgorithmName(algorithm), bad);
  return aead;
}

Status Aead::Seal(const Nonce& nonce, ByteSpan plain, MutableByteSpan out) {
  gcry_cipher_hd_t handle = handle_.get();
  if (const auto error = gcry_cipher_setiv(handle, nonce.data(), nonce.size())) return LibraryFailure("nonce", error);
  gcry_cipher_final(handle);
  if (const auto error = plain.data() == out.data()
                             ? gcry_cipher_encrypt(handle, out.data(), plain.size(), nullptr, 0)
                             : gcry_cipher_encrypt(handle, out.data(), plain.size(), plain.data(), plain.size())) {
    return LibraryFailure("encrypt", error);
  }
  if (const auto error = gcry_cipher_gettag(handle, out.data() + plain.size(), kTagBytes)) return LibraryFailure("tag", error);
  return OkStatus();
}

Result<bool> Aead::Open(const Nonce& nonce, ByteSpan sealed, MutableByteSpan out) {
  gcry_cipher_hd_t handle = handle_.get();
  if (const auto error = gcry_cipher_setiv(handle, nonce.data(), nonce.size())) return LibraryFailure("nonce", error);
  gcry_cipher_final(handle);
  if (const auto error = sealed.data() == out.data()
                             ? gcry_cipher_decrypt(handle, out.data(), out.size(), nullptr, 0)
                             : gcry_cipher_decrypt(handle, out.data(), out.size(), sealed.data(), out.size())) {
    return LibraryFailure("decrypt", error);
  }
  const auto error = gcry_cipher_checktag(handle, sealed.data() + out.size(), kTagBytes);
  if (error == 0) return true;
  // Nothing that was not proven may be left where a caller could take it for plaintext.
  Wipe(out);
  if (gcry_err_code(error) == GPG_ERR_CHECKSUM) return false;
  return LibraryFailure("tag", error);
}

}  // namespace walrig::gcrypt
