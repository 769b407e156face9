// Base64 as known_hosts and key files have it: the usual alphabet, padded.
//
// THREADS: functions without state.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace walrig::ssh {

std::string EncodeBase64(std::string_view bytes);

// Nothing when a character, the length or the padding is wrong.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace walrig::ssh
