// The header, the key slots and the stream of cipher gcrypt, from bytes that somebody else wrote; and the key ring.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "plugins/cipher/gcrypt/opener.h"
#include "plugins/cipher/gcrypt/sealer.h"

namespace {

using namespace walrig;
using namespace walrig::gcrypt;

Keys* FixedKeys() {
  if (!StartLibrary().ok()) std::abort();
  std::array<uint8_t, 32> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(64 + i);
  auto ring = KeyRing::Parse(AsText(bytes), "fuzz");
  if (!ring.ok()) std::abort();
  return new Keys(std::move(*ring), SecretBytes());
}

void Run(Transform& machine, ByteSpan in) {
  uint8_t room[777];
  for (size_t step = 0; step < 100'000; ++step) {
    const ByteSpan part = in.first(std::min<size_t>(in.size(), 301));
    TransformIo io{.in = part, .out = room};
    const auto progress = machine.Process(io, part.size() == in.size() ? Directive::kFinish : Directive::kRun);
    if (!progress.ok() || *progress == Progress::kEnd) return;
    if (io.in_used > part.size() || io.out_used > sizeof room) std::abort();
    in = in.subspan(io.in_used);
  }
  std::abort();  // no end
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Keys* const keys = FixedKeys();
  const ByteSpan bytes{data, size};
  // A header that is taken is written again byte for byte.
  if (const auto header = ParseHeader(bytes); header.ok()) {
    const auto again = FormatHeader(*header);
    if (again.size() + kMacBytes != size || !std::equal(again.begin(), again.end(), data)) std::abort();
  }
  if (const auto ring = KeyRing::Parse(AsText(bytes), "fuzz"); ring.ok() && !ring->keys().empty()) {
    const auto text = ring->Format();
    if (!text.ok() || !KeyRing::Parse(text->text(), "fuzz").ok()) std::abort();
  }
  Run(*NewOpener(*keys), bytes);
  SealedRange range;
  if (const auto part = NewRangeOpener(*keys, bytes, size / 2, 5000, &range); part.ok()) {
    if (range.offset < size) Run(**part, bytes.subspan(static_cast<size_t>(range.offset)));
  }
  return 0;
}
