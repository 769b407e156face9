#include "core/backup/claim.h"

#include <fmt/format.h>
#include <unistd.h>

#include <climits>

#include "core/base/random.h"
#include "core/base/string_util.h"
#include "core/layout/claim.h"
#include "core/layout/paths.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

// How often a claim that went meanwhile is tried for: another run may come and go in between.
constexpr int kTakesMax = 5;

std::string NewClaim() {
  char host[HOST_NAME_MAX + 1] = {};
  if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  return SerializeClaim({fmt::format("{:016x}{:016x}", SeedFromSystem(), SeedFromSystem()), host, OwnProcessMark()});
}

std::string Writer(const Result<ClaimText>& claim) {
  if (!claim.ok()) return "another backup-push";
  return fmt::format("another backup-push (process {} on {})", claim->process.pid, Printable(claim->host));
}

}  // namespace

Result<bool> HoldsText(const Context& ctx, Storage& storage, const std::string& key, const std::string& text) {
  Result<std::string> found = ReadObject(ctx, storage, key, text.size());
  if (found.ok()) return *found == text;
  const Code code = found.status().code();
  if (code == Code::kNotFound || code == Code::kTooLarge) return false;
  return std::move(found).status();
}

NameClaim::NameClaim(Storage& storage, const std::string& backup_name)
    : storage_(storage),
      key_(BackupFolder(backup_name) + std::string(kClaimName)),
      backup_name_(backup_name),
      text_(NewClaim()) {}

Status NameClaim::Take(const Context& ctx) {
  if (storage_.capabilities().put_if_absent) return TakeIfAbsent(ctx).With("storing the claim");
  Result<std::string> found = ReadObject(ctx, storage_, key_, kClaimBytesMax);
  if (found.ok()) {
    const Result<ClaimText> claim = ParseClaim(*found);
    if (claim.ok() && StateOf(claim->process) == ProcessState::kRuns) return RefuseUnlessGone(ctx, *found);
  }
  return WriteObject(ctx, storage_, key_, text_).With("storing the claim");
}

Status NameClaim::TakeIfAbsent(const Context& ctx) {
  Status status;
  for (int take = 0; take < kTakesMax; ++take) {
    status = WriteObject(ctx, storage_, key_, text_, NewObject(storage_));
    if (status.code() != Code::kAlreadyExists) return status;
    Result<std::string> found = ReadObject(ctx, storage_, key_, kClaimBytesMax);
    if (found.status().code() == Code::kNotFound) continue;
    if (!found.ok()) return std::move(found).status();
    // The put that "failed" was ours: its first attempt had its effect, and the answer was lost.
    if (*found == text_) return OkStatus();
    WALRIG_TRY(RefuseUnlessGone(ctx, *found));
    WALRIG_TRY(DeleteAll(ctx, storage_, {key_}));
  }
  return status;
}

Status NameClaim::RefuseUnlessGone(const Context& ctx, const std::string& found) const {
  const Result<ClaimText> claim = ParseClaim(found);
  if (claim.ok() && StateOf(claim->process) == ProcessState::kGone) {
    ctx.log->Write(LogLevel::kInfo, "backup",
                   fmt::format("process {}, which was writing the backup {}, is gone: its claim is taken over",
                               claim->process.pid, backup_name_));
    return OkStatus();
  }
  return Conflict(fmt::format("{} is writing the backup {}", Writer(claim), backup_name_))
      .Hint(fmt::format("two backups that begin between the same two checkpoints get the same name: take one at a time; if "
                        "that process is gone, remove what it left: walrig delete target {} --confirm",
                        backup_name_));
}

Result<bool> NameClaim::IsOurs(const Context& ctx) const { return HoldsText(ctx, storage_, key_, text_); }

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
  // Not those of a run that has taken the folder over since.
  WALRIG_TRY(Check(ctx));
  ctx.log->Write(LogLevel::kWarning, "backup",
                 fmt::format("deleting {} objects that an interrupted backup left under {}", keys.size(), backup_name_));
  return DeleteAll(ctx, storage_, keys);
}

Result<bool> NameClaim::GiveUp(const Context& ctx, const std::string& our_sentinel) {
  const std::string sentinel = SentinelKey(backup_name_);
  if (!our_sentinel.empty()) {
    WALRIG_ASSIGN(const bool stored, HoldsText(ctx, storage_, sentinel, our_sentinel));
    if (stored) WALRIG_TRY(DeleteAll(ctx, storage_, {sentinel}));
  }
  WALRIG_ASSIGN(const bool stands, Exists(ctx, storage_, sentinel));
  if (stands) return false;
  WALRIG_ASSIGN(const bool ours, IsOurs(ctx));
  WALRIG_ASSIGN(const std::vector<ObjectInfo> objects, ListAll(ctx, storage_, BackupFolder(backup_name_)));
  // Of nothing it cannot be said that it is another run's.
  if (!ours) return objects.empty();
  std::vector<std::string> keys;
  for (const ObjectInfo& object : objects) keys.push_back(object.key);
  WALRIG_TRY(DeleteAll(ctx, storage_, keys));
  return true;
}

}  // namespace walrig
