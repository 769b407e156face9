// What a restored server's configuration says that the restore could not make true.
//
// THREADS: a function without state.
#pragma once

#include <string>

#include "walrig/context.h"

namespace walrig {

// Tells that `target` has no postgresql.conf, or one whose data_directory is another place: a server that is started with
// `target` would run there. Only the file itself is read, not what it includes.
void TellOfConfiguration(const Context& ctx, const std::string& target);

}  // namespace walrig
