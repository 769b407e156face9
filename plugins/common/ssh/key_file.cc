#include "plugins/common/ssh/key_file.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include "plugins/common/ssh/base64.h"
#include "plugins/common/fd.h"

namespace walrig::ssh {
namespace {

constexpr size_t kFileBytesMax = 64u << 10;
constexpr std::string_view kOpensshMagic{"openssh-key-v1\0", 15};

KeyKind KindOfType(std::string_view type) {
  if (type == "ssh-ed25519") return KeyKind::kEd25519;
  if (type.starts_with("ecdsa-sha2-")) return KeyKind::kEcdsa;
  if (type == "ssh-rsa") return KeyKind::kRsa;
  if (type == "ssh-dss") return KeyKind::kDsa;
  return KeyKind::kOther;
}

// Takes an SSH string from the front. Nothing when it is cut.
std::optional<std::string_view> TakeString(std::string_view* bytes) {
  if (bytes->size() < 4) return std::nullopt;
  size_t length = 0;
  for (size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<uint8_t>((*bytes)[i]);
  if (length > bytes->size() - 4) return std::nullopt;
  const std::string_view taken = bytes->substr(4, length);
  bytes->remove_prefix(4 + length);
  return taken;
}

// PROTOCOL.key of OpenSSH: magic, cipher, kdf, options, count, the public key in the clear.
KeyKind KindOfOpenssh(std::string_view body, bool* encrypted) {
  std::string packed;
  for (const char c : body) {
    if (c != '\n' && c != '\r' && c != ' ') packed += c;
  }
  std::optional<std::string> decoded = DecodeBase64(packed);
  sdk::Secret::WipeBytes(packed.data(), packed.size());
  if (!decoded) return KeyKind::kUnknown;
  const sdk::Secret wiped(std::vector<char>(decoded->begin(), decoded->end()));
  sdk::Secret::WipeBytes(decoded->data(), decoded->size());
  std::string_view rest = wiped.bytes();
  if (!rest.starts_with(kOpensshMagic)) return KeyKind::kUnknown;
  rest.remove_prefix(kOpensshMagic.size());
  const auto cipher = TakeString(&rest);
  const auto kdf = TakeString(&rest);
  const auto options = TakeString(&rest);
  if (!cipher || !kdf || !options || rest.size() < 4) return KeyKind::kUnknown;
  *encrypted = *cipher != "none";
  rest.remove_prefix(4);
  auto blob = TakeString(&rest);
  if (!blob) return KeyKind::kUnknown;
  const auto type = TakeString(&*blob);
  return type ? KindOfType(*type) : KeyKind::kUnknown;
}

struct PemLabel {
  std::string_view label;
  KeyKind kind;
};
constexpr std::array<PemLabel, 5> kLabels = {{{"RSA PRIVATE KEY", KeyKind::kRsa},
                                              {"DSA PRIVATE KEY", KeyKind::kDsa},
                                              {"EC PRIVATE KEY", KeyKind::kEcdsa},
                                              {"ENCRYPTED PRIVATE KEY", KeyKind::kUnknown},
                                              {"PRIVATE KEY", KeyKind::kUnknown}}};

Status CannotRead(const std::string& path, int err) {
  return ConfigError("read " + path + ": " + std::generic_category().message(err))
      .Hint("the user that runs walrig must be able to read it");
}

Result<sdk::Secret> ReadWhole(const std::string& path) {
  const common::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return CannotRead(path, errno);
  // Full size at once: growing would leave copies of the secret behind.
  std::vector<char> bytes(kFileBytesMax + 1);
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t n = ::read(fd.get(), bytes.data() + filled, bytes.size() - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return CannotRead(path, errno);
    if (n == 0) break;
    filled += static_cast<size_t>(n);
  }
  if (filled > kFileBytesMax) return ConfigError("read " + path + ": it is larger than 64 KiB");
  bytes.resize(filled);
  return sdk::Secret(std::move(bytes));
}

}  // namespace

KeyKind KindOfKey(std::string_view text, bool* encrypted) {
  *encrypted = false;
  constexpr std::string_view kBegin = "-----BEGIN ";
  const size_t begin = text.find(kBegin);
  if (begin == std::string_view::npos) return KeyKind::kUnknown;
  text.remove_prefix(begin + kBegin.size());
  const size_t dashes = text.find("-----");
  if (dashes == std::string_view::npos) return KeyKind::kUnknown;
  const std::string_view label = text.substr(0, dashes);
  std::string_view body = text.substr(dashes + 5);
  body = body.substr(0, std::min(body.find("-----END"), body.size()));
  if (label == "OPENSSH PRIVATE KEY") return KindOfOpenssh(body, encrypted);
  *encrypted = label.starts_with("ENCRYPTED") || body.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos;
  for (const PemLabel& known : kLabels) {
    if (label == known.label) return known.kind;
  }
  return KeyKind::kUnknown;
}

Result<KeyFile> ReadKeyFile(const std::string& path) {
  KeyFile key;
  WALRIG_ASSIGN(key.text, ReadWhole(path));
  if (key.text.bytes().find("PRIVATE KEY-----") == std::string_view::npos) {
    return ConfigError("private key " + path + " is no private key in a format that can be read")
        .Hint("name the private half, not the .pub file; ssh-keygen -t ed25519 makes a fitting one");
  }
  key.kind = KindOfKey(key.text.bytes(), &key.encrypted);
  return key;
}

Result<sdk::Secret> ReadSecretFile(const std::string& path) {
  WALRIG_ASSIGN(sdk::Secret whole, ReadWhole(path));
  std::string_view bytes = whole.bytes();
  if (bytes.ends_with('\n')) bytes.remove_suffix(1);
  if (bytes.ends_with('\r')) bytes.remove_suffix(1);
  if (bytes.empty()) return ConfigError("read " + path + ": it is empty");
  return sdk::Secret(std::vector<char>(bytes.begin(), bytes.end()));
}

}  // namespace walrig::ssh
