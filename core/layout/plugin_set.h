// Which compressor wrote an object, from its extension, and what extension a method's objects get (WAL-G
// internal/compression). The core's plugins are asked by these names; a third party's extension is its own business.
//
// THREADS: pure functions.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace walrig {

struct CompressionMethod {
  std::string_view method;      // WALG_COMPRESSION_METHOD
  std::string_view extension;   // "" for none
  std::string_view compressor;  // name of the plugin; "" for none
  bool read_only = false;
};

std::span<const CompressionMethod> CompressionMethods();
// "lz4" -> lz4, "lzma" -> xz's lzma form, ...; "" is none. Nothing for what WAL-G does not know.
std::optional<CompressionMethod> MethodOfExtension(std::string_view extension);
std::optional<CompressionMethod> MethodByName(std::string_view method);

// ".tar" as extension of a copy composer's "copy_0.tar.tar" means none.
std::string_view CanonicalExtension(std::string_view extension);

}  // namespace walrig
