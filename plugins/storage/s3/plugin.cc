// The door of storage-s3.so.
#include "plugins/storage/s3/storage.h"
#include "walrig/export.h"

namespace {

using walrig::Context;
using walrig::OptionType;
using walrig::Result;
using walrig::Storage;
namespace sdk = walrig::sdk;

Result<std::unique_ptr<Storage>> Create(const Context&, const sdk::ConfigReader& config) {
  WALRIG_ASSIGN(walrig::s3::Settings settings, walrig::s3::Settings::From(config));
  return walrig::s3::S3Storage::Open(std::move(settings));
}

constexpr const char* kPrefix[] = {"WALG_S3_PREFIX", "WALE_S3_PREFIX", nullptr};
constexpr const char* kAccessKey[] = {"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", nullptr};
constexpr const char* kSecretKey[] = {"AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", nullptr};
constexpr const char* kRegion[] = {"AWS_REGION", "AWS_DEFAULT_REGION", nullptr};
constexpr const char* kCaFile[] = {"S3_CA_CERT_FILE", "WALRIG_CA_FILE", nullptr};
#define WALRIG_S3_SETTING(variable, name) constexpr const char* variable[] = {name, nullptr}
WALRIG_S3_SETTING(kSessionToken, "AWS_SESSION_TOKEN");
WALRIG_S3_SETTING(kRoleArn, "AWS_ROLE_ARN");
WALRIG_S3_SETTING(kRoleSessionName, "AWS_ROLE_SESSION_NAME");
WALRIG_S3_SETTING(kWebIdentity, "AWS_WEB_IDENTITY_TOKEN_FILE");
WALRIG_S3_SETTING(kStsEndpoint, "AWS_ENDPOINT_URL_STS");
WALRIG_S3_SETTING(kImdsEndpoint, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
WALRIG_S3_SETTING(kProfile, "AWS_PROFILE");
WALRIG_S3_SETTING(kConfigFile, "AWS_CONFIG_FILE");
WALRIG_S3_SETTING(kCredentialsFile, "AWS_SHARED_CREDENTIALS_FILE");
WALRIG_S3_SETTING(kEndpoint, "AWS_ENDPOINT");
WALRIG_S3_SETTING(kPathStyle, "AWS_S3_FORCE_PATH_STYLE");
WALRIG_S3_SETTING(kDualStack, "AWS_DUAL_STACK");
WALRIG_S3_SETTING(kStorageClass, "S3_STORAGE_CLASS");
WALRIG_S3_SETTING(kSse, "S3_SSE");
WALRIG_S3_SETTING(kSseC, "S3_SSE_C");
WALRIG_S3_SETTING(kSseKmsId, "S3_SSE_KMS_ID");
WALRIG_S3_SETTING(kMaxPartSize, "S3_MAX_PART_SIZE");
WALRIG_S3_SETTING(kConcurrency, "WALG_UPLOAD_CONCURRENCY");
WALRIG_S3_SETTING(kListV1, "S3_USE_LIST_OBJECTS_V1");
WALRIG_S3_SETTING(kDeleteBatch, "S3_DELETE_BATCH_SIZE");
WALRIG_S3_SETTING(kVersioning, "S3_ENABLE_VERSIONING");
WALRIG_S3_SETTING(kRetentionPeriod, "S3_RETENTION_PERIOD");
WALRIG_S3_SETTING(kRetentionMode, "S3_RETENTION_MODE");
WALRIG_S3_SETTING(kHeaders, "S3_REQUEST_ADDITIONAL_HEADERS");
WALRIG_S3_SETTING(kNoContinue, "S3_DISABLE_100_CONTINUE");
WALRIG_S3_SETTING(kEndpointSource, "S3_ENDPOINT_SOURCE");
WALRIG_S3_SETTING(kYandexToken, "S3_USE_YC_SESSION_TOKEN");
#undef WALRIG_S3_SETTING

constexpr const char* kChecksums[] = {"crc32c", "none", nullptr};
constexpr const char* kVersionings[] = {"auto", "enabled", "disabled", nullptr};
constexpr const char* kModes[] = {"GOVERNANCE", "COMPLIANCE", nullptr};

constexpr walrig_option kOptions[] = {
    sdk::Option{.name = "prefix", .required = true, .settings = kPrefix, .help = "s3://bucket/path."},
    sdk::Option{.name = "endpoint", .settings = kEndpoint, .help = "URL of a server that speaks S3; AWS without it."},
    sdk::Option{.name = "endpoint_source", .advanced = true, .settings = kEndpointSource,
                .help = "Not supported; refused, since without it the objects would go to another server."},
    sdk::Option{.name = "yc_session_token", .advanced = true, .settings = kYandexToken,
                .help = "Not supported; refused, since without it the keys would be others."},
    sdk::Option{.name = "region", .settings = kRegion, .help = "Region of the bucket; asked for when it is not given."},
    sdk::Option{.name = "path_style", .type = OptionType::kBool, .settings = kPathStyle, .default_text = "false",
                .help = "The bucket stands in the path, not in the host name."},
    sdk::Option{.name = "dual_stack", .type = OptionType::kBool, .settings = kDualStack, .default_text = "false",
                .help = "Use AWS's endpoints with IPv6."},
    sdk::Option{.name = "ca_file", .type = OptionType::kPath, .settings = kCaFile,
                .help = "Certificates to trust instead of the system's, in PEM."},
    sdk::Option{.name = "proxy", .advanced = true, .help = "URL of a proxy; - for none. Without it http_proxy, https_proxy and no_proxy count."},
    sdk::Option{.name = "connect_timeout", .type = OptionType::kTime, .advanced = true, .default_text = "10s",
                .min_text = "1ms", .max_text = "1h", .help = "How long a connection may take."},
    sdk::Option{.name = "stall_timeout", .type = OptionType::kTime, .advanced = true, .default_text = "60s",
                .min_text = "1ms", .max_text = "1h", .help = "How long no byte may move before an attempt counts as failed."},
    sdk::Option{.name = "access_key", .secret = true, .settings = kAccessKey, .help = "Access key.", .group = "credentials"},
    sdk::Option{.name = "secret_key", .secret = true, .settings = kSecretKey, .help = "Its secret.", .group = "credentials"},
    sdk::Option{.name = "session_token", .secret = true, .settings = kSessionToken, .help = "Token of temporary keys.", .group = "credentials"},
    sdk::Option{.name = "profile", .settings = kProfile, .help = "Profile of the AWS files.", .group = "credentials"},
    sdk::Option{.name = "config_file", .type = OptionType::kPath, .advanced = true, .settings = kConfigFile,
                .help = "The AWS configuration file; ~/.aws/config without it.", .group = "credentials"},
    sdk::Option{.name = "credentials_file", .type = OptionType::kPath, .advanced = true, .settings = kCredentialsFile,
                .help = "The AWS credentials file; ~/.aws/credentials without it.", .group = "credentials"},
    sdk::Option{.name = "role_arn", .settings = kRoleArn, .help = "Role to assume.", .group = "credentials"},
    sdk::Option{.name = "role_session_name", .settings = kRoleSessionName, .default_text = "walrig",
                .help = "Name of the role's session.", .group = "credentials"},
    sdk::Option{.name = "external_id", .advanced = true, .help = "External id that the role demands.", .group = "credentials"},
    sdk::Option{.name = "web_identity_token_file", .type = OptionType::kPath, .settings = kWebIdentity,
                .help = "File with the token of a web identity (IRSA).", .group = "credentials"},
    sdk::Option{.name = "sts_endpoint", .advanced = true, .settings = kStsEndpoint, .help = "URL of STS; the region's without it.", .group = "credentials"},
    sdk::Option{.name = "imds_endpoint", .advanced = true, .settings = kImdsEndpoint, .help = "URL of the instance's metadata.", .group = "credentials"},
    sdk::Option{.name = "anonymous", .type = OptionType::kBool, .advanced = true, .default_text = "false",
                .help = "Sign nothing.", .group = "credentials"},
    sdk::Option{.name = "storage_class", .settings = kStorageClass, .help = "Storage class of new objects.", .group = "objects"},
    sdk::Option{.name = "sse", .settings = kSse, .help = "AES256 or aws:kms.", .group = "objects"},
    sdk::Option{.name = "sse_kms_id", .settings = kSseKmsId, .help = "Key for aws:kms.", .group = "objects"},
    sdk::Option{.name = "sse_c_key", .secret = true, .settings = kSseC,
                .help = "Key of 32 bytes, or its base64, that the server encrypts with and forgets.", .group = "objects"},
    sdk::Option{.name = "tags", .help = "Tags of new objects, a=b&c=d.", .group = "objects"},
    sdk::Option{.name = "acl", .advanced = true, .help = "Canned ACL of new objects.", .group = "objects"},
    sdk::Option{.name = "retention_period", .type = OptionType::kInt, .settings = kRetentionPeriod, .default_text = "-1",
                .help = "Seconds for which a new object is locked; -1 for none.", .group = "objects"},
    sdk::Option{.name = "retention_mode", .type = OptionType::kEnum, .settings = kRetentionMode, .default_text = "GOVERNANCE",
                .choices = kModes, .help = "GOVERNANCE or COMPLIANCE.", .group = "objects"},
    sdk::Option{.name = "versioning", .type = OptionType::kEnum, .settings = kVersioning, .default_text = "auto", .choices = kVersionings,
                .help = "enabled: delete removes all versions of an object; auto asks the bucket.", .group = "objects"},
    sdk::Option{.name = "checksum", .type = OptionType::kEnum, .advanced = true, .default_text = "crc32c", .choices = kChecksums,
                .help = "Checksum that the server checks and keeps; none for servers that refuse it."},
    sdk::Option{.name = "put_if_absent", .type = OptionType::kBool, .advanced = true, .default_text = "true",
                .help = "The server knows If-None-Match; switch it off for one that ignores it."},
    sdk::Option{.name = "list_v1", .type = OptionType::kBool, .advanced = true, .settings = kListV1, .default_text = "false",
                .help = "List by the old call."},
    sdk::Option{.name = "delete_batch_size", .type = OptionType::kUint, .advanced = true, .settings = kDeleteBatch,
                .default_text = "1000", .help = "How many objects one request deletes, 1000 at the most."},
    sdk::Option{.name = "max_part_size", .type = OptionType::kSize, .settings = kMaxPartSize, .default_text = "20971520",
                .help = "Largest part that an upload begins with; many parts make larger ones."},
    sdk::Option{.name = "copy_part_size", .type = OptionType::kSize, .advanced = true, .default_text = "536870912",
                .help = "Size of a part of a copy; what is larger than two of them is copied in parts."},
    sdk::Option{.name = "upload_concurrency", .type = OptionType::kUint, .settings = kConcurrency, .default_text = "16",
                .help = "Parts of one object that go up at once, as far as memory allows."},
    sdk::Option{.name = "request_headers", .advanced = true, .settings = kHeaders,
                .help = "Headers to add to each request: a map in JSON, or a list of maps."},
    sdk::Option{.name = "disable_100_continue", .type = OptionType::kBool, .advanced = true, .settings = kNoContinue,
                .default_text = "false", .help = "Send bodies without waiting for the server's consent."},
};
constexpr walrig_factory kS3 = sdk::StorageFactory<Create>(
    {.name = "s3", .description = "A bucket of S3, or of a server that speaks it", .options = kOptions}, walrig::s3::kCapabilities);

}  // namespace

WALRIG_EXPORT_PLUGIN_HOOKS(sdk::InitThunk<walrig::HttpGlobalInit>, nullptr, "org.walrig.storage-s3", WALRIG_PLUGIN_VERSION,
                           "Apache-2.0", "storage:s3", "A bucket of S3, or of a server that speaks it", &kS3);
