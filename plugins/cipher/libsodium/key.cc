#include "plugins/cipher/libsodium/key.h"

#include <algorithm>
#include <string>

namespace walrig::libsodium {
namespace {

constexpr const char* kSetting = "the libsodium key (WALG_LIBSODIUM_KEY or WALG_LIBSODIUM_KEY_PATH)";

Result<SecretBytes> Raw(std::string_view text) {
  if (text.size() < kRawKeyBytesMin) {
    return ConfigError(std::string(kSetting) + " has " + std::to_string(text.size()) + " bytes; at least " +
                       std::to_string(kRawKeyBytesMin) + " are needed, 32 are right")
        .Hint("a key in hex or base64 needs WALG_LIBSODIUM_KEY_TRANSFORM=hex or base64");
  }
  WALRIG_ASSIGN(SecretBytes key, SecretBytes::New(kKeyBytes));
  std::copy_n(text.begin(), std::min(text.size(), kKeyBytes), key.data());
  return key;
}

}  // namespace

Result<SecretBytes> DeriveKey(std::string_view text, KeyTransform transform) {
  if (transform == KeyTransform::kNone) return Raw(text);
  const std::string name = transform == KeyTransform::kHex ? "hex" : "base64";
  Result<SecretBytes> key = transform == KeyTransform::kHex ? SecretFromHex(text) : SecretFromBase64(text);
  if (!key.ok() && key.status().code() != Code::kInvalidArgument) return key;
  if (!key.ok())
    return ConfigError(std::string(kSetting) + " is not " + name + ", as WALG_LIBSODIUM_KEY_TRANSFORM says");
  if (key->size() != kKeyBytes) {
    return ConfigError(std::string(kSetting) + " holds " + std::to_string(key->size()) + " bytes in " + name +
                       "; exactly 32 are needed");
  }
  return key;
}

}  // namespace walrig::libsodium
