// The door of compressor-brotli.so.
#include "plugins/common/basic_compressor.h"
#include "plugins/compressor/brotli/decoder.h"
#include "plugins/compressor/brotli/encoder.h"
#include "walrig/export.h"

namespace {

using walrig::Compressor;
using walrig::Context;
using walrig::OptionType;
using walrig::Result;
namespace sdk = walrig::sdk;
namespace brotli = walrig::brotli;

Result<std::unique_ptr<Compressor>> Create(const Context&, const sdk::ConfigReader& config) {
  WALRIG_ASSIGN(const uint64_t level, config.UintOr("level", 3));
  if (level > brotli::kQualityMax) return walrig::ConfigError("option level: 0 to 11");
  const uint32_t quality = static_cast<uint32_t>(level);
  walrig::CompressorParts parts;
  parts.traits = {.name = "brotli", .extension = "br"};
  parts.encoder = [quality] { return brotli::NewEncoder(quality); };
  parts.decoder = [] { return brotli::NewDecoder(); };
  parts.encoder_memory_bytes = brotli::EncoderMemoryBytes(quality);
  parts.decoder_memory_bytes = brotli::kDecoderMemoryBytes;
  return std::unique_ptr<Compressor>(std::make_unique<walrig::BasicCompressor>(std::move(parts)));
}

constexpr const char* kExtensions[] = {"br", nullptr};
constexpr walrig_option kOptions[] = {
    sdk::Option{.name = "level",
                .type = OptionType::kUint,
                .default_text = "3",
                .min_text = "0",
                .max_text = "11",
                .help = "Effort. 3 is what WAL-G uses."},
};
constexpr walrig_factory kBrotli = sdk::CompressorFactory<Create>(
    {.name = "brotli", .extensions = kExtensions, .description = "Brotli", .options = kOptions},
    WALRIG_CAP_TF_ENCODE | WALRIG_CAP_TF_DECODE);

}  // namespace

WALRIG_EXPORT_PLUGIN("org.walrig.compressor-brotli", WALRIG_PLUGIN_VERSION, "Apache-2.0", "compressor:brotli",
                     "Brotli compression", &kBrotli);
