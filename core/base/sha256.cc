// SHA-256 by libgcrypt, which is mapped when the first digest is wanted.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/checksum.h"
#include "core/base/fd.h"
#include "core/base/lazy_library.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

// The part of libgcrypt's ABI (soname 20, unchanged since 1.6) that is used here; declared so that building walrig
// does not need the library's headers.
constexpr int kMdSha256 = 8;
constexpr unsigned kGpgErrorCode = 0xFFFF;            // of an error: the rest is who says it
constexpr unsigned kGpgNoMemory = 0x8000 | 86;        // GPG_ERR_ENOMEM
constexpr int kCtlInitializationFinished = 38;
constexpr int kCtlInitializationFinishedP = 39;

struct Gcrypt {
  const char* (*check_version)(const char* wanted) = nullptr;
  unsigned (*control)(int command, ...) = nullptr;
  unsigned (*md_open)(void** handle, int algorithm, unsigned flags) = nullptr;
  void (*md_write)(void* handle, const void* bytes, size_t size) = nullptr;
  unsigned char* (*md_read)(void* handle, int algorithm) = nullptr;
  void (*md_close)(void* handle) = nullptr;
};

Result<Gcrypt> LoadGcrypt() {
  // Never destroyed: digests may be taken until the last moment of the process.
  static LazyLibrary& library = *new LazyLibrary({"libgcrypt.so.20", "libgcrypt20", "to take SHA-256 digests"});
  Gcrypt gcrypt;
  WALRIG_TRY(library.Bind(gcrypt.check_version, "gcry_check_version"));
  WALRIG_TRY(library.Bind(gcrypt.control, "gcry_control"));
  WALRIG_TRY(library.Bind(gcrypt.md_open, "gcry_md_open"));
  WALRIG_TRY(library.Bind(gcrypt.md_write, "gcry_md_write"));
  WALRIG_TRY(library.Bind(gcrypt.md_read, "gcry_md_read"));
  WALRIG_TRY(library.Bind(gcrypt.md_close, "gcry_md_close"));
  // A plugin's library may have been first; then the rest is done, and must not be done again.
  if (gcrypt.control(kCtlInitializationFinishedP) != 0) return gcrypt;
  if (gcrypt.check_version(nullptr) == nullptr) return Internal("libgcrypt does not start");
  // Its locked memory is not switched off: a cipher plugin that comes later puts its keys there.
  gcrypt.control(kCtlInitializationFinished, 0);
  return gcrypt;
}

const Result<Gcrypt>& GcryptOnce() {
  static const Result<Gcrypt> gcrypt = LoadGcrypt();
  return gcrypt;
}

}  // namespace

struct Sha256::State {
  const Gcrypt* gcrypt = nullptr;
  void* handle = nullptr;
  bool ended = false;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (handle != nullptr) gcrypt->md_close(handle);
  }
};

Sha256::Sha256(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

Result<Sha256> Sha256::New() {
  const Result<Gcrypt>& gcrypt = GcryptOnce();
  if (!gcrypt.ok()) return gcrypt.status();
  auto state = std::make_unique<State>();
  state->gcrypt = &*gcrypt;
  const auto error = state->gcrypt->md_open(&state->handle, kMdSha256, 0);
  if ((error & kGpgErrorCode) == kGpgNoMemory) return OutOfMemory("libgcrypt");
  if (error != 0) return NotSupported("libgcrypt refuses SHA-256");
  return Sha256(std::move(state));
}

void Sha256::Update(ByteSpan bytes) {
  WALRIG_ASSERT(!state_->ended);
  state_->gcrypt->md_write(state_->handle, bytes.data(), bytes.size());
}

std::array<uint8_t, 32> Sha256::Digest() {
  state_->ended = true;
  const unsigned char* digest = state_->gcrypt->md_read(state_->handle, kMdSha256);
  WALRIG_ASSERT(digest != nullptr);
  std::array<uint8_t, 32> copy = {};
  std::copy_n(digest, copy.size(), copy.begin());
  return copy;
}

std::string Sha256::Hex() { return HexEncode(Digest()); }

Result<std::string> Sha256File(const std::string& path) {
  WALRIG_ASSIGN(Sha256 sha, Sha256::New());
  WALRIG_ASSIGN(Fd fd, OpenFd(path, O_RDONLY));
  Buffer buffer(kIoBufferBytes);
  for (;;) {
    WALRIG_ASSIGN(size_t n, ReadSome(fd.get(), buffer.span(), fmt::format("read {}", path)));
    if (n == 0) return sha.Hex();
    sha.Update(buffer.first(n));
  }
}

}  // namespace walrig
