// JSON text as Go's encoding/json writes it, so that documents look alike whoever wrote them.
//
// THREADS: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/json.h"

namespace walrig {

// `text` with quotes. With html, '<', '>', '&', U+2028 and U+2029 become \uXXXX (json v1: sentinel, metadata); without,
// they stand as they are (v2: files_metadata). Bytes that are not UTF-8 become U+FFFD.
std::string GoJsonString(std::string_view text, bool html);

// One line. Floating point numbers are as short as they can be; with sort_keys objects are ordered by the bytes of
// their keys at every depth, as Go writes maps. REQUIRES: nesting of at most kJsonDepthMax.
std::string GoJson(const Json& json, bool html, bool sort_keys);

// Well-formed UTF-8: no surrogates, no overlong forms, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);

}  // namespace walrig
