// Any bytes as a shared object, and as the text of a plugin's note. What is read is bounded by what is there.
#include <algorithm>
#include <cstring>
#include <string>

#include "core/plugin/elf_note.h"
#include "tests/fuzz/fuzz_support.h"

namespace walrig::fuzz {
namespace {

// Counts what is asked for: a claim of the file must not make us read, or allocate, without a bound.
class CountingReader final : public RandomReader {
 public:
  explicit CountingReader(ByteSpan bytes) : bytes_(bytes) {}
  Result<size_t> ReadAt(uint64_t offset, MutableByteSpan out) override {
    asked_bytes_ += out.size();
    WALRIG_ASSERT(asked_bytes_ <= kAskedBytesMax);
    if (offset >= bytes_.size() || out.empty()) return size_t{0};
    const size_t count = std::min(out.size(), bytes_.size() - static_cast<size_t>(offset));
    std::memcpy(out.data(), bytes_.data() + offset, count);
    return count;
  }

 private:
  static constexpr uint64_t kAskedBytesMax = 16u << 20;
  ByteSpan bytes_;
  uint64_t asked_bytes_ = 0;
};

void CheckNote(const PluginNote& note) {
  WALRIG_ASSERT(!note.id.empty() && !note.version.empty());
  for (const auto& [kind, name] : note.provides) WALRIG_ASSERT(note.Provides(kind, name));
}

}  // namespace
}  // namespace walrig::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  using namespace walrig::fuzz;
  const ByteSpan input(data, size_bytes);
  const auto info = ParseElf(input);
  if (!info.ok()) CheckMessage(info.status());
  if (info.ok()) {
    (void)IsHostElf(*info);
    if (info->note.has_value()) CheckNote(*info->note);
    size_t texts = info->soname.size() + info->rpath.size() + info->runpath.size() + info->build_id.size() / 2;
    WALRIG_ASSERT(texts <= 4 * size_bytes);
  }
  CountingReader reader(input);
  WALRIG_ASSERT(ParseElf(reader).ok() == info.ok());

  const auto note = ParsePluginNote(AsText(input));
  if (note.ok()) CheckNote(*note);
  if (!note.ok()) CheckMessage(note.status());
  return 0;
}
