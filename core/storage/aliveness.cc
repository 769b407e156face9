#include "core/storage/aliveness.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/base/owner.h"
#include "core/base/time_format.h"
#include "core/io/durable_file.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

constexpr size_t kCacheBytesMax = 1u << 20;
constexpr std::string_view kCheckKey = "walrig_storage_check";

double Alpha(const Aliveness& before, const AlivenessPolicy& policy) {
  const double low = before.alive ? policy.dead_limit : 0;
  const double at_low = before.alive ? policy.alpha_alive_max : policy.alpha_dead_max;
  const double at_one = before.alive ? policy.alpha_alive_min : policy.alpha_dead_min;
  if (low >= 1) return at_one;
  const double way = std::clamp((before.average - low) / (1 - low), 0.0, 1.0);
  return at_low + (at_one - at_low) * way;
}

Result<Aliveness> Read(const Json& json) {
  Aliveness one;
  WALRIG_ASSIGN(const double potential, JsonDouble(json, "potential_aliveness", "cache"));
  WALRIG_ASSIGN(one.average, JsonDouble(json, "actual_aliveness", "cache"));
  WALRIG_ASSIGN(one.alive, JsonBool(json, "previous_aliveness", "cache"));
  WALRIG_ASSIGN(const std::string updated, JsonString(json, "updated", "cache"));
  WALRIG_ASSIGN(one.updated_ns, ParseRfc3339(updated));
  if (!(one.average >= 0 && one.average <= 1)) return Corruption("an aliveness beyond 0 and 1");
  one.last_check = potential > 0.5;
  return one;
}

}  // namespace

Aliveness AfterCheck(const Aliveness* before, bool check, int64_t now_ns, const AlivenessPolicy& policy) {
  const double value = check ? 1 : 0;
  if (before == nullptr) return {.average = value, .alive = check, .last_check = check, .updated_ns = now_ns};
  Aliveness after{.average = 0, .alive = before->alive, .last_check = check, .updated_ns = now_ns};
  const double alpha = Alpha(*before, policy);
  after.average = std::clamp(alpha * value + (1 - alpha) * before->average, 0.0, 1.0);
  if (before->alive && after.average < policy.dead_limit) after.alive = false;
  if (!before->alive && after.average > policy.alive_limit) after.alive = true;
  return after;
}

Status CheckStorage(const Context& ctx, Storage& storage, uint64_t write_bytes) {
  WALRIG_TRY(storage.List(ctx, {.prefix = "", .delimiter = "/", .start_after = "", .page_token = "", .keys_max = 1}).status());
  if (write_bytes == 0) return OkStatus();
  WALRIG_ASSIGN(auto sink, storage.Put(ctx, kCheckKey, PutOptions{.size_bytes = write_bytes}));
  const std::string piece(static_cast<size_t>(std::min<uint64_t>(write_bytes, 1u << 20)), '\0');
  for (uint64_t left = write_bytes; left > 0;) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(left, piece.size()));
    WALRIG_TRY(sink->Write(ctx, AsBytes(std::string_view(piece).substr(0, count))));
    left -= count;
  }
  WALRIG_TRY(sink->Commit(ctx));
  return DeleteAll(ctx, storage, {std::string(kCheckKey)});
}

AlivenessCache LoadAliveness(const std::string& path) {
  AlivenessCache cache;
  std::ifstream file(path);
  std::string text(kCacheBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.empty() || text.size() > kCacheBytesMax) return cache;
  const Result<Json> json = ParseJson(text, path);
  if (!json.ok() || !json->is_object()) return cache;
  for (const auto& [name, entry] : json->items()) {
    if (const Result<Aliveness> one = Read(entry); one.ok()) cache[name] = *one;
  }
  return cache;
}

Status SaveAliveness(const Context& ctx, const std::string& path, const AlivenessCache& fresh) {
  WALRIG_ASSIGN(const Fd lock, OpenFd(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return Conflict("another run writes " + path);
  const Result<Fd> folder = OpenFd(std::filesystem::path(path).parent_path().string(), O_RDONLY | O_DIRECTORY);
  if (folder.ok()) GiveToOwnerOf(folder->get(), lock.get());
  AlivenessCache all = LoadAliveness(path);
  for (const auto& [name, one] : fresh) all[name] = one;
  Json json = Json::object();
  for (const auto& [name, one] : all) {
    json[name] = Json{{"potential_aliveness", one.last_check ? 1.0 : 0.0},
                      {"actual_aliveness", one.average},
                      {"previous_aliveness", one.alive},
                      {"updated", FormatRfc3339Nano(one.updated_ns)}};
  }
  return WriteFileDurably(ctx, path, DumpJson(json), {.sync = false, .owner_of_folder = true});
}

bool SpeaksAgainstStorage(const Status& status) {
  switch (status.code()) {
    case Code::kUnavailable:
    case Code::kThrottled:
    case Code::kTimeout:
    case Code::kPermission:
    case Code::kUnauthenticated:
    case Code::kConfig:  // the bucket is gone
    case Code::kNoSpace:
    case Code::kReadOnly:
    case Code::kIoError:
    case Code::kProtocol: return true;
    default: return false;
  }
}

AlivenessBook::AlivenessBook(std::string path, const AlivenessPolicy& policy)
    : path_(std::move(path)), policy_(policy), known_(path_.empty() ? AlivenessCache() : LoadAliveness(path_)) {}

std::optional<Aliveness> AlivenessBook::Verdict(const Context& ctx, const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(id);
  if (found == known_.end()) return std::nullopt;
  const int64_t now_ns = ctx.clock->WallNs();
  const int64_t updated_ns = found->second.updated_ns;
  const int64_t lifetime_ns = found->second.usable() ? policy_.lifetime_ns : std::min(policy_.lifetime_ns, policy_.dead_lifetime_ns);
  // A file may say any time, and the difference of two may be more than fits.
  if (updated_ns < 0 || now_ns < updated_ns || now_ns - updated_ns >= lifetime_ns) return std::nullopt;
  return found->second;
}

Aliveness AlivenessBook::Enter(const Context& ctx, const std::string& id, bool check) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(id);
  const Aliveness after = AfterCheck(found == known_.end() ? nullptr : &found->second, check, ctx.clock->WallNs(), policy_);
  known_[id] = fresh_[id] = after;
  return after;
}

void AlivenessBook::Save(const Context& ctx) {
  const std::lock_guard lock(mutex_);
  if (fresh_.empty() || path_.empty()) return;
  SaveAliveness(ctx, path_, fresh_).Ignore("the cache only saves checks");
  fresh_.clear();
}

void AlivenessBook::Correct(const Context& ctx, const std::string& id, bool counts) {
  if (counts) {
    Enter(ctx, id, false);
  } else {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(id);
    if (found == known_.end()) return;
    found->second.updated_ns = 0;
    fresh_[id] = found->second;
  }
  Context untimed = ctx;  // the call may have failed by its deadline
  untimed.deadline_ns = 0;
  Save(untimed);
}

}  // namespace walrig
