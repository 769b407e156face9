// The door of cipher-gcrypt.so.
#include <ctime>
#include <string>
#include <utility>

#include "plugins/cipher/gcrypt/envelope.h"
#include "plugins/cipher/gcrypt/key_tool.h"
#include "plugins/cipher/gcrypt/opener.h"
#include "plugins/cipher/gcrypt/sealer.h"
#include "plugins/common/key/key_source.h"
#include "walrig/export.h"

namespace {

using walrig::Cipher;
using walrig::Context;
using walrig::KeySource;
using walrig::OptionType;
using walrig::Result;
using walrig::SecretBytes;
using walrig::Status;
using walrig::Transform;
namespace sdk = walrig::sdk;
namespace gcrypt = walrig::gcrypt;

constexpr size_t kKeyBytesMax = 256 * 1024;  // a ring of the largest size

std::string Now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

class GcryptCipher final : public Cipher {
 public:
  GcryptCipher(gcrypt::KeyRing ring, SecretBytes passphrase, gcrypt::SealOptions options)
      : keys_(std::move(ring), std::move(passphrase)), options_(options) {}

  const std::string& name() const override { return name_; }
  Result<std::unique_ptr<Transform>> NewSealer() override { return gcrypt::NewSealer(keys_, options_); }
  Result<std::unique_ptr<Transform>> NewOpener() override { return gcrypt::NewOpener(keys_); }
  Result<std::unique_ptr<Transform>> NewRangeOpener(walrig::ByteSpan head, uint64_t offset, uint64_t length,
                                                    walrig::SealedRange* range) override {
    return gcrypt::NewRangeOpener(keys_, head, offset, length, range);
  }
  uint64_t memory_bytes() const override { return gcrypt::kMachineBytes; }
  Status EditKeys(walrig::KeyVerb verb, std::string_view argument, walrig::ByteSpan ring, walrig::MutableByteSpan out,
                  size_t* out_bytes) override {
    WALRIG_ASSIGN(const SecretBytes text, gcrypt::EditKeys(verb, argument, ring, Now()));
    *out_bytes = text.size();
    if (text.size() > out.size()) return walrig::TooLarge("gcrypt: the key ring is larger than the buffer for it");
    std::copy(text.bytes().begin(), text.bytes().end(), out.begin());
    return walrig::OkStatus();
  }

