// Place: where the objects are, and which names a bucket of Google Cloud Storage can hold for us.
//
// Below `<name>_chunks/` stand pieces of uploads, WAL-G's and ours, that are joined at their end. No key may lie there,
// and no list shows them. THREADS: values; functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig::gcs {

struct Place {
  std::string bucket;
  std::string prefix;  // "" or ends in '/'
};

inline constexpr std::string_view kChunksMark = "_chunks/";

// "gs://bucket/path". With `normalize` doubled slashes count as one; without, they stay, as WAL-E wrote them.
// FAILS WITH: kConfig.
Result<Place> ParsePlace(std::string_view prefix, bool normalize);

// "https://host:port" without a slash at its end, from "https://host:port/", or "host:port" when `scheme_default` is given.
// FAILS WITH: kConfig.
Result<std::string> ParseEndpoint(std::string_view text, std::string_view scheme_default);

// FAILS WITH: kNameInvalid. `prefix` counts towards the 1024 bytes of a name.
Status CheckKey(std::string_view prefix, std::string_view key);

// Whether a name is a piece of an upload.
bool IsPiece(std::string_view name);

// `<key>_chunks/<upload>/<file>`; `upload` is "" for WAL-G's, which have no folder of their own.
struct PieceName {
  std::string_view key;
  std::string_view upload;
};
PieceName SplitPiece(std::string_view name);

// The folder of an upload of ours, with its '/'; `seed` makes it another one each time.
std::string NewUploadFolder(std::string_view key, int64_t now_ns, uint64_t seed);
// When an upload of ours began; kUnknownTime for others.
int64_t UploadStartNs(std::string_view upload);

}  // namespace walrig::gcs
