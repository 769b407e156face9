// KeySource: where a key stands, and the reading of it: a value that the host handed over, a file, a variable of the
// environment, a systemd credential, or what a command prints.
//
// Nothing is interpreted: the bytes come back as they are, also a line end at their end. What they went through on the way
// is zeroed.
//
// THREADS: any; reading blocks. A command may run as long as `ctx` allows, at most KeySource::command_timeout_ms.
#pragma once

#include <cstdint>
#include <string>

#include "plugins/common/key/secret_bytes.h"
#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/sdk/config_reader.h"

namespace walrig {

// The first that is not empty counts; `what` ("the key of cipher gcrypt") and the options' names are for messages.
struct KeySource {
  std::string what = "the key";
  // From ConfigReader::SecretOf; empty for none.
  sdk::Secret value;
  // A path. A file that everybody may read draws a warning through ctx.log.
  std::string file;
  // The name of a variable of the environment.
  std::string environment;
  // The name of a file in $CREDENTIALS_DIRECTORY (systemd's LoadCredential=).
  std::string credential;
  // For /bin/sh -c; what it prints on standard output is the key. Its environment lacks the variables that hold keys of
  // walrig's ciphers.
  std::string command;
  uint32_t command_timeout_ms = 30'000;

  bool empty() const {
    return value.bytes().empty() && file.empty() && environment.empty() && credential.empty() && command.empty();
  }
};

// FAILS WITH: kConfig (nothing is named; there is no such variable or credential; the command failed; the key is empty),
// kNotFound never: a missing key file is kConfig too, so that no caller takes it for a missing object; kPermission,
// kIoError (a file that cannot be read), kTooLarge (more than `max_bytes`), kCancelled, kTimeout. No message holds a byte
// of the key.
Result<SecretBytes> ReadKey(const Context& ctx, const KeySource& source, size_t max_bytes = 64 * 1024);

// One file, by the same rules.
Result<SecretBytes> ReadKeyFile(const Context& ctx, const std::string& what, const std::string& path,
                                size_t max_bytes = 64 * 1024);

}  // namespace walrig
