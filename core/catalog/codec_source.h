// CodecProvider: where a job gets the machine for an object it found in a storage.
//
// A reader does not choose the compressor: the extension of each object's name does. The cipher is one for the whole
// storage, since nothing in a WAL-G object tells which was used.
//
// OWNS: the implementation (cli/wiring) owns what it hands out; pointers live as long as the provider.
// THREADS: all methods may be called from any thread at once.
#pragma once

#include <string_view>

#include "walrig/cipher.h"
#include "walrig/compressor.h"
#include "walrig/context.h"

namespace walrig {

class CodecProvider {
 public:
  virtual ~CodecProvider() = default;
  // The compressor that decodes objects whose names end in ".<ext>"; nullptr for "" (stored as it is).
  // FAILS WITH: kNotSupported when no plugin knows the extension (the message names it, the hint the package), or
  // whatever loading that plugin fails with.
  virtual Result<Compressor*> ForExtension(const Context& ctx, std::string_view ext) = 0;
  // The configured cipher, or nullptr when none is.
  virtual Cipher* cipher() = 0;
  // Whether objects that are not encrypted may be read although there is a cipher (WALRIG_ALLOW_PLAINTEXT).
  virtual bool plaintext_allowed() const { return false; }
  // Whether a backup without a seal is refused (WALRIG_REQUIRE_SEAL).
  virtual bool seal_required() const { return false; }
};

}  // namespace walrig
