// Sealer: plain bytes to an OpenPGP message for all keys of the ring: session keys, then one packet of AES-256 with
// integrity protection (SEIPD version 1), in it one literal packet, neither compressed nor signed. kFlush gives nothing
// more than kRun. THREADS: one at a time; it runs a thread of its own in lockstep, see library_thread.h.
#pragma once

#include <memory>

#include "plugins/cipher/openpgp/key_ring.h"
#include "walrig/transform.h"

namespace walrig::openpgp {

Result<std::unique_ptr<Transform>> NewSealer(std::shared_ptr<KeyRings> rings);

}  // namespace walrig::openpgp
