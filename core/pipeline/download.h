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

// The plain bytes of an object from `offset` on, `length` of them or as many as there are; with a cipher, of what it opens,
// reading no more of the stored object than the range needs. A compressed object has no ranges: it is given as compressed.
// FAILS WITH: kInvalidArgument for no bytes or a range that begins behind the end; kNotSupported when the cipher opens no
// ranges; kPreconditionFailed when the object changes meanwhile; else as OpenDecoded.
Result<std::unique_ptr<Source>> OpenRange(const Context& ctx, Storage& storage, std::string_view key, Cipher* cipher,
                                          uint64_t offset, uint64_t length);

// Moves everything from `source` to `sink` through one buffer of kIoBufferBytes; does not commit. Returns the bytes moved.
// FAILS WITH: kTooLarge when there are more than bytes_max.
Result<uint64_t> CopyAll(const Context& ctx, Source& source, Sink& sink, uint64_t bytes_max = UINT64_MAX);

}  // namespace walrig
