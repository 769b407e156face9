// The door of compressor-xz.so, which serves two names: xz, and lzma as WAL-G means it.
#include "plugins/common/basic_compressor.h"
#include "plugins/compressor/xz/machine.h"
#include "walrig/export.h"

namespace {

using walrig::Compressor;
using walrig::Context;
using walrig::OptionType;
using walrig::Result;
namespace sdk = walrig::sdk;
namespace xz = walrig::xz;

Result<uint32_t> Level(const sdk::ConfigReader& config) {
  WALRIG_ASSIGN(const uint64_t level, config.UintOr("level", 6));
  if (level > 9) return walrig::ConfigError("option level: 0 to 9");
  return static_cast<uint32_t>(level);
}

Result<std::unique_ptr<Compressor>> CreateXz(const Context&, const sdk::ConfigReader& config) {
  WALRIG_ASSIGN(const uint32_t level, Level(config));
  walrig::CompressorParts parts;
  parts.traits = {.name = "xz", .extension = "xz", .concatenable = true};
  parts.encoder = [level] { return xz::NewXzEncoder(level); };
  parts.decoder = [] { return xz::NewXzDecoder(); };
  parts.encoder_memory_bytes = xz::XzEncoderMemoryBytes(level);
  parts.decoder_memory_bytes = xz::kDecoderMemoryBytes;
  return std::unique_ptr<Compressor>(std::make_unique<walrig::BasicCompressor>(std::move(parts)));
}

Result<std::unique_ptr<Compressor>> CreateLzma(const Context&, const sdk::ConfigReader& config) {
  WALRIG_ASSIGN(const uint32_t level, Level(config));
  walrig::CompressorParts parts;
  parts.traits = {.name = "lzma", .extension = "lzma"};
  parts.encoder = [level] { return xz::NewLzmaEncoder(level); };
  parts.decoder = [] { return xz::NewLzmaDecoder(); };
  parts.encoder_memory_bytes = xz::LzmaEncoderMemoryBytes(level);
  parts.decoder_memory_bytes = xz::kDecoderMemoryBytes;
  return std::unique_ptr<Compressor>(std::make_unique<walrig::BasicCompressor>(std::move(parts)));
}

constexpr const char* kXzExtensions[] = {"xz", nullptr};
constexpr const char* kLzmaExtensions[] = {"lzma", nullptr};
constexpr walrig_option kOptions[] = {
    sdk::Option{.name = "level",
                .type = OptionType::kUint,
                .default_text = "6",
                .min_text = "0",
                .max_text = "9",
                .help = "Effort. An encoder of level 6 holds 93 MiB, of level 9 of xz 673 MiB."},
};
constexpr walrig_factory kXz = sdk::CompressorFactory<CreateXz>(
    {.name = "xz", .extensions = kXzExtensions, .description = "xz containers", .options = kOptions},
    WALRIG_CAP_TF_ENCODE | WALRIG_CAP_TF_DECODE | WALRIG_CAP_TF_CONCATENABLE);
constexpr walrig_factory kLzma = sdk::CompressorFactory<CreateLzma>(
    {.name = "lzma",
     .extensions = kLzmaExtensions,
     .description = "LZMA-alone, as WAL-G's method lzma",
     .options = kOptions},
    WALRIG_CAP_TF_ENCODE | WALRIG_CAP_TF_DECODE);

}  // namespace

WALRIG_EXPORT_PLUGIN("org.walrig.compressor-xz", WALRIG_PLUGIN_VERSION, "Apache-2.0",
                     "compressor:xz,compressor:lzma", "xz and LZMA compression", &kXz, &kLzma);
