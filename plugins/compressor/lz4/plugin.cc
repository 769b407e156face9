// The door of compressor-lz4.so.
#include "plugins/common/basic_compressor.h"
#include "plugins/compressor/lz4/decoder.h"
#include "plugins/compressor/lz4/encoder.h"
#include "walrig/export.h"

namespace {

using walrig::Compressor;
using walrig::Context;
using walrig::OptionType;
using walrig::Result;
namespace sdk = walrig::sdk;
namespace lz4 = walrig::lz4;

Result<std::unique_ptr<Compressor>> Create(const Context&, const sdk::ConfigReader& config) {
  WALRIG_ASSIGN(const int64_t level, config.IntOr("level", 0));
  if (level < lz4::kLevelMin || level > lz4::kLevelMax) return walrig::ConfigError("option level: 0 to 12");
  walrig::CompressorParts parts;
  // Our decoder reads frames in a row, but WAL-G's (pierrec/lz4 before 4.1.23) stops after the first and says nothing.
  parts.traits = {.name = "lz4", .extension = "lz4", .concatenable = false};
  parts.encoder = [level] { return lz4::NewEncoder(static_cast<int>(level)); };
  parts.decoder = [] { return lz4::NewDecoder(); };
  parts.encoder_memory_bytes = lz4::kEncoderMemoryBytes;
  parts.decoder_memory_bytes = lz4::kDecoderMemoryBytes;
  return std::unique_ptr<Compressor>(std::make_unique<walrig::BasicCompressor>(std::move(parts)));
}

constexpr const char* kExtensions[] = {"lz4", nullptr};
constexpr walrig_option kOptions[] = {
    sdk::Option{.name = "level",
                .type = OptionType::kInt,
                .default_text = "0",
                .min_text = "0",
                .max_text = "12",
                .help = "Effort. 0 to 2 are fast, 3 to 12 compress better and much slower."},
};
constexpr walrig_factory kLz4 = sdk::CompressorFactory<Create>(
    {.name = "lz4", .extensions = kExtensions, .description = "LZ4 frames", .options = kOptions},
    WALRIG_CAP_TF_ENCODE | WALRIG_CAP_TF_DECODE);

}  // namespace

WALRIG_EXPORT_PLUGIN("org.walrig.compressor-lz4", WALRIG_PLUGIN_VERSION, "Apache-2.0", "compressor:lz4",
                     "LZ4 compression", &kLz4);
