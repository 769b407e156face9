// The door of storage-fs.so.
#include "plugins/storage/fs/storage.h"
#include "walrig/export.h"

namespace {

using walrig::Context;
using walrig::OptionType;
using walrig::Result;
using walrig::Storage;
namespace sdk = walrig::sdk;

Result<std::unique_ptr<Storage>> Create(const Context&, const sdk::ConfigReader& config) {
  WALRIG_ASSIGN(const std::string prefix, config.TextOr("prefix", ""));
  walrig::fs::FsOptions options;
  WALRIG_ASSIGN(options.sync, config.BoolOr("fsync", true));
  WALRIG_ASSIGN(options.put_if_absent, config.BoolOr("put_if_absent", true));
  return walrig::fs::FsStorage::Open(prefix, options);
}

constexpr const char* kAliases[] = {"file", nullptr};
constexpr const char* kPrefixSettings[] = {"WALG_FILE_PREFIX", "WALE_FILE_PREFIX", nullptr};
constexpr walrig_option kOptions[] = {
    sdk::Option{.name = "prefix",
                .type = OptionType::kPath,
                .required = true,
                .settings = kPrefixSettings,
                .help = "Directory that holds the objects. It must exist; file:// before it is allowed."},
    sdk::Option{.name = "fsync",
                .type = OptionType::kBool,
                .advanced = true,
                .default_text = "true",
                .help = "Make every object durable before it counts as stored. Off is for tests only: a power loss "
                        "may then take objects that PostgreSQL was told are safe."},
    sdk::Option{.name = "put_if_absent",
                .type = OptionType::kBool,
                .advanced = true,
                .default_text = "true",
                .help = "Make an object only when there is none of its name. Off for file systems that can neither "
                        "rename without replacing nor make hard links (some FUSE mounts): of two writers of one "
                        "name the later wins unnoticed."},
};
constexpr walrig_factory kFs = sdk::StorageFactory<Create>(
    {.name = "fs", .aliases = kAliases, .description = "Objects as files below a directory", .options = kOptions},
    walrig::fs::kCapabilities);

}  // namespace

WALRIG_EXPORT_PLUGIN("org.walrig.storage-fs", WALRIG_PLUGIN_VERSION, "Apache-2.0", "storage:fs,storage:file",
                     "Objects as files below a directory", &kFs);
