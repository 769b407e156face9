// SshUrl: "ssh://[user@]host[:port]/path", as WAL-G's WALG_SSH_PREFIX has it.
//
// The path is bytes: %XX is decoded, nothing else is changed, and repeated and trailing slashes go. IPv6 addresses stand
// in brackets. THREADS: a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig::ssh {

struct SshUrl {
  std::string user;  // "" when the URL has none
  std::string host;
  std::optional<uint16_t> port;
  std::string path;  // absolute, without a slash at its end, but "/" is "/"
};

// FAILS WITH: kConfig, never repeating a password that stood in the URL.
Result<SshUrl> ParseSshUrl(std::string_view text);

}  // namespace walrig::ssh
