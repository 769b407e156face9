// RunKeyCommand: a key from the standard output of a command. Internal to this room.
//
// The shell is started by posix_spawn: the process has threads, and a fork would carry its memory into the child. The
// child's environment lacks the variables that hold keys of ciphers; standard error stays where it is, so that the
// command's own complaints are seen. When time is up or a stop is asked for, the whole process group ends.
//
// THREADS: any.
#pragma once

#include <cstdint>
#include <string>

#include "plugins/common/key/secret_bytes.h"
#include "walrig/context.h"

namespace walrig {

struct KeyCommand {
  std::string what;
  std::string command;
  uint32_t timeout_ms = 0;
  size_t max_bytes = 0;
};

// FAILS WITH: as ReadKey.
Result<SecretBytes> RunKeyCommand(const Context& ctx, const KeyCommand& command);

}  // namespace walrig
