// The door of cipher-openpgp.so.
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "plugins/cipher/openpgp/key_material.h"
#include "plugins/cipher/openpgp/key_ring.h"
#include "plugins/cipher/openpgp/library_thread.h"
#include "plugins/cipher/openpgp/opener.h"
#include "plugins/cipher/openpgp/sealer.h"
#include "walrig/cipher.h"
#include "walrig/export.h"

namespace {

using walrig::Cipher;
using walrig::Code;
using walrig::Context;
using walrig::OptionType;
using walrig::Result;
using walrig::SecretBytes;
using walrig::Status;
using walrig::Transform;
namespace openpgp = walrig::openpgp;
namespace sdk = walrig::sdk;

// What librnp and its library hold of one message, and the stack of the thread as far as it is touched.
constexpr uint64_t kLibraryBytes = 4u << 20;

class OpenpgpCipher final : public Cipher {
 public:
  OpenpgpCipher(std::shared_ptr<openpgp::KeyRings> rings, std::string gpg_key_id, size_t hold_back_bytes)
      : rings_(std::move(rings)), gpg_key_id_(std::move(gpg_key_id)), hold_back_bytes_(hold_back_bytes) {}

  const std::string& name() const override { return name_; }
  Result<std::unique_ptr<Transform>> NewSealer() override { return openpgp::NewSealer(rings_); }
  Result<std::unique_ptr<Transform>> NewOpener() override {
    WALRIG_ASSIGN(std::shared_ptr<openpgp::KeyRings> rings, SecretRings());
    return openpgp::NewOpener(std::move(rings), hold_back_bytes_);
  }
  uint64_t memory_bytes() const override {
    return kLibraryBytes + openpgp::LibraryThread::kInBytes + 2 * uint64_t{hold_back_bytes_};
  }
  void set_passphrase(SecretBytes passphrase) { passphrase_ = std::move(passphrase); }

 private:
  // GnuPG's secret keys are asked for when something is to be read: a host that writes needs none.
  Result<std::shared_ptr<openpgp::KeyRings>> SecretRings() {
    if (gpg_key_id_.empty()) return rings_;
    const std::lock_guard lock(mutex_);
    if (secret_rings_ == nullptr) {
      sdk::SystemClock clock;
      Context ctx;
      ctx.clock = &clock;
      WALRIG_ASSIGN(SecretBytes keys, openpgp::KeysFromGnupg(ctx, gpg_key_id_, true));
      WALRIG_ASSIGN(secret_rings_,
                    openpgp::KeyRings::New({.keys = std::move(keys), .passphrase = std::move(passphrase_)}));
    }
    return secret_rings_;
  }

  const std::string name_ = "openpgp";
  const std::shared_ptr<openpgp::KeyRings> rings_;
  const std::string gpg_key_id_;  // empty unless the keys are GnuPG's
  const size_t hold_back_bytes_;
  std::mutex mutex_;  // guards the two below
  std::shared_ptr<openpgp::KeyRings> secret_rings_;
  SecretBytes passphrase_;
};

Result<SecretBytes> ReadPassphrase(const sdk::ConfigReader& config) {
  Result<sdk::Secret> text = config.SecretOf("passphrase");
  if (!text.ok() && text.status().code() == Code::kNotFound) return SecretBytes();
  if (!text.ok()) return std::move(text).status();
  if (text->bytes().empty()) return SecretBytes();
  WALRIG_ASSIGN(SecretBytes passphrase, SecretBytes::New(text->bytes().size() + 1));
  text->bytes().copy(reinterpret_cast<char*>(passphrase.data()), text->bytes().size());
  return passphrase;
}

Result<std::unique_ptr<Cipher>> Create(const Context& ctx, const sdk::ConfigReader& config) {
  openpgp::KeyMaterial material;
  WALRIG_ASSIGN(SecretBytes passphrase, ReadPassphrase(config));
  WALRIG_ASSIGN(const uint64_t hold_back, config.Uint("hold_back"));
  WALRIG_ASSIGN(const std::string path, config.TextOr("key_path", ""));
  WALRIG_ASSIGN(std::string gpg_key_id, config.TextOr("gpg_key_id", ""));
  const Result<sdk::Secret> text = config.SecretOf("key");
  if (!text.ok() && text.status().code() != Code::kNotFound) return text.status();
  if (text.ok() && !text->bytes().empty()) {
    WALRIG_ASSIGN(material.keys, openpgp::KeysFromSetting(text->bytes()));
    gpg_key_id.clear();
  } else if (!path.empty()) {
    WALRIG_ASSIGN(material.keys, openpgp::KeysFromFile(ctx, path));
    gpg_key_id.clear();
  } else if (!gpg_key_id.empty()) {
    WALRIG_ASSIGN(material.keys, openpgp::KeysFromGnupg(ctx, gpg_key_id, false));
  } else {
    return walrig::ConfigError("cipher openpgp has no key")
        .Hint("set WALG_PGP_KEY_PATH to a file with an OpenPGP key, or WALG_PGP_KEY, or WALG_GPG_KEY_ID");
  }
  const bool gnupg = !gpg_key_id.empty();
  if (!gnupg) material.passphrase = std::move(passphrase);
  WALRIG_ASSIGN(std::shared_ptr<openpgp::KeyRings> rings, openpgp::KeyRings::New(std::move(material)));
  auto cipher =
      std::make_unique<OpenpgpCipher>(std::move(rings), std::move(gpg_key_id), static_cast<size_t>(hold_back));
  if (gnupg) cipher->set_passphrase(std::move(passphrase));
  return std::unique_ptr<Cipher>(std::move(cipher));
}

constexpr const char* kKeySettings[] = {"WALG_PGP_KEY", nullptr};
constexpr const char* kPathSettings[] = {"WALG_PGP_KEY_PATH", nullptr};
constexpr const char* kPassphraseSettings[] = {"WALG_PGP_KEY_PASSPHRASE", nullptr};
constexpr const char* kGnupgSettings[] = {"WALG_GPG_KEY_ID", nullptr};
constexpr walrig_option kOptions[] = {
    sdk::Option{.name = "key", .secret = true, .settings = kKeySettings, .help = "Armored key or keys."},
    sdk::Option{.name = "key_path",
                .type = OptionType::kPath,
                .settings = kPathSettings,
                .help = "File that holds a key or keys: public ones to write, secret ones to read."},
    sdk::Option{.name = "passphrase",
                .secret = true,
                .settings = kPassphraseSettings,
                .help = "Passphrase of the secret keys."},
    sdk::Option{.name = "gpg_key_id", .settings = kGnupgSettings, .help = "Id of a key of the local GnuPG."},
    sdk::Option{.name = "hold_back",
                .type = OptionType::kSize,
                .advanced = true,
                .default_text = "1MiB",
                .min_text = "64KiB",
                .max_text = "1GiB",
                .help = "How many plain bytes of an object are kept until its integrity check has held."},
};
constexpr walrig_factory kOpenpgp = sdk::CipherFactory<Create>(
    {.name = "openpgp", .description = "OpenPGP messages, as WAL-G and gpg read and write them", .options = kOptions});

}  // namespace

WALRIG_EXPORT_PLUGIN("org.walrig.cipher-openpgp", WALRIG_PLUGIN_VERSION, "Apache-2.0", "cipher:openpgp",
                     "OpenPGP encryption", &kOpenpgp);
