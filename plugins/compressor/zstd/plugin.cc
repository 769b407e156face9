// The door of compressor-zstd.so.
#include <charconv>
#include <string>

#include "plugins/common/basic_compressor.h"
#include "plugins/compressor/zstd/decoder.h"
#include "plugins/compressor/zstd/encoder.h"
#include "walrig/export.h"

namespace {

using walrig::Compressor;
using walrig::Context;
using walrig::OptionType;
using walrig::Result;
namespace sdk = walrig::sdk;
namespace zstd = walrig::zstd;

// WAL-G's words are those of its library's encoder (klauspost/compress), which says which levels they come near.
struct NamedLevel {
  std::string_view name;
  int level;
};
constexpr NamedLevel kNamedLevels[] = {{"fastest", 1}, {"default", 3}, {"better", 7}, {"best", 11}};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

Result<int> ParseLevel(std::string text) {
  for (char& c : text) c = Lower(c);
  for (const NamedLevel& named : kNamedLevels) {
    if (text == named.name) return named.level;
  }
  int level = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
  const bool number = error == std::errc() && end == text.data() + text.size();
  if (!number || level < zstd::kLevelMin || level > zstd::kLevelMax) {
    return walrig::ConfigError("option level (WALG_ZSTD_LEVEL): \"" + text + "\" is no level of zstd")
        .Hint("1 to 22, or fastest, default, better, best");
  }
  return level;
}

Result<std::unique_ptr<Compressor>> Create(const Context&, const sdk::ConfigReader& config) {
  WALRIG_ASSIGN(const std::string text, config.TextOr("level", "default"));
  WALRIG_ASSIGN(const int level, ParseLevel(text));
  walrig::CompressorParts parts;
  parts.traits = {.name = "zstd", .extension = "zst", .concatenable = true};
  parts.encoder = [level] { return zstd::NewEncoder(level); };
  parts.decoder = [] { return zstd::NewDecoder(); };
  parts.encoder_memory_bytes = zstd::EncoderMemoryBytes(level);
  parts.decoder_memory_bytes = zstd::kDecoderMemoryBytes;
  return std::unique_ptr<Compressor>(std::make_unique<walrig::BasicCompressor>(std::move(parts)));
}

constexpr const char* kExtensions[] = {"zst", nullptr};
constexpr const char* kLevelSettings[] = {"WALG_ZSTD_LEVEL", nullptr};
constexpr walrig_option kOptions[] = {
    sdk::Option{.name = "level",
                .settings = kLevelSettings,
                .default_text = "default",
                .help = "Effort: 1 to 22, or fastest (1), default (3), better (7), best (11)."},
};
constexpr walrig_factory kZstd = sdk::CompressorFactory<Create>(
    {.name = "zstd", .extensions = kExtensions, .description = "Zstandard", .options = kOptions},
    WALRIG_CAP_TF_ENCODE | WALRIG_CAP_TF_DECODE | WALRIG_CAP_TF_CONCATENABLE);

}  // namespace

WALRIG_EXPORT_PLUGIN("org.walrig.compressor-zstd", WALRIG_PLUGIN_VERSION, "Apache-2.0", "compressor:zstd",
                     "Zstandard compression", &kZstd);
