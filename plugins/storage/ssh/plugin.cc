// The door of storage-ssh.so.
#include <algorithm>

#include "plugins/common/ssh/key_file.h"
#include "plugins/common/ssh/url.h"
#include "plugins/storage/ssh/storage.h"
#include "walrig/export.h"

namespace {

using walrig::ConfigError;
using walrig::Context;
using walrig::OptionType;
using walrig::Result;
using walrig::Status;
using walrig::Storage;
namespace sdk = walrig::sdk;
namespace ssh = walrig::ssh;

constexpr uint64_t kNsPerMs = 1'000'000;

Result<sdk::Secret> SecretOrNone(const sdk::ConfigReader& config, const char* name) {
  Result<sdk::Secret> secret = config.SecretOf(name);
  if (!secret.ok() && secret.status().code() == walrig::Code::kNotFound) return sdk::Secret();
  return secret;
}

// Colon-separated, as PATH.
std::vector<std::string> SplitPaths(const std::string& text) {
  std::vector<std::string> paths;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(':', begin), text.size());
    if (end > begin) paths.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return paths;
}

Status ReadSession(const sdk::ConfigReader& config, ssh::SessionOptions* session) {
  WALRIG_ASSIGN(session->password, SecretOrNone(config, "password"));
  WALRIG_ASSIGN(session->password_file, config.TextOr("password_file", ""));
  WALRIG_ASSIGN(session->private_key_path, config.TextOr("private_key_path", ""));
  WALRIG_ASSIGN(session->passphrase, SecretOrNone(config, "passphrase"));
  WALRIG_ASSIGN(session->passphrase_file, config.TextOr("passphrase_file", ""));
  WALRIG_ASSIGN(session->use_agent, config.BoolOr("agent", true));
  WALRIG_ASSIGN(const std::string known_hosts, config.TextOr("known_hosts", ""));
  session->known_hosts = SplitPaths(known_hosts);
  WALRIG_ASSIGN(const uint64_t connect_ns, config.Uint("connect_timeout"));
  WALRIG_ASSIGN(const uint64_t stall_ns, config.Uint("stall_timeout"));
  WALRIG_ASSIGN(const uint64_t keepalive_ns, config.Uint("keepalive"));
  session->connect_timeout_ms = connect_ns / kNsPerMs;
  session->stall_timeout_ms = stall_ns / kNsPerMs;
  session->keepalive_s = static_cast<uint32_t>(std::min<uint64_t>(keepalive_ns / kNsPerMs / 1000, 86'400));
  return walrig::OkStatus();
}

Result<std::unique_ptr<Storage>> Create(const Context&, const sdk::ConfigReader& config) {
  WALRIG_ASSIGN(const std::string prefix, config.TextOr("prefix", ""));
  WALRIG_ASSIGN(const ssh::SshUrl url, ssh::ParseSshUrl(prefix));
  ssh::StorageOptions options;
  WALRIG_ASSIGN(const uint64_t port, config.UintOr("port", 22));
  WALRIG_ASSIGN(const std::string user, config.TextOr("username", ""));
  // What stands in the URL was said of this storage, a setting may be said of many.
  options.session.host = url.host;
  options.session.port = url.port.value_or(static_cast<uint16_t>(port));
  options.session.user = url.user.empty() ? user : url.user;
  options.root = url.path;
  WALRIG_TRY(ReadSession(config, &options.session));
  WALRIG_ASSIGN(options.sync, config.BoolOr("fsync", true));
  WALRIG_ASSIGN(options.put_if_absent, config.BoolOr("put_if_absent", true));
  WALRIG_ASSIGN(const uint64_t connections, config.Uint("connections"));
  options.connections_max = static_cast<uint32_t>(connections);
  WALRIG_ASSIGN(options.in_flight_bytes, config.Uint("in_flight"));
  return std::unique_ptr<Storage>(std::make_unique<ssh::SshStorage>(std::move(options)));
}

constexpr const char* kAliases[] = {"sftp", nullptr};
constexpr const char* kPrefixSettings[] = {"WALG_SSH_PREFIX", nullptr};
constexpr const char* kPortSettings[] = {"SSH_PORT", nullptr};
constexpr const char* kUserSettings[] = {"SSH_USERNAME", nullptr};
constexpr const char* kPasswordSettings[] = {"SSH_PASSWORD", nullptr};
constexpr const char* kPasswordFileSettings[] = {"WALRIG_SSH_PASSWORD_FILE", nullptr};
constexpr const char* kKeySettings[] = {"SSH_PRIVATE_KEY_PATH", nullptr};
constexpr const char* kPhraseSettings[] = {"WALRIG_SSH_KEY_PASSPHRASE", nullptr};
constexpr const char* kPhraseFileSettings[] = {"WALRIG_SSH_KEY_PASSPHRASE_FILE", nullptr};
constexpr const char* kKnownHostsSettings[] = {"WALRIG_SSH_KNOWN_HOSTS", nullptr};
constexpr const char* kConnectionsSettings[] = {"WALRIG_SSH_CONNECTIONS", nullptr};
constexpr walrig_option kOptions[] = {
    sdk::Option{.name = "prefix", .type = OptionType::kString, .required = true, .settings = kPrefixSettings,
                .help = "ssh://[user@]host[:port]/path: the directory on the other host. It is made when it is missing."},
    sdk::Option{.name = "port", .type = OptionType::kUint, .settings = kPortSettings, .default_text = "22",
                .min_text = "1", .max_text = "65535", .help = "Port of the SSH server, when the prefix has none."},
    sdk::Option{.name = "username", .type = OptionType::kString, .settings = kUserSettings,
                .help = "User on the SSH server, when the prefix has none; else the user that runs walrig."},
    sdk::Option{.name = "private_key_path", .type = OptionType::kPath, .settings = kKeySettings,
                .help = "File with the private key, ed25519 or ECDSA. Without it the agent is asked, then "
                        "~/.ssh/id_ed25519 and ~/.ssh/id_ecdsa."},
    sdk::Option{.name = "passphrase", .type = OptionType::kString, .secret = true, .settings = kPhraseSettings,
                .help = "Passphrase of the private key."},
    sdk::Option{.name = "passphrase_file", .type = OptionType::kPath, .settings = kPhraseFileSettings,
                .help = "File with the passphrase of the private key; goes before passphrase."},
    sdk::Option{.name = "agent", .type = OptionType::kBool, .advanced = true, .default_text = "true",
                .help = "Ask the agent at SSH_AUTH_SOCK when no private key is named."},
    sdk::Option{.name = "password", .type = OptionType::kString, .secret = true, .settings = kPasswordSettings,
                .help = "Password on the SSH server, tried after the keys."},
    sdk::Option{.name = "password_file", .type = OptionType::kPath, .settings = kPasswordFileSettings,
                .help = "File with the password; goes before password."},
    sdk::Option{.name = "known_hosts", .type = OptionType::kString, .settings = kKnownHostsSettings,
                .help = "Files with the keys of known hosts, with colons between; else ~/.ssh/known_hosts and "
                        "/etc/ssh/ssh_known_hosts."},
    sdk::Option{.name = "connections", .type = OptionType::kUint, .settings = kConnectionsSettings,
                .default_text = "16", .min_text = "1", .max_text = "256",
                .help = "Connections at the most; more streams than that share them."},
    sdk::Option{.name = "in_flight", .type = OptionType::kSize, .advanced = true, .default_text = "2MiB",
                .min_text = "256KiB", .max_text = "256MiB",
                .help = "Bytes of one stream that are under way at once. More fills longer links."},
    sdk::Option{.name = "connect_timeout", .type = OptionType::kTime, .advanced = true, .default_text = "30s",
                .min_text = "1s", .max_text = "1h", .help = "For the connection, the host key and the login together."},
    sdk::Option{.name = "stall_timeout", .type = OptionType::kTime, .advanced = true, .default_text = "60s",
                .min_text = "1s", .max_text = "1h", .help = "How long the server may say nothing at all."},
    sdk::Option{.name = "keepalive", .type = OptionType::kTime, .advanced = true, .default_text = "15s",
                .min_text = "0s", .max_text = "1h", .help = "When to ask a silent server for a sign of life; 0 never."},
    sdk::Option{.name = "fsync", .type = OptionType::kBool, .advanced = true, .default_text = "true",
                .help = "Let the server make every object durable before it counts as stored, where it can."},
    sdk::Option{.name = "put_if_absent", .type = OptionType::kBool, .advanced = true, .default_text = "true",
                .help = "Make an object only when there is none of its name. Off for servers without "
                        "hardlink@openssh.com, or whose file system has no hard links: of two writers of one name the "
                        "later wins unnoticed."},
};
constexpr walrig_factory kSsh = sdk::StorageFactory<Create>(
    {.name = "ssh", .aliases = kAliases, .description = "Objects as files on another host, over SFTP", .options = kOptions},
    walrig::ssh::kCapabilities);

}  // namespace

WALRIG_EXPORT_PLUGIN("org.walrig.storage-ssh", WALRIG_PLUGIN_VERSION, "Apache-2.0", "storage:ssh,storage:sftp",
                     "Objects as files on another host, over SFTP", &kSsh);
