// The rows of the table of settings. Names and defaults of WAL-G are those of its internal/config/config.go and
// pkg/storages/*/configure.go; libpq's are those of its documentation, chapter "Environment Variables".
#include <algorithm>
#include <array>
#include <cstddef>

#include "core/config/keys.h"

namespace walrig {
namespace {

using enum KeyType;

constexpr unsigned kPlain = 0;
constexpr unsigned kSecret = 1;
constexpr unsigned kAnyPrefix = 2;
constexpr unsigned kExported = 4;
constexpr unsigned kNoEffect = 8;

constexpr KeySpec Key(std::string_view name, KeyType type, std::string_view default_text, std::string_view help,
                      std::string_view group, unsigned traits = kPlain, std::string_view choices = {}) {
  return {name,
          type,
          default_text,
          help,
          group,
          choices,
          (traits & kSecret) != 0,
          (traits & kAnyPrefix) != 0,
          (traits & kNoEffect) != 0,
          (traits & kExported) != 0};
}

constexpr KeySpec kKeys[] = {
    // Storage
    Key("WALG_S3_PREFIX", kText, "", "Keep backups in S3 under s3://bucket/path.", "Storage", kAnyPrefix),
    Key("WALG_FILE_PREFIX", kPath, "", "Keep backups in this directory, which must exist.", "Storage", kAnyPrefix),
    Key("WALG_GS_PREFIX", kText, "", "Keep backups in Google Cloud Storage under gs://bucket/path.", "Storage",
        kAnyPrefix),
    Key("WALG_AZ_PREFIX", kText, "", "Keep backups in Azure Blob Storage under azure://container/path.", "Storage",
        kAnyPrefix),
    Key("WALG_SWIFT_PREFIX", kText, "", "Keep backups in OpenStack Swift under swift://container/path.", "Storage",
        kAnyPrefix),
    Key("WALG_SSH_PREFIX", kText, "", "Keep backups on another host under ssh://host/path.", "Storage", kAnyPrefix),
    Key("WALG_OSS_PREFIX", kText, "", "Keep backups in Alibaba Cloud OSS under oss://bucket/path.", "Storage",
        kAnyPrefix),
    Key("WALG_STORAGE_PREFIX", kText, "", "A sub-folder under the storage's prefix.", "Storage"),
    Key("WALG_TARGET_STORAGE", kText, "",
        "Which of several storages a command uses when --target-storage does not say.", "Storage"),
    // Secret, since the maps hold the storages' keys.
    Key("WALG_FAILOVER_STORAGES", kMap, "", "Storages to fall back to, by name, each a map of storage settings.",
        "Storage", kSecret),
    Key("WALG_FAILOVER_STORAGES_CHECK", kBool, "true", "Check that failover storages are alive before use.", "Storage"),
    Key("WALG_FAILOVER_STORAGES_CHECK_TIMEOUT", kDuration, "30s", "How long a check of a storage may take.", "Storage"),
    Key("WALG_FAILOVER_STORAGES_CHECK_SIZE", kSize, "1mb", "How much a write check writes.", "Storage"),
    Key("WALG_FAILOVER_STORAGES_CACHE_LIFETIME", kDuration, "15m", "How long a check's verdict is believed.",
        "Storage"),
    Key("WALG_FAILOVER_STORAGES_CACHE_EMA_ALIVE_LIMIT", kFloat, "0.99",
        "Aliveness above which a dead storage counts as alive again.", "Storage"),
    Key("WALG_FAILOVER_STORAGES_CACHE_EMA_DEAD_LIMIT", kFloat, "0.88",
        "Aliveness below which a storage counts as dead.", "Storage"),
    Key("WALG_FAILOVER_STORAGES_CACHE_EMA_ALPHA_ALIVE_MAX", kFloat, "0.05",
        "Largest weight of a new check of a storage that is alive.", "Storage"),
    Key("WALG_FAILOVER_STORAGES_CACHE_EMA_ALPHA_ALIVE_MIN", kFloat, "0.01",
        "Smallest weight of a new check of a storage that is alive.", "Storage"),
    Key("WALG_FAILOVER_STORAGES_CACHE_EMA_ALPHA_DEAD_MAX", kFloat, "0.5",
        "Largest weight of a new check of a storage that is dead.", "Storage"),
    Key("WALG_FAILOVER_STORAGES_CACHE_EMA_ALPHA_DEAD_MIN", kFloat, "0.1",
        "Smallest weight of a new check of a storage that is dead.", "Storage"),

    // Compression
    Key("WALG_COMPRESSION_METHOD", kText, "lz4",
        "How new objects are compressed: lz4, lzma, zstd, brotli, none, or another compressor plugin.", "Compression"),
    Key("WALG_ZSTD_LEVEL", kText, "", "Level for zstd: fastest, default, better, best, or a number.", "Compression"),

    // Backup
    Key("WALG_UPLOAD_CONCURRENCY", kUint, "16",
        "How many pieces of an object, and how many WAL files, are uploaded at once.", "Backup", kAnyPrefix),
    Key("WALG_UPLOAD_DISK_CONCURRENCY", kUint, "1", "How many tar parts are filled from disk at once.", "Backup"),
    Key("WALG_UPLOAD_QUEUE", kUint, "2", "How many finished tar parts may wait for the storage.", "Backup"),
    Key("WALG_TAR_SIZE_THRESHOLD", kSize, "1073741823",
        "Size of plain data at which a tar part is closed and the next one begun.", "Backup"),
    Key("WALG_DISK_RATE_LIMIT", kSize, "", "Bytes a second that backup-push reads from disk.", "Backup"),
    Key("WALG_NETWORK_RATE_LIMIT", kSize, "",
        "Bytes a second to and from the storage, each way.", "Backup"),
    Key("WALG_SENTINEL_USER_DATA", kJson, "", "JSON text to keep with a new backup (--add-user-data).", "Backup"),
    Key("WALG_VERIFY_PAGE_CHECKSUMS", kBool, "false",
        "Verify page checksums during backup-push; walrig does so unless WALRIG_VERIFY is off.", "Backup"),
    Key("WALG_STORE_ALL_CORRUPT_BLOCKS", kBool, "false",
        "Record every corrupt block, not only the first ten of a file.", "Backup"),
    Key("WALG_WITHOUT_FILES_METADATA", kBool, "false",
        "Write no files_metadata.json; a delta cannot be based on such a backup.", "Backup"),
    Key("WALG_DISABLE_PARTIAL_RESTORE", kBool, "false",
        "Do not record the names of databases and tables that a partial restore needs.", "Backup"),
    Key("WALG_USE_RATING_COMPOSER", kBool, "false", "Put files that change often together in tar parts.", "Backup"),
    Key("WALG_USE_COPY_COMPOSER", kBool, "false", "Reuse tar parts of the backup before when nothing in them changed.",
        "Backup"),
    Key("WALG_USE_DATABASE_COMPOSER", kBool, "false", "Put the files of one database together in tar parts.", "Backup"),
    Key("WALG_ALIVE_CHECK_INTERVAL", kDuration, "1m",
        "How often backup-push asks whether the server is alive; 0 for never.", "Backup"),
    Key("WALG_STOP_BACKUP_TIMEOUT", kDuration, "", "How long the server may take to end a backup; none means for ever.",
        "Backup"),
    Key("WALG_DIRECT_IO", kBool, "false", "Read data files past the page cache.", "Backup", kNoEffect),
    Key("WALG_DIRECT_IO_BLOCK_COUNT", kUint, "32", "Blocks of 4 KiB for one read past the page cache.", "Backup",
        kNoEffect),
    Key("WALG_INTEGRITY_MAX_DELAYED_WALS", kUint, "0", "How many of the newest segments wal-verify lets be missing.",
        "Backup", kNoEffect),

    // Delta backups
    Key("WALG_DELTA_MAX_STEPS", kUint, "0", "How many deltas may follow a full backup; 0 makes every backup full.",
        "Delta backups"),
    Key("WALG_DELTA_ORIGIN", kEnum, "LATEST", "What a delta is based on.", "Delta backups", kNoEffect,
        "LATEST|LATEST_FULL"),
    Key("WALG_DELTA_FROM_NAME", kText, "", "Base the delta on the backup of this name.", "Delta backups", kNoEffect),
    Key("WALG_DELTA_FROM_USER_DATA", kJson, "", "Base the delta on the backup with this user data.", "Delta backups",
        kNoEffect),
    Key("WALG_USE_WAL_DELTA", kBool, "false",
        "Record changed blocks while WAL is pushed, and use the record for deltas.", "Delta backups", kNoEffect),
    Key("WALG_FORCE_WAL_DELTA", kBool, "false",
        "Fail where the record of changed blocks is missing, rather than scan.", "Delta backups", kNoEffect),

    // Restore
    Key("WALG_DOWNLOAD_CONCURRENCY", kUint, "10",
        "How many tar parts are restored at once, and how far prefetch looks ahead.", "Restore"),
    Key("WALG_DOWNLOAD_FILE_RETRIES", kUint, "15", "How many times a failed download is tried again.", "Restore",
        kNoEffect),
    Key("WALG_TAR_DISABLE_FSYNC", kBool, "false",
        "Restore without fsync: a crash of the host may then lose what was restored.", "Restore"),
    Key("WALG_FETCH_TARGET_USER_DATA", kJson, "", "Restore the backup with this user data.", "Restore"),
    Key("WALG_USE_REVERSE_UNPACK", kBool, "false", "Restore a chain of deltas from the newest to the oldest.",
        "Restore", kNoEffect),
    Key("WALG_SKIP_REDUNDANT_TARS", kBool, "false", "Skip tar parts of which nothing is needed any more.", "Restore",
        kNoEffect),

    // WAL
    Key("WALG_PREVENT_WAL_OVERWRITE", kBool, "false",
        "Refuse to replace an archived WAL file by one with other content.", "WAL"),
    Key("WALG_UPLOAD_WAL_METADATA", kEnum, "NOMETADATA", "Keep JSON about WAL files beside them.", "WAL", kPlain,
        "NOMETADATA|INDIVIDUAL|BULK"),
    Key("TOTAL_BG_UPLOADED_LIMIT", kUint, "32",
        "How many WAL files one wal-push uploads at the most, the others in the background.", "WAL"),
    Key("PG_READY_RENAME", kBool, "false", "Rename .ready to .done for WAL files that were uploaded in the background.",
        "WAL"),
    Key("WALG_PREFETCH_DIR", kPath, "", "Where prefetched WAL files wait.", "WAL", kNoEffect),
    Key("WALG_PG_WAL_SIZE", kUint, "16", "Size of a WAL segment in MiB.", "WAL"),
    Key("WALG_PG_WAL_PAGE_SIZE", kUint, "8192", "Size of a WAL page in bytes.", "WAL", kNoEffect),
    Key("WALG_PG_BLOCK_SIZE", kUint, "8192", "Size of a data page in bytes.", "WAL", kNoEffect),
    Key("WALG_SLOTNAME", kText, "walg", "Replication slot of wal-receive.", "WAL", kNoEffect),
    Key("WALG_DAEMON_WAL_UPLOAD_TIMEOUT", kDuration, "60s", "How long one push may take in the daemon.", "WAL",
        kNoEffect),

    // Encryption
    Key("WALRIG_GCRYPT_KEY_FILE", kPath, "", "File that holds the key or key ring of cipher gcrypt.", "Encryption"),
    Key("WALRIG_GCRYPT_KEY", kText, "", "Key of cipher gcrypt: hex or base64 of 32 bytes.", "Encryption", kSecret),
    Key("WALRIG_GCRYPT_KEY_CREDENTIAL", kText, "", "Name of the systemd credential that holds the key of cipher gcrypt.",
        "Encryption"),
    Key("WALRIG_GCRYPT_KEY_COMMAND", kText, "", "Command that prints the key of cipher gcrypt.", "Encryption"),
    Key("WALRIG_GCRYPT_PASSPHRASE", kText, "", "Passphrase of cipher gcrypt.", "Encryption", kSecret),
    Key("WALRIG_GCRYPT_PASSPHRASE_FILE", kPath, "", "File that holds the passphrase of cipher gcrypt.", "Encryption"),
    Key("WALRIG_GCRYPT_ALGORITHM", kEnum, "", "What cipher gcrypt encrypts new objects with.", "Encryption", kPlain,
        "aes-256-gcm|chacha20-poly1305"),
    Key("WALRIG_GCRYPT_KDF", kEnum, "", "How a passphrase becomes a key in new objects of cipher gcrypt.", "Encryption",
        kPlain, "argon2id|scrypt"),
    Key("WALRIG_ALLOW_PLAINTEXT", kBool, "false",
        "Read objects that are not encrypted although a cipher is configured; what they hold is not proven then.",
        "Encryption"),
    Key("WALRIG_REQUIRE_SEAL", kBool, "false",
        "Restore and verify only backups whose list of objects is sealed by the cipher.", "Encryption"),
    Key("WALRIG_CORE_DUMPS", kBool, "false", "Let the process dump core although a cipher is configured.", "Encryption"),
    Key("WALG_LIBSODIUM_KEY", kText, "", "Key for libsodium encryption.", "Encryption", kSecret),
    Key("WALG_LIBSODIUM_KEY_PATH", kPath, "", "File that holds the key for libsodium encryption.", "Encryption"),
    Key("WALG_LIBSODIUM_KEY_TRANSFORM", kEnum, "none", "How the key's text becomes 32 bytes.", "Encryption", kPlain,
        "none|hex|base64"),
    Key("WALG_PGP_KEY", kText, "", "Armored OpenPGP key.", "Encryption", kSecret),
    Key("WALG_PGP_KEY_PATH", kPath, "", "File that holds an armored OpenPGP key.", "Encryption"),
    Key("WALG_PGP_KEY_PASSPHRASE", kText, "", "Passphrase of the OpenPGP key.", "Encryption", kSecret),
    Key("WALG_GPG_KEY_ID", kText, "", "Id of a key of the local GnuPG.", "Encryption", kAnyPrefix),
    Key("WALG_ENVELOPE_PGP_KEY", kText, "", "OpenPGP key encrypted by a key service, base64.", "Encryption", kSecret),
    Key("WALG_ENVELOPE_PGP_KEY_PATH", kPath, "", "File that holds an OpenPGP key encrypted by a key service.",
        "Encryption"),
    Key("WALG_ENVELOPE_CACHE_EXPIRATION", kDuration, "0", "How long a decrypted envelope key is kept; 0 for ever.",
        "Encryption"),
    Key("WALG_ENVELOPE_PGP_YC_CSE_KMS_KEY_ID", kText, "", "Yandex key id for the OpenPGP envelope.", "Encryption"),
    Key("WALG_ENVELOPE_PGP_YC_SERVICE_ACCOUNT_KEY_FILE", kPath, "", "Yandex service account for the OpenPGP envelope.",
        "Encryption"),
    Key("WALG_ENVELOPE_PGP_YC_ENDPOINT", kText, "", "Yandex endpoint for the OpenPGP envelope.", "Encryption"),
    Key("WALG_CSE_KMS_ID", kText, "", "AWS key id for client-side encryption.", "Encryption", kAnyPrefix),
    Key("WALG_CSE_KMS_REGION", kText, "", "Region of the AWS key.", "Encryption", kAnyPrefix),
    Key("YC_CSE_KMS_KEY_ID", kText, "", "Yandex key id for client-side encryption.", "Encryption", kAnyPrefix),
    Key("YC_SERVICE_ACCOUNT_KEY_FILE", kPath, "", "Yandex service account.", "Encryption", kAnyPrefix),

    // S3
    Key("AWS_ACCESS_KEY_ID", kText, "", "Access key.", "S3", kSecret | kAnyPrefix | kExported),
    Key("AWS_ACCESS_KEY", kText, "", "Another name of AWS_ACCESS_KEY_ID.", "S3", kSecret | kAnyPrefix | kExported),
    Key("AWS_SECRET_ACCESS_KEY", kText, "", "Secret of the access key.", "S3", kSecret | kAnyPrefix | kExported),
    Key("AWS_SECRET_KEY", kText, "", "Another name of AWS_SECRET_ACCESS_KEY.", "S3", kSecret | kAnyPrefix | kExported),
    Key("AWS_SESSION_TOKEN", kText, "", "Token of temporary credentials.", "S3", kSecret | kAnyPrefix | kExported),
    Key("AWS_ROLE_ARN", kText, "", "Role to assume.", "S3", kAnyPrefix | kExported),
    Key("AWS_ROLE_SESSION_NAME", kText, "", "Name of the session of the role.", "S3", kAnyPrefix | kExported),
    Key("AWS_WEB_IDENTITY_TOKEN_FILE", kPath, "", "File with the token of a web identity.", "S3",
        kAnyPrefix | kExported),
    Key("AWS_ENDPOINT_URL_STS", kText, "", "URL of STS, which gives out roles.", "S3", kAnyPrefix | kExported),
    Key("AWS_EC2_METADATA_SERVICE_ENDPOINT", kText, "", "URL of the instance's metadata.", "S3", kAnyPrefix | kExported),
    Key("AWS_PROFILE", kText, "", "Profile of the AWS configuration files.", "S3", kAnyPrefix | kExported),
    Key("AWS_CONFIG_FILE", kPath, "", "The AWS configuration file.", "S3", kAnyPrefix | kExported),
    Key("AWS_SHARED_CREDENTIALS_FILE", kPath, "", "The AWS credentials file.", "S3", kAnyPrefix | kExported),
    Key("AWS_REGION", kText, "", "Region of the bucket; asked for when it is not given.", "S3", kAnyPrefix | kExported),
    Key("AWS_DEFAULT_REGION", kText, "", "Another name of AWS_REGION for the libraries of AWS.", "S3",
        kAnyPrefix | kExported),
    Key("AWS_ENDPOINT", kText, "", "URL of a server that speaks S3.", "S3", kAnyPrefix | kExported),
    Key("AWS_S3_FORCE_PATH_STYLE", kBool, "false", "Put the bucket's name into the path rather than the host name.",
        "S3", kAnyPrefix | kExported),
    Key("AWS_DUAL_STACK", kBool, "false", "Use the endpoints that have IPv6.", "S3", kAnyPrefix | kExported),
    Key("WALRIG_CA_FILE", kPath, "", "Certificates to trust for all storages, instead of the system's.", "Storage"),
    Key("S3_CA_CERT_FILE", kPath, "", "Certificates to trust.", "S3", kAnyPrefix),
    Key("S3_STORAGE_CLASS", kText, "STANDARD", "Storage class of new objects.", "S3", kAnyPrefix),
    Key("S3_SSE", kText, "", "Server-side encryption: AES256 or aws:kms.", "S3", kAnyPrefix),
    Key("S3_SSE_C", kText, "", "Key that the server encrypts with and forgets.", "S3", kSecret | kAnyPrefix),
    Key("S3_SSE_KMS_ID", kText, "", "Key id for aws:kms.", "S3", kAnyPrefix),
    Key("S3_MAX_PART_SIZE", kSize, "20971520", "Size of a part of a multipart upload.", "S3", kAnyPrefix),
    Key("S3_MAX_RETRIES", kUint, "15", "How many times a request is tried again.", "S3", kAnyPrefix | kNoEffect),
    Key("S3_MIN_THROTTLING_RETRY_DELAY", kText, "500",
        "Shortest pause after the server asked to slow down, in milliseconds.", "S3", kAnyPrefix | kNoEffect),
    Key("S3_MAX_THROTTLING_RETRY_DELAY", kText, "300000",
        "Longest pause after the server asked to slow down, in milliseconds.", "S3", kAnyPrefix | kNoEffect),
    Key("S3_RANGE_BATCH_ENABLED", kBool, "false", "Resume a broken download by a ranged read; walrig always does.",
        "S3", kAnyPrefix | kNoEffect),
    Key("S3_RANGE_MAX_RETRIES", kUint, "10", "How many times a broken download is resumed.", "S3",
        kAnyPrefix | kNoEffect),
    Key("S3_USE_LIST_OBJECTS_V1", kBool, "false", "List by the old call.", "S3", kAnyPrefix),
    Key("S3_DELETE_BATCH_SIZE", kUint, "1000", "How many objects one request deletes.", "S3", kAnyPrefix),
    Key("S3_SKIP_VALIDATION", kBool, "true", "Do not list a key at the start.", "S3", kAnyPrefix | kNoEffect),
    Key("S3_ENABLE_VERSIONING", kText, "", "enabled or disabled; the bucket is asked when it is not given.", "S3",
        kAnyPrefix),
    Key("S3_RETENTION_PERIOD", kInt, "-1", "Seconds for which a new object is locked; -1 for none.", "S3", kAnyPrefix),
    Key("S3_RETENTION_MODE", kText, "GOVERNANCE", "GOVERNANCE or COMPLIANCE.", "S3", kAnyPrefix),
    Key("S3_ENDPOINT_SOURCE", kText, "", "URL that answers with the host to use.", "S3", kAnyPrefix),
    Key("S3_ENDPOINT_PORT", kUint, "443", "Port of the host from S3_ENDPOINT_SOURCE.", "S3", kAnyPrefix | kNoEffect),
    Key("S3_ENDPOINT_PROTOCOL", kText, "", "Protocol for the host from S3_ENDPOINT_SOURCE.", "S3",
        kAnyPrefix | kNoEffect),
    Key("S3_REQUEST_ADDITIONAL_HEADERS", kMap, "", "Headers to add to each request.", "S3", kAnyPrefix),
    Key("S3_USE_YC_SESSION_TOKEN", kText, "", "Take credentials from the metadata service of Yandex Cloud.", "S3",
        kAnyPrefix),
    Key("S3_DISABLE_100_CONTINUE", kBool, "false", "Send bodies without waiting for the server's consent.", "S3",
        kAnyPrefix),
    Key("S3_LOG_LEVEL", kText, "", "DEVEL to log requests.", "S3", kAnyPrefix | kNoEffect),

    // Google Cloud Storage
    Key("GOOGLE_APPLICATION_CREDENTIALS", kPath, "", "File with the credentials of a service account.",
        "Google Cloud Storage", kAnyPrefix | kExported),
    Key("WALG_GS_ENDPOINT", kText, "", "URL of another server of the same API.", "Google Cloud Storage"),
    Key("WALG_GS_CA_CERT_FILE", kPath, "", "Certificates to trust instead of the system's.", "Google Cloud Storage"),
    Key("STORAGE_EMULATOR_HOST", kText, "", "Host and port of an emulator, which asks for no credentials.",
        "Google Cloud Storage", kExported),
    Key("GCS_CONTEXT_TIMEOUT", kUint, "", "Seconds that one request may take; none means as long as bytes move.",
        "Google Cloud Storage", kAnyPrefix),
    Key("GCS_NORMALIZE_PREFIX", kBool, "true", "Drop doubled slashes from the prefix.", "Google Cloud Storage",
        kAnyPrefix),
    Key("GCS_ENCRYPTION_KEY", kText, "", "Key that the server encrypts with and forgets, base64.",
        "Google Cloud Storage", kSecret | kAnyPrefix),
    Key("GCS_MAX_CHUNK_SIZE", kSize, "52428800", "Size of a piece of an upload.", "Google Cloud Storage", kAnyPrefix),
    Key("GCS_MAX_RETRIES", kUint, "16", "How many times an upload is tried again.", "Google Cloud Storage",
        kAnyPrefix | kNoEffect),

    // Azure
    Key("AZURE_STORAGE_ACCOUNT", kText, "", "Name of the storage account.", "Azure", kAnyPrefix),
    Key("AZURE_STORAGE_ACCESS_KEY", kText, "", "Key of the storage account.", "Azure", kSecret | kAnyPrefix),
    Key("AZURE_STORAGE_SAS_TOKEN", kText, "", "Shared access signature.", "Azure", kSecret | kAnyPrefix),
    Key("AZURE_ENVIRONMENT_NAME", kText, "AzurePublicCloud", "Which of Azure's clouds.", "Azure", kAnyPrefix),
    Key("AZURE_ENDPOINT_SUFFIX", kText, "", "Domain of the blob service.", "Azure", kAnyPrefix),
    Key("AZURE_BUFFER_SIZE", kSize, "8388608", "Size of a block of an upload.", "Azure", kAnyPrefix),
    Key("AZURE_MAX_BUFFERS", kUint, "4", "How many blocks are uploaded at once.", "Azure", kAnyPrefix),
    Key("AZURE_TRY_TIMEOUT", kUint, "5", "Minutes that one try may take.", "Azure", kAnyPrefix),
    Key("AZURE_BLOB_STORE_API_VERSION", kText, "", "Version of the service's interface.", "Azure", kAnyPrefix),
    Key("AZURE_STORAGE_CONNECTION_STRING", kText, "", "Connection string of the account.", "Azure", kSecret | kAnyPrefix),
    Key("AZURE_ENDPOINT", kText, "", "URL of the blob service, with the account in the path.", "Azure", kAnyPrefix),
    Key("AZURE_TENANT_ID", kText, "", "Tenant of the application.", "Azure", kAnyPrefix),
    Key("AZURE_CLIENT_ID", kText, "", "Application, or which of the machine's identities.", "Azure", kAnyPrefix),
    Key("AZURE_CLIENT_SECRET", kText, "", "Secret of the application.", "Azure", kSecret | kAnyPrefix),
    Key("AZURE_FEDERATED_TOKEN_FILE", kPath, "", "Token of the cluster, for workload identity.", "Azure", kAnyPrefix),
    Key("AZURE_AUTHORITY_HOST", kText, "", "Where tokens are issued.", "Azure", kAnyPrefix),
    Key("AZURE_POD_IDENTITY_AUTHORITY_HOST", kText, "", "The machine's metadata service.", "Azure", kAnyPrefix),
    Key("IDENTITY_ENDPOINT", kText, "", "App Service's token service.", "Azure"),
    Key("IDENTITY_HEADER", kText, "", "Proof for App Service's token service.", "Azure", kSecret),
    Key("WALRIG_AZURE_TIER", kText, "", "Access tier of new objects: Hot, Cool or Cold.", "Azure"),
    Key("WALRIG_AZURE_UPLOAD_CHECK", kText, "crc64", "Checksum that the service compares: crc64 or md5.", "Azure"),
    Key("WALRIG_AZURE_CA_FILE", kPath, "", "Certificates to trust instead of the system's.", "Azure"),

    // SSH
    Key("SSH_PORT", kUint, "22", "Port of the SSH server.", "SSH", kAnyPrefix),
    Key("SSH_USERNAME", kText, "", "User on the SSH server.", "SSH", kAnyPrefix),
    Key("SSH_PASSWORD", kText, "", "Password on the SSH server.", "SSH", kSecret | kAnyPrefix),
    Key("SSH_PRIVATE_KEY_PATH", kPath, "", "File with the private key.", "SSH", kAnyPrefix),
    Key("WALRIG_SSH_KNOWN_HOSTS", kText, "", "Files with the keys of known hosts, with colons between.", "SSH"),
    Key("WALRIG_SSH_PASSWORD_FILE", kPath, "", "File with the password on the SSH server.", "SSH"),
    Key("WALRIG_SSH_KEY_PASSPHRASE", kText, "", "Passphrase of the private key.", "SSH", kSecret),
    Key("WALRIG_SSH_KEY_PASSPHRASE_FILE", kPath, "", "File with the passphrase of the private key.", "SSH"),
    Key("WALRIG_SSH_CONNECTIONS", kUint, "16", "Connections to the SSH server at the most.", "SSH"),

    // Swift
    Key("OS_USERNAME", kText, "", "User.", "Swift", kAnyPrefix | kExported),
    Key("OS_PASSWORD", kText, "", "Password.", "Swift", kSecret | kAnyPrefix | kExported),
    Key("OS_AUTH_URL", kText, "", "URL of the identity service.", "Swift", kAnyPrefix | kExported),
    Key("OS_TENANT_NAME", kText, "", "Project.", "Swift", kAnyPrefix | kExported),
    Key("OS_REGION_NAME", kText, "", "Region.", "Swift", kAnyPrefix | kExported),

    // OSS
    Key("OSS_ACCESS_KEY_ID", kText, "", "Access key.", "OSS", kSecret | kAnyPrefix),
    Key("OSS_ACCESS_KEY_SECRET", kText, "", "Secret of the access key.", "OSS", kSecret | kAnyPrefix),
    Key("OSS_SESSION_TOKEN", kText, "", "Token of temporary credentials.", "OSS", kSecret | kAnyPrefix),
    Key("OSS_REGION", kText, "", "Region of the bucket.", "OSS", kAnyPrefix),
    Key("OSS_ENDPOINT", kText, "", "URL of the server.", "OSS", kAnyPrefix),
    Key("OSS_ROLE_ARN", kText, "", "Role to assume.", "OSS", kAnyPrefix),
    Key("OSS_ROLE_SESSION_NAME", kText, "", "Name of the session of the role.", "OSS", kAnyPrefix),
    Key("OSS_MAX_RETRIES", kUint, "5", "How many times a request is tried again.", "OSS", kAnyPrefix),
    Key("OSS_CONNECT_TIMEOUT", kUint, "5", "Seconds until a connection attempt is given up.", "OSS", kAnyPrefix),
    Key("OSS_UPLOAD_PART_SIZE", kSize, "6291456", "Size of a part of a multipart upload.", "OSS", kAnyPrefix),
    Key("OSS_COPY_PART_SIZE", kSize, "67108864", "Size of a part of a multipart copy.", "OSS", kAnyPrefix),
    Key("OSS_SKIP_VALIDATION", kBool, "false", "Do not check the bucket at the start.", "OSS", kAnyPrefix),

    // PostgreSQL connection
    Key("PGDATA", kPath, "", "The data directory, for the commands that need it and do not get it as an argument.",
        "PostgreSQL connection", kExported),
    Key("PGHOST", kText, "", "Host or socket directory of the server.", "PostgreSQL connection", kExported),
    Key("PGHOSTADDR", kText, "", "Address of the server.", "PostgreSQL connection", kExported),
    Key("PGPORT", kUint, "", "Port of the server.", "PostgreSQL connection", kExported),
    Key("PGUSER", kText, "", "User to connect as.", "PostgreSQL connection", kExported),
    Key("PGPASSWORD", kText, "", "Password of the user; a password file is better.", "PostgreSQL connection",
        kSecret | kExported),
    Key("PGPASSFILE", kPath, "", "The password file.", "PostgreSQL connection", kExported),
    Key("PGDATABASE", kText, "", "Database to connect to.", "PostgreSQL connection", kExported),
    Key("PGAPPNAME", kText, "walrig", "Name shown in pg_stat_activity.", "PostgreSQL connection", kExported),
    Key("PGSSLMODE", kText, "", "Whether and how the connection is encrypted.", "PostgreSQL connection", kExported),
    Key("PGSSLKEY", kPath, "", "Private key of the client.", "PostgreSQL connection", kExported),
    Key("PGSSLCERT", kPath, "", "Certificate of the client.", "PostgreSQL connection", kExported),
    Key("PGSSLROOTCERT", kPath, "", "Certificates to trust.", "PostgreSQL connection", kExported),
    Key("PGSSLCRL", kPath, "", "Revoked certificates.", "PostgreSQL connection", kExported),
    Key("PGSSLCRLDIR", kPath, "", "Directory of revoked certificates.", "PostgreSQL connection", kExported),
    Key("PGSSLSNI", kText, "", "Whether the host name is sent in the TLS handshake.", "PostgreSQL connection",
        kExported),
    Key("PGSSLCOMPRESSION", kText, "", "Compression of the TLS connection.", "PostgreSQL connection", kExported),
    Key("PGSSLMINPROTOCOLVERSION", kText, "", "Oldest TLS version to accept.", "PostgreSQL connection", kExported),
    Key("PGSSLMAXPROTOCOLVERSION", kText, "", "Newest TLS version to use.", "PostgreSQL connection", kExported),
    Key("PGSSLNEGOTIATION", kText, "", "Whether TLS begins at once.", "PostgreSQL connection", kExported),
    Key("PGSSLCERTMODE", kText, "", "Whether a client certificate is sent.", "PostgreSQL connection", kExported),
    Key("PGREQUIRESSL", kText, "", "Retired; see PGSSLMODE.", "PostgreSQL connection", kExported),
    Key("PGREQUIREAUTH", kText, "", "Ways of authentication to accept.", "PostgreSQL connection", kExported),
    Key("PGREQUIREPEER", kText, "", "User that must own the server's process.", "PostgreSQL connection", kExported),
    Key("PGCHANNELBINDING", kText, "", "Whether the password exchange is bound to the TLS connection.",
        "PostgreSQL connection", kExported),
    Key("PGKRBSRVNAME", kText, "", "Kerberos service name.", "PostgreSQL connection", kExported),
    Key("PGGSSLIB", kText, "", "GSS library to use.", "PostgreSQL connection", kExported),
    Key("PGGSSENCMODE", kText, "", "Whether GSS encryption is used.", "PostgreSQL connection", kExported),
    Key("PGGSSDELEGATION", kText, "", "Whether credentials are passed on.", "PostgreSQL connection", kExported),
    Key("PGCONNECT_TIMEOUT", kUint, "", "Seconds until a connection attempt is given up.", "PostgreSQL connection",
        kExported),
    Key("PGCLIENTENCODING", kText, "", "Encoding of the client.", "PostgreSQL connection", kExported),
    Key("PGTARGETSESSIONATTRS", kText, "", "Which of several hosts is wanted.", "PostgreSQL connection", kExported),
    Key("PGLOADBALANCEHOSTS", kText, "", "Order in which several hosts are tried.", "PostgreSQL connection", kExported),
    Key("PGOPTIONS", kText, "", "Settings of the session.", "PostgreSQL connection", kExported),
    Key("PGSERVICE", kText, "", "Entry of the service file.", "PostgreSQL connection", kExported),
    Key("PGSERVICEFILE", kPath, "", "The service file.", "PostgreSQL connection", kExported),
    Key("PGSYSCONFDIR", kPath, "", "Where the system's service file is.", "PostgreSQL connection", kExported),
    Key("PGLOCALEDIR", kPath, "", "Where libpq's translations are.", "PostgreSQL connection", kExported),
    Key("PGTZ", kText, "", "Time zone of the session.", "PostgreSQL connection", kExported),
    Key("PGDATESTYLE", kText, "", "Date style of the session.", "PostgreSQL connection", kExported),
    Key("PGGEQO", kText, "", "Genetic optimiser of the session.", "PostgreSQL connection", kExported),
    Key("PGBACKREST_STANZA", kText, "main", "Stanza of a pgBackRest repository.", "PostgreSQL connection", kNoEffect),

    // Logging and diagnostics
    Key("WALG_LOG_LEVEL", kEnum, "NORMAL", "How much is logged.", "Logging and diagnostics", kPlain,
        "NORMAL|DEVEL|ERROR|TRACE"),
    Key("WALG_LOG_DESTINATION", kPath, "stderr", "stderr, or a file to append to.", "Logging and diagnostics"),
    Key("WALG_STATSD_ADDRESS", kText, "", "Where counters are sent at the end of a command.",
        "Logging and diagnostics", kNoEffect),
    Key("WALG_STATSD_EXTRA_TAGS", kMap, "", "Tags for the counters.", "Logging and diagnostics", kNoEffect),
    Key("PROFILE_SAMPLING_RATIO", kText, "", "Diagnostics of WAL-G; has no effect.", "Logging and diagnostics",
        kNoEffect),
    Key("PROFILE_MODE", kText, "", "Diagnostics of WAL-G; has no effect.", "Logging and diagnostics", kNoEffect),
    Key("PROFILE_PATH", kText, "", "Diagnostics of WAL-G; has no effect.", "Logging and diagnostics", kNoEffect),
    Key("HTTP_LISTEN", kText, "", "Diagnostics of WAL-G; has no effect.", "Logging and diagnostics", kNoEffect),
    Key("HTTP_EXPOSE_PPROF", kText, "", "Diagnostics of WAL-G; has no effect.", "Logging and diagnostics", kNoEffect),
    Key("HTTP_EXPOSE_EXPVAR", kText, "", "Diagnostics of WAL-G; has no effect.", "Logging and diagnostics", kNoEffect),
    Key("GOMAXPROCS", kText, "", "Diagnostics of WAL-G; has no effect.", "Logging and diagnostics", kNoEffect),
    Key("GODEBUG", kText, "", "Diagnostics of WAL-G; has no effect.", "Logging and diagnostics", kNoEffect),
    Key("WALG_SERIALIZER_TYPE", kText, "", "Retired in WAL-G; has no effect.", "Logging and diagnostics", kNoEffect),
    Key("WALG_STREAM_CREATE_COMMAND", kText, "", "For other databases; has no effect.", "Logging and diagnostics",
        kNoEffect),
    Key("WALG_STREAM_RESTORE_COMMAND", kText, "", "For other databases; has no effect.", "Logging and diagnostics",
        kNoEffect),
    Key("WALG_CONFIG_PATH", kPath, "", "The configuration file, when --config does not name one.",
        "Logging and diagnostics"),

    // walrig
    Key("WALRIG_STORAGE", kText, "", "The storage plugin and its options, NAME[,key=value...] (--storage).", "walrig"),
    Key("WALRIG_COMPRESSOR", kText, "", "The compressor plugin and its options (--compressor).", "walrig"),
    Key("WALRIG_CIPHER", kText, "", "The cipher plugin and its options (--cipher).", "walrig"),
    Key("WALRIG_TRANSPORT", kText, "", "The transport plugin and its options (--transport).", "walrig"),
    Key("WALRIG_PLUGIN_DIR", kText, "",
        "Directories of plugins, apart by colons, asked before all others (--plugin-dir).", "walrig"),
    Key("WALRIG_PLUGIN_PATH", kText, "", "Directories of plugins, apart by colons, asked before the installed ones.",
        "walrig"),
    Key("WALRIG_PLUGIN_TRUST", kEnum, "", "Whose plugins are loaded: root's, also this user's, or anybody's.", "walrig",
        kPlain, "system|user|any"),
    Key("WALRIG_PLUGIN_ALLOW_GROUP", kText, "",
        "Group that may write to directories of plugins: staff, where /usr/local belongs to it.", "walrig"),
    Key("WALRIG_PLUGIN_MANIFEST", kPath, "", "The catalogue of plugins to use.", "walrig"),
    Key("WALRIG_PLUGIN_LOCK", kPath, "", "File of pinned plugins with their SHA-256.", "walrig"),
    Key("WALRIG_LOG_FORMAT", kEnum, "text", "Form of the log.", "walrig", kPlain, "text|json"),
    Key("WALRIG_PROGRESS", kEnum, "auto", "Progress line: on a terminal, always or never.", "walrig", kPlain,
        "auto|always|never"),
    Key("WALRIG_MANIFEST_CHECKSUMS", kEnum, "CRC32C", "Checksum of each file in backup_manifest.", "walrig", kPlain,
        "CRC32C|SHA256"),
    Key("WALRIG_WAL_ARCHIVE", kEnum, "storage",
        "Where the WAL of a backup comes: into the storage, and backup-push waits for it, or elsewhere.", "walrig", kPlain,
        "storage|elsewhere"),
    Key("WALRIG_ALLOW_OTHER_CLUSTER", kBool, "false",
        "Let backup-push write into a storage whose latest backup is another cluster's (after pg_upgrade).", "walrig"),
    Key("WALRIG_VERIFY", kEnum, "warn",
        "Corrupt pages in a backup: warn of them, also end with exit code 3, or do not look.", "walrig", kPlain,
        "warn|strict|off"),
    Key("WALRIG_RETRY_ATTEMPTS", kUint, "8", "How many times a call of the storage is tried in all.", "walrig"),
    Key("WALRIG_RETRY_INITIAL", kDuration, "100ms", "Longest pause before the first repetition of a call.", "walrig"),
    Key("WALRIG_RETRY_MAX", kDuration, "20s", "Longest pause before any repetition of a call.", "walrig"),
    Key("WALRIG_COMMAND_TIMEOUT", kDuration, "0", "How long one command may go on in all; 0 for ever.", "walrig"),
    Key("WALRIG_WAL_WORKERS", kUint, "2", "Threads that compress one WAL segment.", "walrig"),
    Key("WALRIG_RESTORE_PATIENCE", kDuration, "5m",
        "How long wal-fetch tries again after an error, in a recovery without standby.signal.", "walrig"),
    Key("WALRIG_WAL_FETCH_ERROR_CODE", kUint, "",
        "Exit code of wal-fetch on an error, whatever suits; up to 125 PostgreSQL takes it for the end of the archive.",
        "walrig"),
};

constexpr char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

constexpr std::string_view Bare(std::string_view name) {
  if (name.size() < 5) return name;
  const bool walg = Upper(name[0]) == 'W' && Upper(name[1]) == 'A' && Upper(name[2]) == 'L' && name[4] == '_' &&
                    (Upper(name[3]) == 'G' || Upper(name[3]) == 'E');
  return walg ? name.substr(5) : name;
}

constexpr int Compare(std::string_view a, std::string_view b) {
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (Upper(a[i]) != Upper(b[i])) return Upper(a[i]) < Upper(b[i]) ? -1 : 1;
  }
  return a.size() == b.size() ? 0 : (a.size() < b.size() ? -1 : 1);
}

constexpr size_t kCount = std::size(kKeys);

// Places in kKeys, ordered by bare name: every environment variable is looked up at each start.
constexpr std::array<uint16_t, kCount> kByBareName = [] {
  std::array<uint16_t, kCount> order{};
  for (size_t i = 0; i < kCount; ++i) order[i] = static_cast<uint16_t>(i);
  std::sort(order.begin(), order.end(),
            [](uint16_t a, uint16_t b) { return Compare(Bare(kKeys[a].name), Bare(kKeys[b].name)) < 0; });
  return order;
}();

constexpr bool BareNamesDiffer() {
  for (size_t i = 1; i < kCount; ++i) {
    if (Compare(Bare(kKeys[kByBareName[i - 1]].name), Bare(kKeys[kByBareName[i]].name)) == 0) return false;
  }
  return true;
}
static_assert(BareNamesDiffer());

}  // namespace

std::span<const KeySpec> AllKeys() { return kKeys; }

const KeySpec* FindKey(std::string_view name) {
  const auto found =
      std::lower_bound(kByBareName.begin(), kByBareName.end(), Bare(name),
                       [](uint16_t at, std::string_view n) { return Compare(Bare(kKeys[at].name), n) < 0; });
  if (found == kByBareName.end()) return nullptr;
  const KeySpec& key = kKeys[*found];
  if (Compare(Bare(key.name), Bare(name)) != 0) return nullptr;
  return key.any_prefix || Compare(key.name, name) == 0 ? &key : nullptr;
}

}  // namespace walrig
