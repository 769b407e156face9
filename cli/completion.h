// Completion: scripts for bash, zsh and fish, from the table of commands.
//
// THREADS: any; pure functions.
#pragma once

#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig {

// FAILS WITH: kInvalidArgument for another shell.
Result<std::string> CompletionScript(std::string_view shell);

}  // namespace walrig
