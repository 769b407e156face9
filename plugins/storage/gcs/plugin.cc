// The door of storage-gcs.so.
#include <algorithm>

#include "plugins/common/http/text.h"
#include "plugins/storage/gcs/credentials.h"
#include "plugins/storage/gcs/storage.h"
#include "walrig/export.h"

namespace {

using walrig::Context;
using walrig::OptionType;
using walrig::Result;
using walrig::Storage;
namespace gcs = walrig::gcs;
namespace sdk = walrig::sdk;

constexpr const char* kGoogle = "https://storage.googleapis.com";
constexpr uint64_t kNsPerMs = 1'000'000;

// STORAGE_EMULATOR_HOST means a server that asks for no credentials, as for Google's clients.
Result<gcs::Credentials> CredentialsFor(const Context& ctx, const sdk::ConfigReader& config, bool emulator) {
  WALRIG_ASSIGN(const std::string how, config.TextOr("auth", "auto"));
  WALRIG_ASSIGN(const std::string file, config.TextOr("credentials", ""));
  if (how == "none" || (how == "auto" && emulator && file.empty())) return gcs::Credentials{};
  return gcs::FindCredentials(ctx, file);
}

Result<walrig::HttpOptions> HttpFor(const sdk::ConfigReader& config) {
  walrig::HttpOptions http;
  WALRIG_ASSIGN(http.ca_file, config.TextOr("ca_file", ""));
  WALRIG_ASSIGN(http.proxy, config.TextOr("proxy", ""));
  WALRIG_ASSIGN(const uint64_t connect_ns, config.Uint("connect_timeout"));
  WALRIG_ASSIGN(const uint64_t stall_ns, config.Uint("stall_timeout"));
  WALRIG_ASSIGN(const uint64_t total_s, config.UintOr("timeout", 0));
  http.connect_timeout_ms = static_cast<uint32_t>(connect_ns / kNsPerMs);
  http.stall_timeout_ms = static_cast<uint32_t>(stall_ns / kNsPerMs);
  http.total_timeout_ms = static_cast<uint32_t>(std::min<uint64_t>(total_s, UINT32_MAX / 1000) * 1000);
  http.user_agent = std::string("walrig/") + WALRIG_PLUGIN_VERSION;
  return http;
}

Result<std::unique_ptr<Storage>> Create(const Context& ctx, const sdk::ConfigReader& config) {
  gcs::ClientOptions options;
  WALRIG_ASSIGN(const std::string prefix, config.Text("prefix"));
  WALRIG_ASSIGN(const bool normalize, config.BoolOr("normalize_prefix", true));
  WALRIG_ASSIGN(options.place, gcs::ParsePlace(prefix, normalize));
  WALRIG_ASSIGN(const std::string endpoint, config.TextOr("endpoint", ""));
  WALRIG_ASSIGN(const std::string emulator, config.TextOr("emulator", ""));
  WALRIG_ASSIGN(options.endpoint, gcs::ParseEndpoint(!endpoint.empty() ? endpoint : !emulator.empty() ? emulator : kGoogle,
                                                     endpoint.empty() && !emulator.empty() ? "http" : "https"));
  WALRIG_ASSIGN(options.user_project, config.TextOr("user_project", ""));
  Result<sdk::Secret> key = config.SecretOf("encryption_key");
  if (key.ok()) options.csek_base64 = key->bytes();
  else if (key.status().code() != walrig::Code::kNotFound) return std::move(key).status();

  gcs::WriterOptions writer;
  WALRIG_ASSIGN(writer.piece_bytes_max, config.Uint("chunk_size"));
  WALRIG_ASSIGN(const uint64_t parallel, config.Uint("parallel"));
  writer.parallel = static_cast<uint32_t>(parallel);
  WALRIG_ASSIGN(walrig::HttpOptions http, HttpFor(config));
  WALRIG_ASSIGN(gcs::Credentials credentials, CredentialsFor(ctx, config, !emulator.empty()));
  const std::string& url = options.endpoint;
  const Result<walrig::http::Url> parsed = walrig::http::ParseUrl(url);
  const bool here = parsed.ok() && walrig::http::IsLoopback(parsed->host);
  const bool in_clear = url.starts_with("http://") && !here;
  if (in_clear && credentials.kind != gcs::CredentialKind::kNone && emulator.empty()) {
    return walrig::ConfigError("the endpoint is plain http, over which credentials would be seen")
        .Hint("use https, or say auth=none for a server that asks for no credentials");
  }
  WALRIG_ASSIGN(std::unique_ptr<gcs::Client> client, gcs::Client::New(std::move(options), std::move(credentials), std::move(http)));
  return std::unique_ptr<Storage>(std::make_unique<gcs::GcsStorage>(std::move(client), writer));
}

constexpr const char* kAliases[] = {"gs", nullptr};
constexpr const char* kPrefix[] = {"WALG_GS_PREFIX", "WALE_GS_PREFIX", nullptr};
constexpr const char* kCredentials[] = {"GOOGLE_APPLICATION_CREDENTIALS", nullptr};
constexpr const char* kEndpoint[] = {"WALG_GS_ENDPOINT", nullptr};
constexpr const char* kEmulator[] = {"STORAGE_EMULATOR_HOST", nullptr};
constexpr const char* kNormalize[] = {"GCS_NORMALIZE_PREFIX", nullptr};
constexpr const char* kKey[] = {"GCS_ENCRYPTION_KEY", nullptr};
constexpr const char* kChunk[] = {"GCS_MAX_CHUNK_SIZE", nullptr};
constexpr const char* kTimeout[] = {"GCS_CONTEXT_TIMEOUT", nullptr};
constexpr const char* kCa[] = {"WALG_GS_CA_CERT_FILE", "WALRIG_CA_FILE", nullptr};
constexpr const char* kAuthKinds[] = {"auto", "none", nullptr};
constexpr walrig_option kOptions[] = {
    sdk::Option{.name = "prefix", .type = OptionType::kString, .required = true, .settings = kPrefix,
                .help = "Bucket and path: gs://bucket/path."},
    sdk::Option{.name = "credentials", .type = OptionType::kPath, .settings = kCredentials,
                .help = "File with the credentials. Without it they are looked for as Google's clients do: gcloud's own file, then "
                        "the machine's metadata server."},
    sdk::Option{.name = "auth", .type = OptionType::kEnum, .default_text = "auto", .choices = kAuthKinds,
                .help = "none sends no credentials."},
    sdk::Option{.name = "endpoint", .type = OptionType::kString, .settings = kEndpoint, .help = "URL of another server of the same API."},
    sdk::Option{.name = "emulator", .type = OptionType::kString, .settings = kEmulator,
                .help = "Host and port, or URL, of an emulator, which gets no credentials unless a file is named."},
    sdk::Option{.name = "normalize_prefix", .type = OptionType::kBool, .advanced = true, .settings = kNormalize, .default_text = "true",
                .help = "Doubled slashes in the prefix count as one. Off for archives of WAL-E."},
    sdk::Option{.name = "encryption_key", .type = OptionType::kString, .secret = true, .settings = kKey,
                .help = "AES-256 key in base64 that the server encrypts with and forgets."},
    sdk::Option{.name = "chunk_size", .type = OptionType::kSize, .advanced = true, .settings = kChunk, .default_text = "50MiB",
                .min_text = "256KiB", .max_text = "5GiB",
                .help = "Largest piece of an upload; the memory that the core allows makes it smaller."},
    sdk::Option{.name = "parallel", .type = OptionType::kUint, .default_text = "4", .min_text = "1", .max_text = "64",
                .help = "Pieces of one upload that go side by side, and are then composed. 1 uses a resumable session and makes no "
                        "temporary objects."},
    sdk::Option{.name = "user_project", .type = OptionType::kString, .advanced = true, .help = "Project that pays for the requests."},
    sdk::Option{.name = "ca_file", .type = OptionType::kPath, .advanced = true, .settings = kCa,
                .help = "Certificates to trust instead of the system's, PEM."},
    sdk::Option{.name = "proxy", .type = OptionType::kString, .advanced = true, .help = "Proxy; - for none. By default as the environment says."},
    sdk::Option{.name = "timeout", .type = OptionType::kUint, .advanced = true, .settings = kTimeout,
                .help = "Seconds that one request may take. By default as long as bytes move."},
    sdk::Option{.name = "connect_timeout", .type = OptionType::kTime, .advanced = true, .default_text = "10s",
                .min_text = "1ms", .max_text = "1h", .help = "Time to connect."},
    sdk::Option{.name = "stall_timeout", .type = OptionType::kTime, .advanced = true, .default_text = "60s",
                .min_text = "1ms", .max_text = "1h", .help = "Time without a byte after which a request is given up."},
};
constexpr walrig_factory kGcs = sdk::StorageFactory<Create>(
    {.name = "gcs", .aliases = kAliases, .description = "Google Cloud Storage", .options = kOptions}, gcs::kCapabilities);

}  // namespace

WALRIG_EXPORT_PLUGIN_HOOKS(sdk::InitThunk<walrig::HttpGlobalInit>, nullptr, "org.walrig.storage-gcs", WALRIG_PLUGIN_VERSION, "Apache-2.0",
                           "storage:gcs,storage:gs", "Google Cloud Storage", &kGcs);
