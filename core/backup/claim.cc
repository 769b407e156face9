#include "core/backup/claim.h"

#include <fmt/format.h>
#include <unistd.h>

#include "core/base/random.h"
#include "core/layout/paths.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

constexpr uint64_t kTokenBytesMax = 4096;

}  // namespace

NameClaim::NameClaim(Storage& storage, const std::string& backup_name)
    : storage_(storage),
      key_(BackupFolder(backup_name) + std::string(kClaimName)),
      backup_name_(backup_name),
      token_(fmt::format("walrig 1 {:016x}{:016x} {}\n", SeedFromSystem(), SeedFromSystem(), getpid())) {}

Status NameClaim::Take(const Context& ctx) { return WriteObject(ctx, storage_, key_, token_).With("storing the claim"); }

Result<bool> NameClaim::IsOurs(const Context& ctx) const {
  Result<std::string> found = ReadObject(ctx, storage_, key_, kTokenBytesMax);
  if (found.ok()) return *found == token_;
  const Code code = found.status().code();
  if (code == Code::kNotFound || code == Code::kTooLarge) return false;
  return std::move(found).status();
}

Status NameClaim::Check(const Context& ctx) const {
  WALRIG_ASSIGN(const bool ours, IsOurs(ctx));
  if (ours) return OkStatus();
  return Conflict(fmt::format("another backup-push took over the backup {}", backup_name_))
      .Hint("two backups that begin between the same two checkpoints get the same name: take one at a time");
}

Status NameClaim::Remove(const Context& ctx) { return DeleteAll(ctx, storage_, {key_}); }

Status NameClaim::ClearFolder(const Context& ctx) {
  WALRIG_ASSIGN(const std::vector<ObjectInfo> leftovers, ListAll(ctx, storage_, BackupFolder(backup_name_)));
  std::vector<std::string> keys;
  for (const ObjectInfo& object : leftovers)
    if (object.key != key_) keys.push_back(object.key);
  if (keys.empty()) return OkStatus();
  ctx.log->Write(LogLevel::kWarning, "backup",
                 fmt::format("deleting {} objects that an interrupted backup left under {}", keys.size(), backup_name_));
  return DeleteAll(ctx, storage_, keys);
}

Result<bool> NameClaim::GiveUp(const Context& ctx, bool sentinel_may_be_ours) {
  if (sentinel_may_be_ours) WALRIG_TRY(DeleteAll(ctx, storage_, {SentinelKey(backup_name_)}));
  WALRIG_ASSIGN(const bool ours, IsOurs(ctx));
  if (!ours) return false;
  WALRIG_ASSIGN(const std::vector<ObjectInfo> objects, ListAll(ctx, storage_, BackupFolder(backup_name_)));
  std::vector<std::string> keys;
  for (const ObjectInfo& object : objects) keys.push_back(object.key);
  WALRIG_TRY(DeleteAll(ctx, storage_, keys));
  return true;
}

}  // namespace walrig
