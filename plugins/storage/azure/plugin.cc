// The door of storage-azure.so.
#include "plugins/common/http/client.h"
#include "plugins/storage/azure/open.h"
#include "plugins/storage/azure/storage.h"
#include "walrig/export.h"

namespace {

using walrig::Code;
using walrig::Context;
using walrig::OptionType;
using walrig::Result;
using walrig::Status;
using walrig::Storage;
namespace azure = walrig::azure;
namespace sdk = walrig::sdk;

Status ReadText(const sdk::ConfigReader& config, const char* name, std::string* into) {
  WALRIG_ASSIGN(*into, config.TextOr(name, ""));
  return walrig::OkStatus();
}

Status ReadSecret(const sdk::ConfigReader& config, const char* name, sdk::Secret* into) {
  Result<sdk::Secret> secret = config.SecretOf(name);
  if (!secret.ok()) return secret.status().code() == Code::kNotFound ? walrig::OkStatus() : secret.status();
  *into = std::move(secret).value();
  return walrig::OkStatus();
}

Result<std::unique_ptr<Storage>> Create(const Context&, const sdk::ConfigReader& config) {
  azure::Config c;
  const std::pair<const char*, std::string*> texts[] = {
      {"prefix", &c.prefix}, {"account", &c.account}, {"endpoint", &c.endpoint}, {"environment", &c.environment},
      {"endpoint_suffix", &c.endpoint_suffix}, {"tenant_id", &c.tenant_id}, {"client_id", &c.client_id},
      {"authority_host", &c.authority_host}, {"federated_token_file", &c.federated_token_file},
      {"identity_endpoint", &c.identity_endpoint}, {"imds_host", &c.imds_host}, {"api_version", &c.api_version},
      {"tier", &c.access_tier}, {"upload_check", &c.upload_check}, {"ca_file", &c.ca_file}, {"proxy", &c.proxy}};
  for (const auto& [name, into] : texts) WALRIG_TRY(ReadText(config, name, into));
  const std::pair<const char*, sdk::Secret*> secrets[] = {
      {"access_key", &c.access_key}, {"sas_token", &c.sas_token}, {"connection_string", &c.connection_string},
      {"client_secret", &c.client_secret}, {"identity_header", &c.identity_header}};
  for (const auto& [name, into] : secrets) WALRIG_TRY(ReadSecret(config, name, into));
  WALRIG_ASSIGN(c.block_bytes, config.UintOr("buffer_size", c.block_bytes));
  WALRIG_ASSIGN(c.buffers_max, config.UintOr("max_buffers", c.buffers_max));
  WALRIG_ASSIGN(c.try_timeout_minutes, config.UintOr("try_timeout", c.try_timeout_minutes));
  return azure::OpenStorage(c);
}

// The settings of each option; NAME{} makes a list of one.
#define WALRIG_ONE(list, setting) constexpr const char* list[] = {setting, nullptr}
constexpr const char* kPrefix[] = {"WALG_AZ_PREFIX", "WALE_AZ_PREFIX", nullptr};
constexpr const char* kCaFile[] = {"WALRIG_AZURE_CA_FILE", "WALRIG_CA_FILE", nullptr};
WALRIG_ONE(kAccount, "AZURE_STORAGE_ACCOUNT");
WALRIG_ONE(kAccessKey, "AZURE_STORAGE_ACCESS_KEY");
WALRIG_ONE(kSasToken, "AZURE_STORAGE_SAS_TOKEN");
WALRIG_ONE(kConnection, "AZURE_STORAGE_CONNECTION_STRING");
WALRIG_ONE(kEndpoint, "AZURE_ENDPOINT");
WALRIG_ONE(kEnvironment, "AZURE_ENVIRONMENT_NAME");
WALRIG_ONE(kSuffix, "AZURE_ENDPOINT_SUFFIX");
WALRIG_ONE(kBufferSize, "AZURE_BUFFER_SIZE");
WALRIG_ONE(kMaxBuffers, "AZURE_MAX_BUFFERS");
WALRIG_ONE(kTryTimeout, "AZURE_TRY_TIMEOUT");
WALRIG_ONE(kApiVersion, "AZURE_BLOB_STORE_API_VERSION");
WALRIG_ONE(kTier, "WALRIG_AZURE_TIER");
WALRIG_ONE(kUploadCheck, "WALRIG_AZURE_UPLOAD_CHECK");
WALRIG_ONE(kTenant, "AZURE_TENANT_ID");
WALRIG_ONE(kClient, "AZURE_CLIENT_ID");
WALRIG_ONE(kClientSecret, "AZURE_CLIENT_SECRET");
WALRIG_ONE(kTokenFile, "AZURE_FEDERATED_TOKEN_FILE");
WALRIG_ONE(kAuthority, "AZURE_AUTHORITY_HOST");
WALRIG_ONE(kImds, "AZURE_POD_IDENTITY_AUTHORITY_HOST");
WALRIG_ONE(kIdentityEndpoint, "IDENTITY_ENDPOINT");
WALRIG_ONE(kIdentityHeader, "IDENTITY_HEADER");
#undef WALRIG_ONE

constexpr const char* kTiers[] = {"Hot", "Cool", "Cold", nullptr};
constexpr const char* kChecks[] = {"crc64", "md5", nullptr};

constexpr walrig_option kOptions[] = {
    sdk::Option{.name = "prefix", .required = true, .settings = kPrefix,
                .help = "Where objects are: azure://container/path. The container must exist."},
    sdk::Option{.name = "account", .settings = kAccount, .help = "Name of the storage account."},
    sdk::Option{.name = "access_key", .secret = true, .settings = kAccessKey, .help = "Key of the storage account.",
                .group = "Credentials"},
    sdk::Option{.name = "sas_token", .secret = true, .settings = kSasToken, .help = "Shared access signature.",
                .group = "Credentials"},
    sdk::Option{.name = "connection_string", .secret = true, .settings = kConnection,
                .help = "Connection string of the account. It gives what other options leave open.",
                .group = "Credentials"},
    sdk::Option{.name = "tenant_id", .settings = kTenant, .help = "Tenant of the application.", .group = "Credentials"},
    sdk::Option{.name = "client_id", .settings = kClient,
                .help = "Application, or which of the machine's identities.", .group = "Credentials"},
    sdk::Option{.name = "client_secret", .secret = true, .settings = kClientSecret,
                .help = "Secret of the application.", .group = "Credentials"},
    sdk::Option{.name = "federated_token_file", .type = OptionType::kPath, .settings = kTokenFile,
                .help = "Token of the cluster, for workload identity.", .group = "Credentials"},
    sdk::Option{.name = "authority_host", .advanced = true, .settings = kAuthority,
                .help = "Where tokens are issued. The cloud's own by default.", .group = "Credentials"},
    sdk::Option{.name = "imds_host", .advanced = true, .settings = kImds,
                .help = "The machine's metadata service.", .group = "Credentials"},
    sdk::Option{.name = "identity_endpoint", .advanced = true, .settings = kIdentityEndpoint,
                .help = "App Service's token service.", .group = "Credentials"},
    sdk::Option{.name = "identity_header", .secret = true, .advanced = true, .settings = kIdentityHeader,
                .help = "Proof for App Service's token service.", .group = "Credentials"},
    sdk::Option{.name = "endpoint", .settings = kEndpoint,
                .help = "URL of the blob service, with the account in the path as emulators have it."},
    sdk::Option{.name = "environment", .settings = kEnvironment, .default_text = "AzurePublicCloud",
                .help = "Which of Azure's clouds."},
    sdk::Option{.name = "endpoint_suffix", .settings = kSuffix, .help = "Domain of the service: core.windows.net."},
    sdk::Option{.name = "buffer_size", .type = OptionType::kSize, .settings = kBufferSize, .default_text = "8388608",
                .min_text = "1024", .max_text = "4000MiB", .help = "Size of a block of an upload."},
    sdk::Option{.name = "max_buffers", .type = OptionType::kUint, .settings = kMaxBuffers, .default_text = "4",
                .min_text = "1", .max_text = "64", .help = "How many blocks of an upload are held at once."},
    sdk::Option{.name = "try_timeout", .type = OptionType::kUint, .settings = kTryTimeout, .default_text = "5",
                .min_text = "1", .max_text = "1440", .help = "Minutes that one request may take."},
    sdk::Option{.name = "tier", .type = OptionType::kEnum, .settings = kTier, .choices = kTiers,
                .help = "Access tier of new objects. The account's by default."},
    sdk::Option{.name = "upload_check", .type = OptionType::kEnum, .advanced = true, .settings = kUploadCheck,
                .default_text = "crc64", .choices = kChecks, .help = "Checksum that the service compares."},
    sdk::Option{.name = "api_version", .advanced = true, .settings = kApiVersion,
                .help = "Version of the service's interface. 2021-12-02 by default."},
    sdk::Option{.name = "ca_file", .type = OptionType::kPath, .settings = kCaFile,
                .help = "Certificates to trust instead of the system's."},
    sdk::Option{.name = "proxy", .advanced = true, .help = "Proxy; - uses none. The environment's by default."},
};
constexpr walrig_factory kAzure = sdk::StorageFactory<Create>(
    {.name = "azure", .description = "Objects as block blobs in Azure Blob Storage", .options = kOptions},
    azure::kCapabilities);

}  // namespace

WALRIG_EXPORT_PLUGIN_HOOKS(sdk::InitThunk<walrig::HttpGlobalInit>, nullptr, "org.walrig.storage-azure",
                           WALRIG_PLUGIN_VERSION, "Apache-2.0", "storage:azure",
                           "Objects as block blobs in Azure Blob Storage", &kAzure);
