// The door of compressor-lzo.so, which only reads.
#include "plugins/common/basic_compressor.h"
#include "plugins/compressor/lzo/decoder.h"
#include "walrig/export.h"

namespace {

using walrig::Compressor;
using walrig::Context;
using walrig::Result;
namespace sdk = walrig::sdk;

Result<std::unique_ptr<Compressor>> Create(const Context&, const sdk::ConfigReader&) {
  walrig::CompressorParts parts;
  parts.traits = {.name = "lzo", .extension = "lzo", .encode = false, .concatenable = true};
  parts.decoder = [] { return walrig::lzo::NewDecoder(); };
  parts.decoder_memory_bytes = walrig::lzo::kDecoderMemoryBytes;
  return std::unique_ptr<Compressor>(std::make_unique<walrig::BasicCompressor>(std::move(parts)));
}

constexpr const char* kExtensions[] = {"lzo", nullptr};
constexpr walrig_factory kLzo = sdk::CompressorFactory<Create>(
    {.name = "lzo", .extensions = kExtensions, .description = "lzop containers of WAL-E, read only"},
    WALRIG_CAP_TF_DECODE | WALRIG_CAP_TF_CONCATENABLE);

}  // namespace

WALRIG_EXPORT_PLUGIN("org.walrig.compressor-lzo", WALRIG_PLUGIN_VERSION, "Apache-2.0", "compressor:lzo",
                     "Reads lzop containers", &kLzo);
