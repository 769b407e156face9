#include "core/layout/plugin_set.h"

#include <array>

namespace walrig {
namespace {

constexpr std::array<CompressionMethod, 8> kMethods = {{
    {"lz4", "lz4", "lz4", false},
    {"lzma", "lzma", "lzma", false},
    {"zstd", "zst", "zstd", false},
    {"brotli", "br", "brotli", false},
    {"none", "", "", false},
    {"gzip", "gz", "gzip", true},
    {"lzo", "lzo", "lzo", true},
    {"xz", "xz", "xz", false},  // walrig's own; WAL-G does not read it
}};

}  // namespace

std::span<const CompressionMethod> CompressionMethods() { return kMethods; }

std::optional<CompressionMethod> MethodOfExtension(std::string_view extension) {
  for (const CompressionMethod& method : kMethods) {
    if (method.extension == extension) return method;
  }
  return std::nullopt;
}

std::optional<CompressionMethod> MethodByName(std::string_view name) {
  for (const CompressionMethod& method : kMethods) {
    if (method.method == name) return method;
  }
  return std::nullopt;
}

std::string_view CanonicalExtension(std::string_view extension) {
  return extension == "tar" || extension == "." ? std::string_view() : extension;
}

}  // namespace walrig
