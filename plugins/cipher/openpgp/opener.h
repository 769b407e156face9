// Opener: an OpenPGP message back to plain bytes.
//
// The check of integrity (MDC) stands at the end of a message, and it covers all of it. So up to `hold_back_bytes` of
// plain bytes are kept until the check has held: an object that is not larger gives nothing before that. Of a larger
// one bytes are given out that are not yet checked, and a failed check is an error at the end (kCorruption): whoever
// uses the machine must make nothing visible before kEnd. The last hold_back_bytes at most are never given when it
// fails.
//
// THREADS: one at a time; it runs a thread of its own in lockstep, see library_thread.h.
#pragma once

#include <memory>

#include "plugins/cipher/openpgp/key_ring.h"
#include "walrig/transform.h"

namespace walrig::openpgp {

Result<std::unique_ptr<Transform>> NewOpener(std::shared_ptr<KeyRings> rings, size_t hold_back_bytes);

}  // namespace walrig::openpgp
