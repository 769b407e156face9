// LibsodiumKey: from the text of a setting or file to the 32 bytes that WAL-G makes of it.
//
// THREADS: functions without state.
#pragma once

#include <cstddef>
#include <string_view>

#include "plugins/common/key/secret_bytes.h"
#include "walrig/result.h"

namespace walrig::libsodium {

inline constexpr size_t kKeyBytes = 32;
// WAL-G refuses shorter ones when nothing is decoded, and fills up longer ones with zeros.
inline constexpr size_t kRawKeyBytesMin = 25;

enum class KeyTransform { kNone, kHex, kBase64 };

// kNone: the text itself, filled up with zero bytes to 32 or cut after 32. kHex, kBase64: decoded, exactly 32 bytes.
// FAILS WITH: kConfig; the message tells lengths, never the text.
Result<SecretBytes> DeriveKey(std::string_view text, KeyTransform transform);

}  // namespace walrig::libsodium
