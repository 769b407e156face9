// The door of cipher-libsodium.so.
#include <sodium.h>

#include <string>
#include <string_view>
#include <utility>

#include "plugins/cipher/libsodium/key.h"
#include "plugins/cipher/libsodium/opener.h"
#include "plugins/cipher/libsodium/sealer.h"
#include "plugins/cipher/libsodium/stream.h"
#include "plugins/common/key/key_source.h"
#include "walrig/cipher.h"
#include "walrig/export.h"

namespace {

using walrig::Cipher;
using walrig::Context;
using walrig::OptionType;
using walrig::Result;
using walrig::SecretBytes;
using walrig::Transform;
namespace libsodium = walrig::libsodium;
namespace sdk = walrig::sdk;

class LibsodiumCipher final : public Cipher {
 public:
  explicit LibsodiumCipher(SecretBytes key) : key_(std::move(key)) {}
  const std::string& name() const override { return name_; }
  Result<std::unique_ptr<Transform>> NewSealer() override { return libsodium::NewSealer(key_); }
  Result<std::unique_ptr<Transform>> NewOpener() override { return libsodium::NewOpener(key_); }
  uint64_t memory_bytes() const override { return libsodium::kMachineBytes; }

 private:
  const std::string name_ = "libsodium";
  const SecretBytes key_;
};

// A value of the setting counts as it is; a file loses the white space around it. Both as WAL-G.
Result<SecretBytes> ReadText(const Context& ctx, const sdk::ConfigReader& config) {
  Result<sdk::Secret> value = config.SecretOf("key");
  if (value.ok() && !value->bytes().empty()) return SecretBytes::CopyOf(walrig::AsBytes(value->bytes()));
  if (!value.ok() && value.status().code() != walrig::Code::kNotFound) return std::move(value).status();
  WALRIG_ASSIGN(const std::string path, config.TextOr("key_path", ""));
  if (path.empty()) {
    return walrig::ConfigError("cipher libsodium has no key")
        .Hint("set WALG_LIBSODIUM_KEY_PATH to a file with the key, or WALG_LIBSODIUM_KEY");
  }
  WALRIG_ASSIGN(const SecretBytes whole, walrig::ReadKeyFile(ctx, "the libsodium key", path));
  return SecretBytes::CopyOf(walrig::AsBytes(walrig::TrimSpace(whole.text())));
}

Result<std::unique_ptr<Cipher>> Create(const Context& ctx, const sdk::ConfigReader& config) {
  // Any number of times, from any thread; only the first does something.
  if (sodium_init() < 0) return walrig::Internal("libsodium cannot be initialised");
  WALRIG_ASSIGN(const std::string transform, config.TextOr("key_transform", "none"));
  const auto kind = transform == "hex"      ? libsodium::KeyTransform::kHex
                    : transform == "base64" ? libsodium::KeyTransform::kBase64
                                            : libsodium::KeyTransform::kNone;
  WALRIG_ASSIGN(const SecretBytes text, ReadText(ctx, config));
  WALRIG_ASSIGN(SecretBytes key, libsodium::DeriveKey(text.text(), kind));
  return std::unique_ptr<Cipher>(std::make_unique<LibsodiumCipher>(std::move(key)));
}

constexpr const char* kKeySettings[] = {"WALG_LIBSODIUM_KEY", nullptr};
constexpr const char* kPathSettings[] = {"WALG_LIBSODIUM_KEY_PATH", nullptr};
constexpr const char* kTransformSettings[] = {"WALG_LIBSODIUM_KEY_TRANSFORM", nullptr};
constexpr const char* kTransforms[] = {"none", "hex", "base64", nullptr};
constexpr walrig_option kOptions[] = {
    sdk::Option{.name = "key", .secret = true, .settings = kKeySettings, .help = "The key."},
    sdk::Option{.name = "key_path",
                .type = OptionType::kPath,
                .settings = kPathSettings,
                .help = "File that holds the key; white space around it does not count."},
    sdk::Option{.name = "key_transform",
                .type = OptionType::kEnum,
                .settings = kTransformSettings,
                .default_text = "none",
                .choices = kTransforms,
                .help = "How the key's text becomes 32 bytes."},
};
constexpr walrig_factory kLibsodium = sdk::CipherFactory<Create>(
    {.name = "libsodium", .description = "WAL-G's libsodium encryption (XChaCha20-Poly1305)", .options = kOptions});

}  // namespace

WALRIG_EXPORT_PLUGIN("org.walrig.cipher-libsodium", WALRIG_PLUGIN_VERSION, "Apache-2.0", "cipher:libsodium",
                     "WAL-G's libsodium encryption", &kLibsodium);
