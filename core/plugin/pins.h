// Pins: plugins.lock, the plugins that an operator has approved, by content.
//
//   # id version triplet sha256:<hex>
//   org.walrig.storage-fs 0.1.0 x86_64-linux-gnu sha256:9f2c...
//
// Where there is such a file, only what it lists is loaded. It does not live in the manifest: a cache may be deleted.
//
// THREADS: values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/plugin/trust.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

struct Pin {
  std::string id, version, triplet, sha256;  // sha256 as lower-case hex
  bool operator==(const Pin&) const = default;
};

// FAILS WITH: kConfig naming the line.
Result<std::vector<Pin>> ParsePins(std::string_view text, std::string_view path);
// Sorted, with a comment on top; what ParsePins reads back.
std::string FormatPins(std::vector<Pin> pins);

// A file that somebody else may write approves nothing: it and the directories above it must pass like a plugin.
// FAILS WITH: kNotFound when there is no such file, kPermission, kConfig.
Result<std::vector<Pin>> LoadPins(const std::string& path, const TrustPolicy& trust);
// Replaces the file durably.
Status SavePins(const Context& ctx, const std::string& path, const std::vector<Pin>& pins);

// FAILS WITH: kPermission when no pin of this id and triplet is there, or the hash is another one; the text names both
// hashes and the lock file.
Status CheckPin(const std::vector<Pin>& pins, const Pin& found, std::string_view lock_path);

}  // namespace walrig