 private:
  const std::string name_ = "gcrypt";
  gcrypt::Keys keys_;
  const gcrypt::SealOptions options_;
};

// A secret that is not set is empty.
Result<sdk::Secret> SecretOrNone(const sdk::ConfigReader& config, const char* name) {
  auto secret = config.SecretOf(name);
  if (!secret.ok() && secret.status().code() == walrig::Code::kNotFound) return sdk::Secret();
  return secret;
}

Result<gcrypt::KeyRing> ReadRing(const Context& ctx, const sdk::ConfigReader& config) {
  KeySource source;
  source.what = "the key of cipher gcrypt";
  WALRIG_ASSIGN(source.value, SecretOrNone(config, "key"));
  WALRIG_ASSIGN(source.file, config.TextOr("key_file", ""));
  WALRIG_ASSIGN(source.credential, config.TextOr("key_credential", ""));
  WALRIG_ASSIGN(source.command, config.TextOr("key_command", ""));
  const int sources = !source.value.bytes().empty() + !source.file.empty() + !source.credential.empty() + !source.command.empty();
  if (sources == 0) return gcrypt::KeyRing();
  if (sources > 1) {
    return walrig::ConfigError("cipher gcrypt: more than one of key, key_file, key_credential and key_command is configured")
        .Hint("a key ring holds several keys");
  }
  WALRIG_ASSIGN(const SecretBytes text, walrig::ReadKey(ctx, source, kKeyBytesMax));
  return gcrypt::KeyRing::Parse(text.text(), source.file.empty() ? source.what : source.file);
}

Result<SecretBytes> ReadPassphrase(const Context& ctx, const sdk::ConfigReader& config) {
  KeySource source;
  source.what = "the passphrase of cipher gcrypt";
  WALRIG_ASSIGN(source.value, SecretOrNone(config, "passphrase"));
  WALRIG_ASSIGN(source.file, config.TextOr("passphrase_file", ""));
  if (source.empty()) return SecretBytes();
  WALRIG_ASSIGN(SecretBytes text, walrig::ReadKey(ctx, source, 4096));
  // Editors end a file with a line end; nobody types one into a passphrase.
  size_t size = text.size();
  while (size > 0 && (text.data()[size - 1] == '\n' || text.data()[size - 1] == '\r')) --size;
  text.Resize(size);
  if (size == 0) return walrig::ConfigError(source.what + " is empty");
  return text;
}

Result<gcrypt::SealOptions> ReadSealOptions(const sdk::ConfigReader& config) {
  gcrypt::SealOptions options;
  WALRIG_ASSIGN(const std::string algorithm, config.TextOr("algorithm", "aes-256-gcm"));
  if (algorithm == "chacha20-poly1305") options.algorithm = gcrypt::Algorithm::kChaCha20Poly1305;
  WALRIG_ASSIGN(const std::string kdf, config.TextOr("kdf", "argon2id"));
  if (kdf == "scrypt") options.kdf = gcrypt::KdfKind::kScrypt;
  WALRIG_ASSIGN(const uint64_t chunk_bytes, config.UintOr("chunk_size", uint64_t{1} << gcrypt::kChunkLogUsual));
  for (uint8_t log = gcrypt::kChunkLogMin; log <= gcrypt::kChunkLogMax; ++log) {
    if (chunk_bytes != uint64_t{1} << log) continue;
    options.chunk_log = log;
    return options;
  }
  return walrig::ConfigError("option chunk_size: " + std::to_string(chunk_bytes) + " is not a power of two from 4KiB to 1MiB");
}

Result<std::unique_ptr<Cipher>> Create(const Context& ctx, const sdk::ConfigReader& config) {
  WALRIG_ASSIGN(const std::string purpose, config.TextOr("purpose", "data"));
  WALRIG_ASSIGN(gcrypt::KeyRing ring, ReadRing(ctx, config));
  WALRIG_ASSIGN(SecretBytes passphrase, ReadPassphrase(ctx, config));
  WALRIG_ASSIGN(const gcrypt::SealOptions options, ReadSealOptions(config));
  if (purpose == "data" && ring.empty() && passphrase.empty()) {
    return walrig::ConfigError("cipher gcrypt has no key")
        .Hint("make one with walrig key new FILE and set WALRIG_GCRYPT_KEY_FILE=FILE");
  }
  return std::unique_ptr<Cipher>(new GcryptCipher(std::move(ring), std::move(passphrase), options));
}

constexpr const char* kKeySettings[] = {"WALRIG_GCRYPT_KEY", nullptr};
constexpr const char* kKeyFileSettings[] = {"WALRIG_GCRYPT_KEY_FILE", nullptr};
constexpr const char* kKeyCredentialSettings[] = {"WALRIG_GCRYPT_KEY_CREDENTIAL", nullptr};
constexpr const char* kKeyCommandSettings[] = {"WALRIG_GCRYPT_KEY_COMMAND", nullptr};
constexpr const char* kPassphraseSettings[] = {"WALRIG_GCRYPT_PASSPHRASE", nullptr};
constexpr const char* kPassphraseFileSettings[] = {"WALRIG_GCRYPT_PASSPHRASE_FILE", nullptr};
constexpr const char* kAlgorithmSettings[] = {"WALRIG_GCRYPT_ALGORITHM", nullptr};
constexpr const char* kKdfSettings[] = {"WALRIG_GCRYPT_KDF", nullptr};
constexpr const char* kAlgorithms[] = {"aes-256-gcm", "chacha20-poly1305", nullptr};
constexpr const char* kKdfs[] = {"argon2id", "scrypt", nullptr};
constexpr const char* kPurposes[] = {"data", "keys", nullptr};
constexpr walrig_option kOptions[] = {
    sdk::Option{.name = "key_file",
                .type = OptionType::kPath,
                .settings = kKeyFileSettings,
                .help = "File that holds the key: a ring of walrig key new, 32 raw bytes, hex or base64."},
    sdk::Option{.name = "key_credential",
                .settings = kKeyCredentialSettings,
                .help = "Name of the systemd credential that holds the key, as key_file."},
    sdk::Option{.name = "key_command",
                .settings = kKeyCommandSettings,
                .help = "Command that prints the key, as key_file; run by /bin/sh."},
    sdk::Option{.name = "key",
                .secret = true,
                .settings = kKeySettings,
                .help = "The key itself, as hex or base64 of 32 bytes."},
    sdk::Option{.name = "passphrase",
                .secret = true,
                .settings = kPassphraseSettings,
                .help = "Passphrase, for reading beside a key, or for writing too when there is none."},
    sdk::Option{.name = "passphrase_file",
                .type = OptionType::kPath,
                .settings = kPassphraseFileSettings,
                .help = "File that holds the passphrase."},
    sdk::Option{.name = "algorithm",
                .type = OptionType::kEnum,
                .settings = kAlgorithmSettings,
                .default_text = "aes-256-gcm",
                .choices = kAlgorithms,
                .help = "What new objects are encrypted with; chacha20-poly1305 is for machines without AES instructions."},
    sdk::Option{.name = "kdf",
                .type = OptionType::kEnum,
                .settings = kKdfSettings,
                .default_text = "argon2id",
                .choices = kKdfs,
                .help = "How a passphrase becomes a key in new objects."},
    sdk::Option{.name = "chunk_size",
                .type = OptionType::kSize,
                .advanced = true,
                .default_text = "64KiB",
                .min_text = "4KiB",
                .max_text = "1MiB",
                .help = "Plain bytes under one tag; a power of two."},
    sdk::Option{.name = "purpose",
                .type = OptionType::kEnum,
                .advanced = true,
                .default_text = "data",
                .choices = kPurposes,
                .help = "keys: only make and show keys, without having one."},
};
constexpr walrig_factory kGcrypt = sdk::CipherFactory<Create>(
    {.name = "gcrypt", .description = "walrig's own format, by libgcrypt", .options = kOptions});

}  // namespace

WALRIG_EXPORT_PLUGIN_HOOKS(sdk::InitThunk<gcrypt::StartLibrary>, nullptr, "org.walrig.cipher-gcrypt",
                           WALRIG_PLUGIN_VERSION, "Apache-2.0", "cipher:gcrypt",
                           "Chunked AES-256-GCM and ChaCha20-Poly1305 with key rings and recipients", &kGcrypt);
