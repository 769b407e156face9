// KeyTool: what `walrig key` does to the text of a key ring. Files are the caller's.
// THREADS: any.
#pragma once

#include <string>
#include <string_view>

#include "plugins/cipher/gcrypt/key_ring.h"
#include "walrig/cipher.h"

namespace walrig::gcrypt {

// As Cipher::EditKeys. `now` is RFC 3339.
Result<SecretBytes> EditKeys(KeyVerb verb, std::string_view argument, ByteSpan ring, std::string now);

}  // namespace walrig::gcrypt
