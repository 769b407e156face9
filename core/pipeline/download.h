// One stored object back to plain bytes: the read path for small objects and WAL.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/pipeline/codec.h"
#include "walrig/storage.h"

namespace walrig {

// Opens an object and decodes it while it is read (DecodingSource). FAILS WITH: kNotFound and the other errors of Get.
Result<std::unique_ptr<Source>> OpenDecoded(const Context& ctx, Storage& storage, std::string_view key,
                                            const Codec& codec);

// The plain bytes of an object. FAILS WITH: also kTooLarge when there are more than bytes_max.
Result<std::string> ReadDecoded(const Context& ctx, Storage& storage, std::string_view key, const Codec& codec,
                                uint64_t bytes_max);

// Moves everything from `source` to `sink` through one buffer of kIoBufferBytes; does not commit. Returns the bytes moved.
// FAILS WITH: kTooLarge when there are more than bytes_max.
Result<uint64_t> CopyAll(const Context& ctx, Source& source, Sink& sink, uint64_t bytes_max = UINT64_MAX);

}  // namespace walrig
