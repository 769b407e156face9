#include "cli/wiring.h"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <span>

#include "core/base/logger.h"
#include "core/base/string_util.h"
#include "core/io/throttle.h"
#include "core/layout/plugin_set.h"

namespace walrig {
namespace {

struct Chooser {
  std::string_view setting;
  std::string_view plugin;
};

// WAL-G's order (internal/configure.go).
constexpr Chooser kStorages[] = {
    {"WALG_OSS_PREFIX", "oss"},  {"WALG_S3_PREFIX", "s3"},       {"WALG_FILE_PREFIX", "fs"}, {"WALG_GS_PREFIX", "gcs"},
    {"WALG_AZ_PREFIX", "azure"}, {"WALG_SWIFT_PREFIX", "swift"}, {"WALG_SSH_PREFIX", "ssh"},
};
constexpr Chooser kCiphers[] = {
    {"WALRIG_GCRYPT_KEY_FILE", "gcrypt"},
    {"WALRIG_GCRYPT_KEY", "gcrypt"},
    {"WALRIG_GCRYPT_KEY_CREDENTIAL", "gcrypt"},
    {"WALRIG_GCRYPT_KEY_COMMAND", "gcrypt"},
    {"WALRIG_GCRYPT_PASSPHRASE", "gcrypt"},
    {"WALRIG_GCRYPT_PASSPHRASE_FILE", "gcrypt"},
    {"WALG_PGP_KEY", "openpgp"},
    {"WALG_PGP_KEY_PATH", "openpgp"},
    {"WALG_GPG_KEY_ID", "openpgp"},
    {"WALG_ENVELOPE_PGP_KEY", "envelope-pgp"},
    {"WALG_ENVELOPE_PGP_KEY_PATH", "envelope-pgp"},
    {"WALG_CSE_KMS_ID", "aws-kms"},
    {"YC_CSE_KMS_KEY_ID", "yc-kms"},
    {"WALG_LIBSODIUM_KEY", "libsodium"},
    {"WALG_LIBSODIUM_KEY_PATH", "libsodium"},
};

Result<PluginChoice> FromSpec(const SettingValue& value) {
  Result<PluginSpec> spec = ParsePluginSpec(value.text);
  if (!spec.ok()) return std::move(spec).status().With(value.where);
  return PluginChoice{std::move(spec->name), std::move(spec->values), value.where};
}

std::optional<PluginChoice> FirstSet(const Settings& settings, std::span<const Chooser> choosers) {
  for (const Chooser& chooser : choosers) {
    const std::optional<SettingValue> value = settings.FindExplicit(chooser.setting);
    if (value.has_value()) return PluginChoice{std::string(chooser.plugin), {}, value->where};
  }
  return std::nullopt;
}

}  // namespace

SettingLookup LookupIn(const Settings& settings) {
  return [&settings](std::string_view name) -> std::optional<std::string> {
    std::optional<SettingValue> value = settings.FindExplicit(name);
    if (!value.has_value()) return std::nullopt;
    return std::move(value->text);
  };
}

Result<uint64_t> RateSetting(const Settings& settings, std::string_view key, Logger& log) {
  constexpr uint64_t kSuspiciousBytesPerS = 64 * 1024;
  WALRIG_ASSIGN(const uint64_t rate, settings.Size(key));
  if (rate != 0 && rate < kSuspiciousBytesPerS) {
    log.Write(LogLevel::kWarning, "", fmt::format("{} limits to {} bytes a second; a unit may be missing, as in {}={}MB", key, rate, key, settings.Text(key)));
  }
  return rate;
}

Result<PluginChoice> ChooseStorage(const Settings& settings) {
  const std::optional<SettingValue> named = settings.FindExplicit("WALRIG_STORAGE");
  if (named.has_value()) return FromSpec(*named);
  std::optional<PluginChoice> choice = FirstSet(settings, kStorages);
  if (choice.has_value()) return *std::move(choice);
  return ConfigError("no storage is configured")
      .Hint("set WALG_FILE_PREFIX=/directory (or another WALG_*_PREFIX), or give --storage=NAME,key=value");
}

Result<PluginChoice> ChooseCompressor(const Settings& settings) {
  const std::optional<SettingValue> named = settings.FindExplicit("WALRIG_COMPRESSOR");
  if (named.has_value()) return FromSpec(*named);
  const std::optional<SettingValue> method = settings.Find("WALG_COMPRESSION_METHOD");
  PluginChoice choice{ToLower(method->text), {}, method->where};
  const std::optional<SettingValue> level = settings.FindExplicit("WALG_ZSTD_LEVEL");
  if (level.has_value() && choice.name != "zstd") {
    return ConfigError(fmt::format("WALG_ZSTD_LEVEL ({}) goes only with WALG_COMPRESSION_METHOD=zstd, which is {} ({})",
                                   level->where, choice.name, choice.where));
  }
  return choice;
}

std::string PreferredExtension(const Settings& settings) {
  const Result<PluginChoice> compressor = ChooseCompressor(settings);
  if (!compressor.ok()) return {};
  const std::optional<CompressionMethod> method = MethodByName(compressor->name);
  return method.has_value() ? std::string(method->extension) : std::string();
}

Result<PluginChoice> ChooseCipher(const Settings& settings) {
  const std::optional<SettingValue> named = settings.FindExplicit("WALRIG_CIPHER");
  if (named.has_value()) {
    WALRIG_ASSIGN(PluginChoice choice, FromSpec(*named));
    if (choice.name == "none") choice.name.clear();
    return choice;
  }
  std::optional<PluginChoice> choice = FirstSet(settings, kCiphers);
  if (!choice.has_value()) return PluginChoice{};
  // WAL-G takes the first; but who set two keys may be wrong about which one protects the backups.
  std::string names = fmt::format("{} ({})", choice->name, choice->where);
  std::string last = choice->name;
  for (const Chooser& chooser : kCiphers) {
    const std::optional<SettingValue> value = settings.FindExplicit(chooser.setting);
    if (!value.has_value() || chooser.plugin == choice->name || chooser.plugin == last) continue;
    last = chooser.plugin;
    names += fmt::format(", {} ({})", chooser.plugin, value->where);
  }
  if (last != choice->name) {
    return ConfigError("keys of more than one cipher are configured: " + names)
        .Hint("say which one with --cipher=NAME or WALRIG_CIPHER, or take the other keys away");
  }
  return *std::move(choice);
}

Status ForbidCoreDumps(const Settings& settings) {
  WALRIG_ASSIGN(const bool core_dumps, settings.Bool("WALRIG_CORE_DUMPS"));
  if (!core_dumps) (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  return OkStatus();
}

Wiring::Wiring(const Settings& settings, Logger& log) : settings_(settings), log_(log) {}

Wiring::~Wiring() {
  readers_.clear();
  writer_.reset();
  cipher_.reset();
  if (registry_ != nullptr && !keep_plugins_) registry_->Shutdown();
}

Result<Registry*> Wiring::registry(const Context& ctx) {
  if (registry_ == nullptr) {
    WALRIG_ASSIGN(RegistryOptions options, RegistryOptionsFrom(settings_));
    options.on_secret = [this](const std::string& secret) { log_.RegisterSecret(secret); };
    options.on_origin = [this](const OptionOrigin& origin) { origins_.push_back(origin); };
    WALRIG_ASSIGN(registry_, Registry::Open(ctx, std::move(options)));
  }
  return registry_.get();
}

Result<Codec> Wiring::WriteCodec(const Context& ctx) {
  WALRIG_TRY(PrepareCipher(ctx));
  WALRIG_ASSIGN(const PluginChoice choice, ChooseCompressor(settings_));
  if (choice.name == "none") return Codec{.compressor = nullptr, .cipher = cipher_.get()};
  if (writer_ == nullptr) {
    WALRIG_ASSIGN(Registry* const plugins, registry(ctx));
    Result<std::unique_ptr<Compressor>> made =
        plugins->NewCompressor(ctx, choice.name, choice.values, LookupIn(settings_));
    if (!made.ok()) return std::move(made).status().With(fmt::format("compressor {} ({})", choice.name, choice.where));
    if (!(*made)->traits().encode) {
      return NotSupported(fmt::format("compressor {} ({}) only reads", choice.name, choice.where));
    }
    writer_ = std::move(*made);
  }
  return Codec{.compressor = writer_.get(), .cipher = cipher_.get()};
}

Status Wiring::PrepareCipher(const Context& ctx) {
  if (cipher_prepared_) return OkStatus();
  WALRIG_ASSIGN(const PluginChoice choice, ChooseCipher(settings_));
  WALRIG_ASSIGN(plaintext_allowed_, settings_.Bool("WALRIG_ALLOW_PLAINTEXT"));
  WALRIG_ASSIGN(seal_required_, settings_.Bool("WALRIG_REQUIRE_SEAL"));
  if (seal_required_ && choice.name.empty()) {
    return ConfigError("WALRIG_REQUIRE_SEAL is set, and no cipher is configured: there is nothing to seal with")
        .Hint("set a key, or take WALRIG_REQUIRE_SEAL away");
  }
  if (!choice.name.empty()) {
    WALRIG_TRY(ForbidCoreDumps(settings_));
    WALRIG_ASSIGN(Registry* const plugins, registry(ctx));
    Result<std::unique_ptr<Cipher>> made = plugins->NewCipher(ctx, choice.name, choice.values, LookupIn(settings_));
    if (!made.ok()) {
      // A plugin that is not found is not an object that is not found: wal-fetch would tell PostgreSQL that WAL ends.
      const Code code = made.status().code() == Code::kNotFound ? Code::kNotSupported : made.status().code();
      return Status(code, fmt::format("encryption is configured ({}), and cipher {} cannot be used: {}", choice.where,
                                      choice.name, made.status().message()))
          .Hint(made.status().hint());
    }
    cipher_ = std::move(*made);
  }
  cipher_prepared_ = true;
  return OkStatus();
}

Result<Compressor*> Wiring::ForExtension(const Context& ctx, std::string_view extension) {
  extension = CanonicalExtension(extension);
  if (extension.empty()) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto known = readers_.find(extension);
  if (known != readers_.end()) return known->second.get();
  if (writer_ != nullptr && writer_->traits().extension == extension && writer_->traits().decode) return writer_.get();
  return LoadReader(ctx, extension);
}

Result<Compressor*> Wiring::LoadReader(const Context& ctx, std::string_view extension) {
  WALRIG_ASSIGN(Registry* const plugins, registry(ctx));
  std::string name;
  if (const std::optional<CompressionMethod> method = MethodOfExtension(extension)) {
    name = method->compressor;
  } else {
    Result<std::string> found = plugins->CompressorForExtension(extension);
    // A plugin that is not found is not an object that is not found.
    if (found.status().code() == Code::kNotFound) {
      return NotSupported(std::string(found.status().message())).Hint(std::string(found.status().hint()));
    }
    WALRIG_ASSIGN(name, std::move(found));
  }
  Result<std::unique_ptr<Compressor>> made = plugins->NewCompressor(ctx, name, {}, SettingLookup());
  if (!made.ok()) {
    const Code code = made.status().code() == Code::kNotFound ? Code::kNotSupported : made.status().code();
    return Status(code, fmt::format("objects ending in .{} cannot be read: {}", extension, made.status().message()))
        .Hint(made.status().hint());
  }
  Compressor* const raw = made->get();
  readers_.emplace(extension, std::move(*made));
  return raw;
}

}  // namespace walrig
