// Codec: which compressor and which cipher stand between plain bytes and a stored object.
//
// plain -> compressor -> cipher -> storage; either may be missing. Borrowed pointers: both must outlive whatever is
// made with the codec. THREADS: a value.
#pragma once

#include <string>

#include "walrig/cipher.h"
#include "walrig/compressor.h"

namespace walrig {

struct Codec {
  Compressor* compressor = nullptr;  // null: none
  Cipher* cipher = nullptr;          // null: none
  // Reading: an object that was not encrypted is taken although there is a cipher. What it holds is not proven then.
  bool plaintext_allowed = false;

  // Of object names, without the dot; "" without a compressor. A cipher has no extension, as in WAL-G.
  std::string Extension() const { return compressor != nullptr ? compressor->traits().extension : std::string(); }
  // What is appended to an object's name: ".zst", or "" without a compressor.
  std::string Suffix() const {
    const std::string extension = Extension();
    return extension.empty() ? extension : "." + extension;
  }
};

}  // namespace walrig
