// The start of libssh2, once per process, when the first connection is made and not at load.
//
// THREADS: any.
#pragma once

#include "walrig/status.h"

namespace walrig::ssh {

Status StartLibrary();

}  // namespace walrig::ssh
