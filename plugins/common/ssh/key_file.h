// KeyFile: a private key's text and what can be told of it without the passphrase.
//
// THREADS: a value.
#pragma once

#include <string>
#include <string_view>

#include "walrig/result.h"
#include "walrig/sdk/config_reader.h"

namespace walrig::ssh {

enum class KeyKind { kUnknown, kEd25519, kEcdsa, kRsa, kDsa, kOther };

struct KeyFile {
  sdk::Secret text;
  KeyKind kind = KeyKind::kUnknown;
  bool encrypted = false;
};

// What the text of a private key says of itself: OpenSSH's own format, PKCS#8 or one of the old PEM ones. A key that
// cannot be told is kUnknown, not an error.
KeyKind KindOfKey(std::string_view text, bool* encrypted);

// FAILS WITH: kConfig when the file cannot be read, is larger than 64 KiB or is a public key.
Result<KeyFile> ReadKeyFile(const std::string& path);

// A small file that holds one secret; a newline at its end is not a part of it. FAILS WITH: kConfig.
Result<sdk::Secret> ReadSecretFile(const std::string& path);

}  // namespace walrig::ssh
