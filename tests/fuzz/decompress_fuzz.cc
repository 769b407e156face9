// Any bytes to a decompressor, through its plugin's .so and the C ABI. WALRIG_FUZZ_PLUGIN names it: "compressor-xz:lzma".
//
// A decoder keeps the rules of sdk/include/walrig/abi/transform.h whatever the input: it makes progress, stays within
// its buffers, ends with a code and words. In which pieces the bytes come and go does not change what comes out.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "tests/fuzz/fuzz_support.h"
#include "tests/support/abi_plugin.h"

namespace walrig::fuzz {
namespace {

// Enough for any seed; what would be more is a bomb, which the pipeline's own limits answer.
constexpr size_t kOutputBytesMax = 1u << 20;

testing::AbiPlugin& Plugin() {
  static testing::AbiPlugin* plugin = [] {
    const char* spec = std::getenv("WALRIG_FUZZ_PLUGIN");
    WALRIG_ASSERT(spec != nullptr && std::strchr(spec, ':') != nullptr);
    const std::string text = spec;
    const size_t colon = text.find(':');
    auto* made = new testing::AbiPlugin(text.substr(0, colon), text.substr(colon + 1));
    WALRIG_ASSERT(made->create_status().ok());
    return made;
  }();
  return *plugin;
}

struct Outcome {
  std::string bytes;
  bool cut = false;  // more was to come than we wanted
  Status end;
};

class Driver {
 public:
  Driver(const walrig_transform_v1& table, void* stream, ByteSpan input, Random choices, bool in_pieces)
      : table_(table), stream_(stream), input_(input), choices_(choices), in_pieces_(in_pieces) {}

  Outcome Run() {
    Outcome outcome;
    piece_ = NextPiece();
    while (true) {
      const std::optional<Status> end = Step(outcome);
      if (end.has_value()) {
        outcome.end = *end;
        return outcome;
      }
      if (outcome.bytes.size() > kOutputBytesMax) {
        outcome.cut = true;
        return outcome;
      }
    }
  }

 private:
  size_t NextPiece() {
    const size_t left = input_.size() - at_;
    if (!in_pieces_) return left;
    // Mostly small, sometimes nothing: both are allowed.
    return std::min<size_t>(left, choices_.Below(choices_.Below(4) == 0 ? 4096 : 24));
  }

  // One call. A status when the stream ended, well or not.
  std::optional<Status> Step(Outcome& outcome) {
    const size_t room = in_pieces_ ? 1 + choices_.Below(choices_.Below(4) == 0 ? 4096 : 24) : 256 * 1024;
    // Of exactly the size that is told, so that AddressSanitizer sees a step beyond it.
    const std::unique_ptr<uint8_t[]> in(new uint8_t[piece_]);
    if (piece_ > 0) std::memcpy(in.get(), input_.data() + at_, piece_);
    const std::unique_ptr<uint8_t[]> out(new uint8_t[room]);
    const bool last = at_ + piece_ == input_.size();
    walrig_io io{};
    io.struct_size = sizeof io;
    io.directive = last ? WALRIG_FINISH : WALRIG_RUN;
    io.in = in.get();
    io.in_len = piece_;
    io.out = out.get();
    io.out_cap = room;
    walrig_error error = testing::AbiPlugin::NewError();
    const walrig_status code = table_.process(stream_, &io, &error);
    if (code < 0) {
      WALRIG_ASSERT(std::memchr(error.message, '\0', sizeof error.message) != nullptr);
      Status status = FromAbi(code, error);
      CheckMessage(status);
      return status;
    }
    WALRIG_ASSERT(code == WALRIG_END || code == WALRIG_NEED_INPUT || code == WALRIG_NEED_OUTPUT);
    WALRIG_ASSERT(io.in_used <= piece_ && io.out_used <= room);
    outcome.bytes.append(reinterpret_cast<const char*>(out.get()), io.out_used);
    at_ += io.in_used;
    piece_ -= io.in_used;
    if (code == WALRIG_END) {
      WALRIG_ASSERT(last && piece_ == 0);
      return OkStatus();
    }
    if (code == WALRIG_NEED_INPUT) {
      WALRIG_ASSERT(piece_ == 0 && !last);
      piece_ = NextPiece();
      return std::nullopt;
    }
    // Room was there, and so was input or the end of it: something must have moved.
    WALRIG_ASSERT(io.out_used > 0 || io.in_used > 0);
    return std::nullopt;
  }

  const walrig_transform_v1& table_;
  void* stream_;
  ByteSpan input_;
  Random choices_;
  bool in_pieces_;
  size_t at_ = 0, piece_ = 0;
};

// libzstd (1.5.4) has another reader for frames that come in one piece. The two disagree on blocks of no bytes, some of
// which one takes and some the other, and only one needs the window: the verdict may differ, the bytes may not.
bool JudgesByPieces() { return std::string_view(Plugin().factory().name) == "zstd"; }

void* Open() {
  void* stream = nullptr;
  walrig_error error = testing::AbiPlugin::NewError();
  WALRIG_ASSERT(Plugin().transform().open(Plugin().self(), WALRIG_DECODE, &stream, &error) == WALRIG_OK);
  return stream;
}

}  // namespace
}  // namespace walrig::fuzz

// Before the first input, so that the plugin's own coverage counts.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  (void)walrig::fuzz::Plugin();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  using namespace walrig::fuzz;
  const ByteSpan input(data, size_bytes);
  const walrig_transform_v1& table = Plugin().transform();
  void* stream = Open();
  const Outcome whole = Driver(table, stream, input, ChoicesFor(input), false).Run();
  // A stream that was used, and perhaps failed, is as a new one after reset.
  walrig_error error = walrig::testing::AbiPlugin::NewError();
  if (table.reset(stream, &error) != WALRIG_OK) {
    table.close(stream);
    stream = Open();
  }
  const Outcome pieces = Driver(table, stream, input, ChoicesFor(input), true).Run();
  table.close(stream);

  const size_t both = std::min(whole.bytes.size(), pieces.bytes.size());
  WALRIG_ASSERT(std::memcmp(whole.bytes.data(), pieces.bytes.data(), both) == 0);
  if (whole.cut || pieces.cut) return 0;
  WALRIG_ASSERT(whole.end.ok() == pieces.end.ok() || JudgesByPieces());
  if (whole.end.ok() && pieces.end.ok()) WALRIG_ASSERT(whole.bytes.size() == pieces.bytes.size());
  return 0;
}
