// Any bytes to the opener of a cipher, through its plugin's .so and the C ABI. WALRIG_FUZZ_PLUGIN names it,
// "cipher-openpgp:openpgp"; WALRIG_FUZZ_KEY is its key file.
//
// The opener keeps the rules of the ABI, ends with a code and words, and gives the same verdict however the bytes come.
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "tests/fuzz/fuzz_support.h"
#include "tests/support/abi_plugin.h"

namespace walrig::fuzz {
namespace {

testing::AbiPlugin& Plugin() {
  static testing::AbiPlugin* plugin = [] {
    const char* spec = std::getenv("WALRIG_FUZZ_PLUGIN");
    const char* key = std::getenv("WALRIG_FUZZ_KEY");
    WALRIG_ASSERT(spec != nullptr && key != nullptr && std::strchr(spec, ':') != nullptr);
    const std::string text = spec;
    const size_t colon = text.find(':');
    std::map<std::string, std::string> options = {{"key_path", key}};
    // More than an input: what comes out has been checked.
    if (text.substr(colon + 1) == "openpgp") options["hold_back"] = "4194304";
    auto* made = new testing::AbiPlugin(text.substr(0, colon), text.substr(colon + 1), options);
    WALRIG_ASSERT(made->create_status().ok());
    return made;
  }();
  return *plugin;
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
  const ByteSpan input(data, size_bytes);
  Random choices = fuzz::ChoicesFor(input);
  const walrig::testing::Steps pieces{.in_bytes = 1 + static_cast<size_t>(choices.Next() % 61),
                                      .out_bytes = 1 + static_cast<size_t>(choices.Next() % 61)};
  const walrig::testing::AbiResult whole = fuzz::Plugin().Transform(WALRIG_DECODE, AsText(input));
  const walrig::testing::AbiResult split = fuzz::Plugin().Transform(WALRIG_DECODE, AsText(input), pieces);
  WALRIG_ASSERT(whole.code() != Code::kInternal && whole.ok() == split.ok());
  if (!whole.ok()) fuzz::CheckMessage(whole.status);
  if (whole.ok()) WALRIG_ASSERT(whole.bytes == split.bytes);
  return 0;
}
