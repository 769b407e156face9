// WAL-G's framing of crypto_secretstream_xchacha20poly1305, and what sealer and opener share.
//
// An object is the header of the stream (24 bytes), then messages of 8192 plain bytes each with the tag MESSAGE, then
// one message of 0 to 8191 bytes with the tag FINAL; a message is 17 bytes longer than its plain bytes. So the last
// message is always a short one, and an object that lacks it was cut.
//
// OWNS: a StreamState owns pages of libsodium's guarded heap: locked where that is allowed, zeroed when they go.
// THREADS: one at a time.
#pragma once

#include <sodium.h>

#include <cstddef>
#include <memory>

#include "walrig/result.h"

namespace walrig::libsodium {

inline constexpr size_t kPlainBytes = 8192;
inline constexpr size_t kHeaderBytes = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
inline constexpr size_t kOverheadBytes = crypto_secretstream_xchacha20poly1305_ABYTES;
inline constexpr size_t kSealedBytes = kPlainBytes + kOverheadBytes;
// Two buffers of a message, and the guarded pages of a state.
inline constexpr uint64_t kMachineBytes = 64 * 1024;

struct FreeState {
  void operator()(crypto_secretstream_xchacha20poly1305_state* state) const noexcept { sodium_free(state); }
};
using StreamState = std::unique_ptr<crypto_secretstream_xchacha20poly1305_state, FreeState>;

inline Result<StreamState> NewState() {
  StreamState state(static_cast<crypto_secretstream_xchacha20poly1305_state*>(
      sodium_malloc(sizeof(crypto_secretstream_xchacha20poly1305_state))));
  if (state == nullptr) return OutOfMemory("libsodium");
  return state;
}

}  // namespace walrig::libsodium
