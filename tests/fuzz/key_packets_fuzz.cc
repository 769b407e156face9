// The packets of OpenPGP keys, from a file that somebody else wrote.
#include "plugins/cipher/openpgp/key_packets.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walrig;
  const Result<openpgp::KeyPackets> packets = openpgp::ReadKeyPackets({data, size});
  fuzz::Check(packets.ok());
  const ByteSpan bytes = packets->bytes.bytes();
  fuzz::Check(bytes.size() <= size);
  for (const openpgp::PrimaryKey& key : packets->keys) {
    fuzz::Check(key.body.data() >= bytes.data() && key.body.data() + key.body.size() <= bytes.data() + bytes.size());
    fuzz::Check(key.body.empty() || key.version == key.body[0]);
  }
  // What was kept is whole, and the same when it is read again.
  if (bytes.empty()) return 0;
  const Result<openpgp::KeyPackets> again = openpgp::ReadKeyPackets(bytes);
  fuzz::Check(again.ok() && again->damage.empty() && again->keys.size() == packets->keys.size());
  fuzz::Check(AsText(again->bytes.bytes()) == AsText(bytes));
  return 0;
}
