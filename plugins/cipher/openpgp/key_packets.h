// KeyPackets: the configured keys as packets, and a list of them, made before librnp sees any.
//
// librnp skips keys whose version or algorithm it does not know without a word, and refuses a file for a blank line
// between two armored keys. Here every armored block and every packet is looked at, whatever it holds, so that a key
// that is not used can be named. Nothing is verified or decrypted; the input may be damaged or hostile. RFC 4880 and
// 9580; version 5 of keys is that of GnuPG 2.4 and draft-koch-librepgp.
//
// OWNS: the packets, in SecretBytes. THREADS: a function without state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/common/key/secret_bytes.h"
#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig::openpgp {

struct PrimaryKey {
  uint8_t version = 0;
  uint8_t algorithm = 0;
  bool secret = false;
  ByteSpan body;     // of its packet, the secret part included; a view into KeyPackets::bytes
  std::string user;  // the first user id, cut and without control bytes; may be empty
};

struct KeyPackets {
  SecretBytes bytes;             // the packets of keys, binary, one after the other
  std::vector<PrimaryKey> keys;  // in their order; a key that stands there twice is there twice
  std::string damage;            // what of the text could not be read, as a clause; empty when all of it was
};

// `text`: binary packets, or armored blocks with any text between them. What cannot be read is left out and told in
// `damage`. FAILS WITH: kNoMemory.
Result<KeyPackets> ReadKeyPackets(ByteSpan text);

}  // namespace walrig::openpgp
