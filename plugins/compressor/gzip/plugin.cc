// The door of compressor-gzip.so, which only reads.
#include "plugins/common/basic_compressor.h"
#include "plugins/compressor/gzip/decoder.h"
#include "walrig/export.h"

namespace {

using walrig::Compressor;
using walrig::Context;
using walrig::Result;
namespace sdk = walrig::sdk;

Result<std::unique_ptr<Compressor>> Create(const Context&, const sdk::ConfigReader&) {
  walrig::CompressorParts parts;
  parts.traits = {.name = "gzip", .extension = "gz", .encode = false, .concatenable = true};
  parts.decoder = [] { return walrig::gzip::NewDecoder(); };
  parts.decoder_memory_bytes = walrig::gzip::kDecoderMemoryBytes;
  return std::unique_ptr<Compressor>(std::make_unique<walrig::BasicCompressor>(std::move(parts)));
}

constexpr const char* kAliases[] = {"gz", nullptr};
constexpr const char* kExtensions[] = {"gz", nullptr};
constexpr walrig_factory kGzip = sdk::CompressorFactory<Create>(
    {.name = "gzip", .aliases = kAliases, .extensions = kExtensions, .description = "gzip, read only"},
    WALRIG_CAP_TF_DECODE | WALRIG_CAP_TF_CONCATENABLE);

}  // namespace

WALRIG_EXPORT_PLUGIN("org.walrig.compressor-gzip", WALRIG_PLUGIN_VERSION, "Apache-2.0",
                     "compressor:gzip,compressor:gz", "Reads gzip", &kGzip);
