// One object between a storage and a local file, through the codecs.
//
// THREADS: functions without state.
#pragma once

#include <memory>
#include <string>

#include "core/catalog/codec_source.h"
#include "core/pipeline/codec.h"
#include "walrig/storage.h"

namespace walrig {

struct StReadOptions {
  bool decrypt = false;     // with the configured cipher, where there is one
  bool decompress = false;  // by the extension of the object's name
};

// FAILS WITH: kNotFound, kNotSupported (nothing knows the extension).
Result<std::unique_ptr<Source>> StOpen(const Context& ctx, Storage& storage, CodecProvider& codecs,
                                       const std::string& key, const StReadOptions& options);

// Into a new file, 0640; returns its bytes. A folder as `path` takes the last part of the key, less the extension that was decoded.
// FAILS WITH: kAlreadyExists; then and on any other failure no file is left.
Result<uint64_t> StGet(const Context& ctx, Storage& storage, CodecProvider& codecs, const std::string& key,
                       const std::string& path, const StReadOptions& options);

struct StPutOptions {
  Codec codec;         // its extension is appended to the key
  bool force = false;  // an object of this name is replaced
};
// Returns the key. FAILS WITH: kAlreadyExists unless forced.
Result<std::string> StPut(const Context& ctx, Storage& storage, Source& plain, std::string key,
                          const StPutOptions& options);

}  // namespace walrig
