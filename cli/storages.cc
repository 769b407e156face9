// The part of Wiring that opens storages: one, or those of WALG_FAILOVER_STORAGES.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "cli/wiring.h"
#include "core/base/checksum.h"
#include "core/base/home.h"
#include "core/base/json.h"
#include "core/base/logger.h"
#include "core/base/random.h"
#include "core/base/string_util.h"
#include "core/io/throttle.h"
#include "core/storage/aliveness.h"
#include "core/storage/failover.h"
#include "core/storage/stack.h"
#include "core/storage/watched.h"

namespace walrig {

struct Wiring::Place {
  std::string name;
  PluginChoice choice;
  std::string prefix;           // WALG_STORAGE_PREFIX
  std::string id;               // names it in the cache of checks; holds no secret
  std::optional<Settings> own;  // of a failover storage: what its map says, before the settings of all
};

// Of the aliveness of one storage.
struct Wiring::Verdict {
  bool alive = false;
  bool checked = false;  // just now; else it is what earlier checks said
};

namespace {

constexpr std::string_view kDefaultName = "default";
constexpr int64_t kReadersDeadLifetimeNs = 60'000'000'000;

Result<RetryPolicy> RetryFrom(const Settings& settings) {
  RetryPolicy policy;
  WALRIG_ASSIGN(const uint64_t attempts, settings.Number("WALRIG_RETRY_ATTEMPTS"));
  if (attempts == 0 || attempts > 1000) return ConfigError("WALRIG_RETRY_ATTEMPTS: between 1 and 1000 are possible");
  WALRIG_ASSIGN(const int64_t initial_ns, settings.DurationNs("WALRIG_RETRY_INITIAL"));
  WALRIG_ASSIGN(const int64_t max_ns, settings.DurationNs("WALRIG_RETRY_MAX"));
  policy.attempts_max = static_cast<uint32_t>(attempts);
  policy.initial_ms = static_cast<uint64_t>(initial_ns) / 1'000'000;
  policy.max_ms = static_cast<uint64_t>(max_ns) / 1'000'000;
  return policy;
}

// A failover storage is told what its map says, then what everybody is told; but never the place of another storage.
SettingLookup LookupOf(const Settings& own, const Settings& all) {
  return [&own, &all](std::string_view name) -> std::optional<std::string> {
    std::optional<SettingValue> value = own.FindExplicit(name);
    if (!value.has_value() && !ToUpper(name).ends_with("_PREFIX")) value = all.FindExplicit(name);
    if (!value.has_value()) return std::nullopt;
    return std::move(value->text);
  };
}

// Two storages of one name in different places must not share a verdict.
std::string IdOf(const std::string& name, const PluginChoice& choice, const Settings& settings) {
  std::string place = choice.name;
  for (const std::string_view key : {"WALG_S3_PREFIX", "WALG_FILE_PREFIX", "WALG_GS_PREFIX", "WALG_AZ_PREFIX",
                                     "WALG_SSH_PREFIX", "WALG_STORAGE_PREFIX", "AWS_ENDPOINT"}) {
    place += "\n" + settings.Text(key);
  }
  for (const auto& [key, value] : choice.values) {
    if (key.find("prefix") != key.npos || key.find("endpoint") != key.npos) place += "\n" + value;
  }
  Xxh128 hash;
  hash.Update(AsBytes(place));
  return name + "#" + hash.Hex();
}

Result<AlivenessPolicy> PolicyFrom(const Settings& settings) {
  AlivenessPolicy policy;
  WALRIG_ASSIGN(policy.lifetime_ns, settings.DurationNs("WALG_FAILOVER_STORAGES_CACHE_LIFETIME"));
  const std::string base = "WALG_FAILOVER_STORAGES_CACHE_EMA_";
  WALRIG_ASSIGN(policy.alive_limit, settings.Float(base + "ALIVE_LIMIT"));
  WALRIG_ASSIGN(policy.dead_limit, settings.Float(base + "DEAD_LIMIT"));
  WALRIG_ASSIGN(policy.alpha_alive_max, settings.Float(base + "ALPHA_ALIVE_MAX"));
  WALRIG_ASSIGN(policy.alpha_alive_min, settings.Float(base + "ALPHA_ALIVE_MIN"));
  WALRIG_ASSIGN(policy.alpha_dead_max, settings.Float(base + "ALPHA_DEAD_MAX"));
  WALRIG_ASSIGN(policy.alpha_dead_min, settings.Float(base + "ALPHA_DEAD_MIN"));
  for (const double value : {policy.alive_limit, policy.dead_limit, policy.alpha_alive_max, policy.alpha_alive_min,
                             policy.alpha_dead_max, policy.alpha_dead_min}) {
    if (!(value >= 0 && value <= 1)) return ConfigError(base + "*: a number between 0 and 1 is needed");
  }
  return policy;
}

std::string CachePath(const StorageUse& use) {
  const char* const variable = std::getenv("HOME");
  const std::string home = variable != nullptr && *variable != '\0' ? variable : HomeByPasswordDatabase();
  if (home.empty()) return {};
  return home + (use.read_only ? "/.walrig_storage_ro_status" : "/.walrig_storage_rw_status");
}

}  // namespace

bool NamedStorage::failed() const { return watch != nullptr && watch->failed(); }

Result<std::vector<Wiring::Place>> Wiring::Places() const {
  std::vector<Place> places(1);
  WALRIG_ASSIGN(places[0].choice, ChooseStorage(settings_));
  places[0].name = kDefaultName;
  places[0].prefix = settings_.Text("WALG_STORAGE_PREFIX");
  places[0].id = IdOf(places[0].name, places[0].choice, settings_);
  const std::optional<SettingValue> map = settings_.FindExplicit("WALG_FAILOVER_STORAGES");
  if (!map.has_value()) return places;
  const Result<Json> json = ParseJson(map->text, "WALG_FAILOVER_STORAGES");
  if (!json.ok() || !json->is_object()) {
    return ConfigError(fmt::format("WALG_FAILOVER_STORAGES ({}): a map of names to maps of settings is needed", map->where));
  }
  for (const auto& [written, entries] : json->items()) {
    Place place;
    place.name = ToLower(written);
    const std::string where = fmt::format("{}, failover storage {}", map->where, Printable(place.name));
    const bool twice = std::any_of(places.begin(), places.end(), [&](const Place& p) { return p.name == place.name; });
    if (place.name.empty() || place.name == "all" || twice) {
      return ConfigError(where + ": the name is empty, reserved, or used twice");
    }
    if (!entries.is_object()) return ConfigError(where + ": a map of settings is needed");
    place.own.emplace();
    for (const auto& [key, value] : entries.items()) {
      const std::string text = value.is_string() ? value.get<std::string>() : DumpJson(value);
      place.own->Put(key, {text, SettingOrigin::kFile, where});
    }
    for (const std::string& secret : place.own->SecretValues()) log_.RegisterSecret(secret);
    Result<PluginChoice> choice = ChooseStorage(*place.own);
    if (!choice.ok()) return std::move(choice).status().With(where);
    place.choice = std::move(*choice);
    place.prefix = place.own->Text("WALG_STORAGE_PREFIX");
    place.id = IdOf(place.name, place.choice, *place.own);
    places.push_back(std::move(place));
  }
  std::sort(places.begin() + 1, places.end(), [](const Place& a, const Place& b) { return a.name < b.name; });
  return places;
}

Result<std::vector<std::string>> Wiring::StorageDirectories() const {
  WALRIG_ASSIGN(const std::vector<Place> places, Places());
  std::vector<std::string> directories;
  for (const Place& place : places) {
    if (place.choice.name != "fs") continue;
    const SettingLookup lookup = place.own.has_value() ? LookupOf(*place.own, settings_) : LookupIn(settings_);
    std::string path = lookup("WALG_FILE_PREFIX").value_or("");
    for (const auto& [name, value] : place.choice.values)
      if (name == "prefix") path = value;
    for (const std::string_view scheme : {"file://localhost", "file://"}) {
      if (!path.starts_with(scheme)) continue;
      path.erase(0, scheme.size());
      break;
    }
    if (!path.empty()) directories.push_back(std::move(path));
  }
  return directories;
}

Result<std::unique_ptr<Storage>> Wiring::OpenPlace(const Context& ctx, const Place& place, const StorageUse& use) {
  WALRIG_ASSIGN(Registry* const plugins, registry(ctx));
  const SettingLookup lookup = place.own.has_value() ? LookupOf(*place.own, settings_) : LookupIn(settings_);
  Result<std::unique_ptr<Storage>> driver = plugins->NewStorage(ctx, place.choice.name, place.choice.values, lookup);
  if (!driver.ok()) {
    return std::move(driver).status().With(fmt::format("storage {} ({})", place.choice.name, place.choice.where));
  }
  StackOptions options;
  WALRIG_ASSIGN(options.retry, RetryFrom(settings_));
  options.seed = SeedFromSystem();
  options.prefix = place.prefix;
  options.read_only = use.read_only;
  if (!use.turbo) {
    // One limit each way for all that this process moves.
    if (download_ == nullptr) {
      WALRIG_ASSIGN(const uint64_t rate, RateSetting(settings_, "WALG_NETWORK_RATE_LIMIT", log_));
      download_ = std::make_unique<TokenBucket>(TokenBucket::Options{.rate_bytes_per_s = rate});
      upload_ = std::make_unique<TokenBucket>(TokenBucket::Options{.rate_bytes_per_s = rate});
    }
    options.download = download_->rate_bytes_per_s() == 0 ? nullptr : download_.get();
    options.upload = upload_->rate_bytes_per_s() == 0 ? nullptr : upload_.get();
  }
  return BuildStack(std::move(*driver), options);
}

// By what is known, or by a check now. As a last resort only a good verdict is believed, and a check that succeeds is enough.
Result<Wiring::Verdict> Wiring::Judge(const Context& ctx, const Place& place, const StorageUse& use, AlivenessBook& book,
                                      bool last_resort, NamedStorage* one) const {
  if (one->storage != nullptr) {
    const std::optional<Aliveness> known = book.Verdict(ctx, place.id);
    if (known.has_value() && (known->usable() || !last_resort)) {
      if (!known->usable()) one->why = Unavailable("its last checks failed; it is asked again when their verdict expires, or when no other lives");
      return Verdict{.alive = known->usable(), .checked = false};
    }
    WALRIG_ASSIGN(const int64_t timeout_ns, settings_.DurationNs("WALG_FAILOVER_STORAGES_CHECK_TIMEOUT"));
    WALRIG_ASSIGN(const uint64_t size_bytes, settings_.Size("WALG_FAILOVER_STORAGES_CHECK_SIZE"));
    Context limited = ctx;
    const uint64_t end_ns = ctx.clock->MonotonicNs() + static_cast<uint64_t>(std::max<int64_t>(timeout_ns, 0));
    if (limited.deadline_ns == 0 || end_ns < limited.deadline_ns) limited.deadline_ns = end_ns;
    one->why = CheckStorage(limited, *one->storage, use.read_only ? 0 : size_bytes);
    WALRIG_TRY(ctx.Poll());
  }
  const Aliveness state = book.Enter(ctx, place.id, one->why.ok());
  const bool alive = state.usable() || (last_resort && one->why.ok());
  if (!alive && one->why.ok()) one->why = Unavailable("it answers, but most of its last checks failed");
  return Verdict{.alive = alive, .checked = true};
}

Status Wiring::CheckAlive(const Context& ctx, const std::vector<Place>& places, const StorageUse& use, AlivenessBook& book,
                          std::vector<NamedStorage>* storages) const {
  std::vector<Verdict> verdicts;
  bool found = false;
  for (size_t i = 0; i < places.size(); ++i) {
    if (use.one && found) break;  // those after the first that lives are for the case that it fails
    WALRIG_ASSIGN(const Verdict verdict, Judge(ctx, places[i], use, book, false, &(*storages)[i]));
    verdicts.push_back(verdict);
    found = found || verdict.alive;
  }
  // What is only remembered to be dead may live again: it is asked before the command ends for want of it.
  for (size_t i = 0; i < verdicts.size() && (use.all || !found); ++i) {
    if (verdicts[i].alive || verdicts[i].checked) continue;
    WALRIG_ASSIGN(verdicts[i], Judge(ctx, places[i], use, book, true, &(*storages)[i]));
    found = found || verdicts[i].alive;
  }
  for (size_t i = 0; i < verdicts.size(); ++i) {
    if (!verdicts[i].alive) (*storages)[i].storage.reset();
  }
  book.Save(ctx);
  return OkStatus();
}

// From here on what the storages do corrects what is believed of them.
void Wiring::Watch(const std::vector<Place>& places, const StorageUse& use, const std::shared_ptr<AlivenessBook>& book,
                   std::vector<NamedStorage>* storages) {
  for (size_t i = 0; i < places.size(); ++i) {
    NamedStorage& one = (*storages)[i];
    if (one.storage == nullptr) continue;
    auto watched = std::make_unique<WatchedStorage>(std::move(one.storage), [book, id = places[i].id, counts = !use.read_only](
                                                        const Context& ctx, const Status&) {
      if (book != nullptr) book->Correct(ctx, id, counts);
    });
    one.watch = watched.get();
    one.storage = std::move(watched);
  }
}

Result<std::string> Wiring::ArchiveId(const std::string& target) const {
  WALRIG_ASSIGN(const std::vector<Place> places, Places());
  std::string id;
  for (const Place& place : places) {
    if (target.empty() || target == "all" || place.name == ToLower(target)) id += place.id + "\n";
  }
  return id;
}

Result<std::vector<NamedStorage>> Wiring::OpenStorages(const Context& ctx, const StorageUse& use) {
  WALRIG_ASSIGN(std::vector<Place> places, Places());
  const std::string target = ToLower(use.target == "all" ? std::string() : use.target);
  if (!target.empty()) {
    std::erase_if(places, [&](const Place& place) { return place.name != target; });
    if (places.empty()) {
      return InvalidArgument(fmt::format("storage {}: there is none of this name", Printable(target)))
          .Hint("\"default\", or a name in WALG_FAILOVER_STORAGES");
    }
  }
  std::vector<NamedStorage> storages;
  for (const Place& place : places) {
    Result<std::unique_ptr<Storage>> opened = OpenPlace(ctx, place, use);
    if (!opened.ok() && places.size() == 1) return std::move(opened).status();
    storages.push_back({.name = place.name, .storage = opened.ok() ? std::move(*opened) : nullptr, .why = opened.status()});
  }
  if (places.size() == 1) return storages;
  WALRIG_ASSIGN(const bool check, settings_.Bool("WALG_FAILOVER_STORAGES_CHECK"));
  std::shared_ptr<AlivenessBook> book;
  if (check) {
    WALRIG_ASSIGN(AlivenessPolicy policy, PolicyFrom(settings_));
    // A recovery that finds a file nowhere else waits for this storage: it must be noticed soon when it is back.
    if (use.read_only) policy.dead_lifetime_ns = kReadersDeadLifetimeNs;
    book = std::make_shared<AlivenessBook>(CachePath(use), policy);
    WALRIG_TRY(CheckAlive(ctx, places, use, *book, &storages));
  }
  Watch(places, use, book, &storages);
  for (const NamedStorage& one : storages) {
    if (one.storage != nullptr) continue;
    ctx.log->Write(LogLevel::kWarning, "",
                   fmt::format("storage {} is not used: {}", one.name, one.why.ToString()));
  }
  return storages;
}

Result<std::unique_ptr<Storage>> Wiring::OpenStorage(const Context& ctx, const StorageUse& use) {
  WALRIG_ASSIGN(std::vector<NamedStorage> storages, OpenStorages(ctx, use));
  if (storages.size() == 1) return std::move(storages[0].storage);
  std::vector<FailoverMember> members;
  for (NamedStorage& one : storages) {
    if (use.one && one.storage != nullptr) {
      ctx.log->Write(LogLevel::kInfo, "", fmt::format("files will be uploaded to storage: {}", one.name));
      return std::move(one.storage);
    }
    members.push_back({std::move(one.name), std::move(one.storage), std::move(one.why)});
  }
  WALRIG_ASSIGN(std::unique_ptr<FailoverStorage> merged, FailoverStorage::New(std::move(members)));
  if (use.all) WALRIG_TRY(merged->RequireAll());
  return std::unique_ptr<Storage>(std::move(merged));
}

}  // namespace walrig
