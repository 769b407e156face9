#include "plugins/cipher/gcrypt/kdf.h"

#include <gcrypt.h>

#include <memory>
#include <string>
#include <type_traits>

#include "plugins/cipher/gcrypt/library.h"

namespace walrig::gcrypt {
namespace {

Status Failure(std::string_view what, gpg_error_t error) {
  if (gcry_err_code(error) == GPG_ERR_ENOMEM) return OutOfMemory("libgcrypt");
  return Internal("libgcrypt: " + std::string(what) + ": " + gcry_strerror(error));
}

struct CloseKdf {
  void operator()(gcry_kdf_hd_t handle) const noexcept { gcry_kdf_close(handle); }
};

Status Argon2id(ByteSpan passphrase, const KdfParameters& p, MutableByteSpan out) {
  const unsigned long numbers[4] = {out.size(), p.cost, p.memory_kib, p.lanes};
  gcry_kdf_hd_t raw = nullptr;
  if (const auto error = gcry_kdf_open(&raw, GCRY_KDF_ARGON2, GCRY_KDF_ARGON2ID, numbers, 4, passphrase.data(),
                                       passphrase.size(), p.salt.data(), p.salt.size(), nullptr, 0, nullptr, 0)) {
    return Failure("Argon2id", error);
  }
  const std::unique_ptr<std::remove_pointer_t<gcry_kdf_hd_t>, CloseKdf> handle(raw);
  // Without a dispatcher the lanes are computed one after another, by this thread.
  if (const auto error = gcry_kdf_compute(raw, nullptr)) return Failure("Argon2id", error);
  if (const auto error = gcry_kdf_final(raw, out.size(), out.data())) return Failure("Argon2id", error);
  return OkStatus();
}

// libgcrypt's scrypt has N as sub-algorithm, p as iterations and a fixed r of 8.
Status Scrypt(ByteSpan passphrase, const KdfParameters& p, MutableByteSpan out) {
  if (const auto error = gcry_kdf_derive(passphrase.data(), passphrase.size(), GCRY_KDF_SCRYPT, 1 << p.cost,
                                         p.salt.data(), p.salt.size(), p.lanes, out.size(), out.data())) {
    return Failure("scrypt", error);
  }
  return OkStatus();
}

}  // namespace

KdfParameters NewKdfParameters(KdfKind kind) {
  KdfParameters parameters;
  parameters.kind = kind;
  if (kind == KdfKind::kScrypt) {
    parameters.block = 8;
    parameters.cost = 16;
    parameters.memory_kib = 0;
  }
  RandomBytes(parameters.salt);
  return parameters;
}

Status CheckKdfParameters(const KdfParameters& p) {
  const Status bad = Corruption("gcrypt: parameters of a passphrase that are none, or larger than is taken");
  if (p.lanes < 1 || p.lanes > 16) return bad;
  if (p.kind == KdfKind::kArgon2id) {
    const bool fits = p.block == 0 && p.cost >= 1 && p.memory_kib >= 8u * p.lanes && p.memory_kib <= kMemoryKibMax &&
                      KdfWork(p) <= kWorkMax;
    return fits ? OkStatus() : bad;
  }
  if (p.kind != KdfKind::kScrypt || p.block != 8 || p.memory_kib != 0 || p.cost < 1 || p.cost > 20) return bad;
  return KdfWork(p) / p.lanes <= kMemoryKibMax && KdfWork(p) <= kWorkMax ? OkStatus() : bad;
}

uint64_t KdfWork(const KdfParameters& p) {
  if (p.kind == KdfKind::kArgon2id) return uint64_t{p.memory_kib} * p.cost;
  return (uint64_t{1} << p.cost) * p.lanes;  // 128 bytes times r of 8, times N, is N KiB
}

Result<SecretBytes> DeriveKey(ByteSpan passphrase, const KdfParameters& parameters) {
  WALRIG_TRY(CheckKdfParameters(parameters));
  WALRIG_ASSIGN(SecretBytes key, SecretBytes::New(kKeyBytes));
  WALRIG_TRY(parameters.kind == KdfKind::kArgon2id ? Argon2id(passphrase, parameters, key.span())
                                                   : Scrypt(passphrase, parameters, key.span()));
  return key;
}

}  // namespace walrig::gcrypt
