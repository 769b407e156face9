// One object between a storage and a local file, through the codecs.
//
// THREADS: functions without state.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/catalog/codec_source.h"
#include "core/pipeline/codec.h"
#include "walrig/storage.h"

namespace walrig {

// Of the bytes of an object, or of what is decrypted.
struct StRange {
  uint64_t offset = 0;
  uint64_t length = kUnknownSize;  // to the end
};
// "OFFSET:LENGTH" or "OFFSET:", each in bytes or with a unit, "1MiB:4096". FAILS WITH: kInvalidArgument.
Result<StRange> ParseStRange(const std::string& text);

struct StReadOptions {
  bool decrypt = false;           // with the configured cipher, where there is one
  bool decompress = false;        // by the extension of the object's name; not with a range
  std::optional<StRange> range{}; // reads no more of the object than that takes
};

// FAILS WITH: kNotFound, kNotSupported (nothing knows the extension; the cipher opens no ranges), kInvalidArgument (a range
// behind the end, or with decompress).
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
