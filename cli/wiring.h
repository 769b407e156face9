// Wiring: turns settings into the objects that jobs work with: plugin registry, storage stack, codec.
//
// Everything is made on first use, so that a command pays only for what it touches. OWNS: all that it hands out;
// must outlive the job. THREADS: one at a time, but ForExtension from any thread (jobs call it from workers).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/catalog/codec_source.h"
#include "core/config/settings.h"
#include "core/pipeline/codec.h"
#include "core/plugin/registry.h"
#include "walrig/options.h"
#include "walrig/storage.h"

namespace walrig {

class AlivenessBook;
class Logger;
class TokenBucket;
class WatchedStorage;

struct PluginChoice {
  std::string name;
  OptionValues values;
  std::string where;  // what chose it: "flag --storage", "environment WALG_FILE_PREFIX"
};

// What a plugin's option is looked up with: settings that somebody gave, not defaults of the table, which are WAL-G's.
SettingLookup LookupIn(const Settings& settings);

// A limit in bytes a second, 0 for none. Warns of one below 64 KiB a second: "5" that was meant as 5 MB.
Result<uint64_t> RateSetting(const Settings& settings, std::string_view key, Logger& log);

// By --storage, else by the first prefix that is set in WAL-G's order: OSS, S3, FILE, GS, AZ, SWIFT, SSH.
// FAILS WITH: kConfig when there is none.
Result<PluginChoice> ChooseStorage(const Settings& settings);
// By --compressor, else WALG_COMPRESSION_METHOD. Name "none" for none.
Result<PluginChoice> ChooseCompressor(const Settings& settings);
// Of objects that the configured compressor writes: what is probed first when WAL is read. "" when that is not known, since a
// setting that matters for writing must not keep anything from being read.
std::string PreferredExtension(const Settings& settings);
// By --cipher, else by which keys are set. Name "" for none, never when a key is set.
// FAILS WITH: kConfig when keys of several ciphers are set and nothing says which one to use.
Result<PluginChoice> ChooseCipher(const Settings& settings);

// From here on the process leaves no core dump and takes no debugger, unless WALRIG_CORE_DUMPS says so: key material also
// stands in the environment, in settings and in buffers. FAILS WITH: kConfig when that setting is no boolean.
Status ForbidCoreDumps(const Settings& settings);

struct StorageUse {
  bool read_only = false;  // writes are refused by the stack: verify, lists, dry runs
  bool turbo = false;      // WALG_NETWORK_RATE_LIMIT does not apply
  // With failover storages: everything goes to one, the first that lives (backup-push, wal-push); those after it are opened
  // and not checked. Otherwise all that live are seen as one.
  bool one = false;
  // With failover storages: all must live, or nothing is opened (delete).
  bool all = false;
  std::string target{};    // --target-storage: this one alone, alive or not; "" or "all": as above
};

// A storage by the name that WALG_FAILOVER_STORAGES gives it; "default" is the one of the prefix settings.
struct NamedStorage {
  std::string name;
  std::unique_ptr<Storage> storage;  // null when it cannot be used now
  Status why = OkStatus();
  const WatchedStorage* watch = nullptr;  // of `storage`; null without failover storages

  // Whether the storage itself, and not the object, was what a call failed for: another one may do better.
  bool failed() const;
};

class Wiring : public CodecProvider {
 public:
  // Both must outlive this object. Secrets that plugins are given are registered with `log`.
  Wiring(const Settings& settings, Logger& log);
  // Every object that was handed out must be gone by now: plugins are told to shut down.
  ~Wiring() override;
  // For who tries again in this process: a plugin that was shut down does not come back, so these never are.
  void KeepPlugins() { keep_plugins_ = true; }

  Result<Registry*> registry(const Context& ctx);
  // FAILS WITH: kConfig; kUnavailable when no storage lives, or with use.all not every one.
  Result<std::unique_ptr<Storage>> OpenStorage(const Context& ctx, const StorageUse& use);
  // Each storage by itself, "default" first, then by name. FAILS WITH: kConfig; a storage that cannot be reached is no
  // failure unless it is the only one or the target.
  Result<std::vector<NamedStorage>> OpenStorages(const Context& ctx, const StorageUse& use);
  // The directories of storages that are directories of this machine (fs), whether they exist or not. FAILS WITH: kConfig.
  Result<std::vector<std::string>> StorageDirectories() const;
  // Names the places of the settings, or the one of `target`, without a secret: other places have another name.
  Result<std::string> ArchiveId(const std::string& target) const;
  // What new objects are written with. Call it before anything is written: a cipher that is configured and not
  // installed is an error here.
  Result<Codec> WriteCodec(const Context& ctx);
  // Loads the configured cipher, if any, so that cipher() is right. WriteCodec does it too.
  Status PrepareCipher(const Context& ctx);

  // Where the options of all plugins came from that were opened so far.
  const std::vector<OptionOrigin>& origins() const { return origins_; }

  Result<Compressor*> ForExtension(const Context& ctx, std::string_view extension) override;
  Cipher* cipher() override { return cipher_.get(); }
  bool plaintext_allowed() const override { return plaintext_allowed_; }
  bool seal_required() const override { return seal_required_; }

 private:
  struct Place;  // where a storage is, and what its plugin is to be told
  Result<std::vector<Place>> Places() const;
  Result<std::unique_ptr<Storage>> OpenPlace(const Context& ctx, const Place& place, const StorageUse& use);
  struct Verdict;
  Result<Verdict> Judge(const Context& ctx, const Place& place, const StorageUse& use, AlivenessBook& book, bool last_resort,
                        NamedStorage* one) const;
  Status CheckAlive(const Context& ctx, const std::vector<Place>& places, const StorageUse& use, AlivenessBook& book,
                    std::vector<NamedStorage>* storages) const;
  static void Watch(const std::vector<Place>& places, const StorageUse& use, const std::shared_ptr<AlivenessBook>& book,
                    std::vector<NamedStorage>* storages);
  Result<Compressor*> LoadReader(const Context& ctx, std::string_view extension);

  const Settings& settings_;
  Logger& log_;
  std::unique_ptr<TokenBucket> download_, upload_;  // one way each; made with the first storage
  std::vector<OptionOrigin> origins_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Cipher> cipher_;
  bool keep_plugins_ = false;
  bool cipher_prepared_ = false;
  bool plaintext_allowed_ = false;
  bool seal_required_ = false;
  std::unique_ptr<Compressor> writer_;
  std::mutex mutex_;  // guards readers_ and the registry's use from ForExtension
  std::map<std::string, std::unique_ptr<Compressor>, std::less<>> readers_;
};

}  // namespace walrig
