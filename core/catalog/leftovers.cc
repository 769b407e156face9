#include "core/catalog/leftovers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/string_util.h"
#include "core/layout/backup_name.h"
#include "core/layout/claim.h"
#include "core/layout/paths.h"
#include "core/storage/objects.h"
#include "core/storage/unfinished.h"

namespace walrig {
namespace {

constexpr size_t kNamesShown = 3;

// Folders of backups that have no sentinel: leftovers, and what is being written.
Result<std::vector<std::string>> FoldersWithoutSentinel(const Context& ctx, Storage& storage) {
  WALRIG_ASSIGN(const std::vector<ObjectInfo> entries, ListAll(ctx, storage, kBackupsFolder, "/"));
  std::set<std::string> finished, folders;
  for (const ObjectInfo& entry : entries) {
    if (const auto name = BackupOfSentinelKey(entry.key)) finished.insert(*name);
    const auto name = BackupOfKey(entry.key);
    // Nobody knows whose a folder of another name is.
    if (entry.is_prefix && name && ParseBackupName(*name).ok()) folders.insert(*name);
  }
  std::vector<std::string> without;
  std::set_difference(folders.begin(), folders.end(), finished.begin(), finished.end(), std::back_inserter(without));
  return without;
}

Result<ProcessState> WriterOf(const Context& ctx, Storage& storage, const std::string& claim_key) {
  const Result<std::string> text = ReadObject(ctx, storage, claim_key, kClaimBytesMax);
  if (text.status().code() == Code::kCancelled) return text.status();
  if (!text.ok()) return ProcessState::kUnknown;
  const Result<ClaimText> claim = ParseClaim(*text);
  return claim.ok() ? StateOf(claim->process) : ProcessState::kUnknown;
}

Result<LeftoverBackup> LookAt(const Context& ctx, Storage& storage, const std::string& name) {
  LeftoverBackup backup;
  backup.name = name;
  const std::string claim = BackupFolder(name) + std::string(kClaimName);
  WALRIG_ASSIGN(const std::vector<ObjectInfo> objects, ListAll(ctx, storage, BackupFolder(name)));
  bool claimed = false;
  for (const ObjectInfo& object : objects) {
    backup.bytes += object.size_bytes;
    backup.newest_ns = std::max(backup.newest_ns, object.mtime_ns);
    if (object.key == claim)
      claimed = true;
    else
      backup.keys.push_back(object.key);
  }
  if (!claimed) return backup;
  WALRIG_ASSIGN(backup.writer, WriterOf(ctx, storage, claim));
  backup.keys.push_back(claim);
  return backup;
}

bool IsOld(int64_t ns, int64_t now_ns, int64_t age_ns) { return ns != kUnknownTime && ns <= now_ns && now_ns - ns >= age_ns; }

}  // namespace

uint64_t Leftovers::bytes() const {
  uint64_t sum = 0;
  for (const LeftoverBackup& backup : backups) sum += backup.bytes;
  for (const UnfinishedUpload& upload : uploads) sum += upload.size_bytes == kUnknownSize ? 0 : upload.size_bytes;
  return sum;
}

Result<Leftovers> FindLeftovers(const Context& ctx, Storage& storage, int64_t age_ns) {
  const int64_t now_ns = ctx.clock->WallNs();
  Leftovers leftovers;
  std::map<std::string, ProcessState> writers;
  WALRIG_ASSIGN(const std::vector<std::string> names, FoldersWithoutSentinel(ctx, storage));
  for (const std::string& name : names) {
    WALRIG_ASSIGN(LeftoverBackup backup, LookAt(ctx, storage, name));
    writers[name] = backup.writer;
    const bool left = backup.writer == ProcessState::kGone ||
                      (backup.writer == ProcessState::kUnknown && IsOld(backup.newest_ns, now_ns, age_ns));
    if (left && !backup.keys.empty()) leftovers.backups.push_back(std::move(backup));
  }
  if (!storage.capabilities().unfinished) return leftovers;
  Result<std::vector<UnfinishedUpload>> uploads = FindUnfinished(ctx, storage, std::string(kBackupsFolder), 0);
  if (uploads.status().code() == Code::kCancelled) return uploads.status();
  if (!uploads.ok()) return leftovers;  // listing them may need a right of its own
  for (UnfinishedUpload& upload : *uploads) {
    const auto writer = writers.find(BackupOfKey(upload.key).value_or(""));
    const ProcessState state = writer == writers.end() ? ProcessState::kUnknown : writer->second;
    if (state == ProcessState::kRuns) continue;
    if (state == ProcessState::kGone || IsOldUpload(upload, now_ns, age_ns)) leftovers.uploads.push_back(std::move(upload));
  }
  return leftovers;
}

Result<bool> IsStillLeft(const Context& ctx, Storage& storage, const LeftoverBackup& backup) {
  WALRIG_ASSIGN(const bool finished, Exists(ctx, storage, SentinelKey(backup.name)));
  if (finished) return false;
  WALRIG_ASSIGN(const LeftoverBackup now, LookAt(ctx, storage, backup.name));
  return now.writer == backup.writer && now.newest_ns == backup.newest_ns;
}

std::string DescribeLeftovers(const Leftovers& leftovers) {
  std::vector<std::string> what, names;
  const size_t backups = leftovers.backups.size(), uploads = leftovers.uploads.size();
  for (size_t i = 0; i < std::min(backups, kNamesShown); ++i) names.push_back(leftovers.backups[i].name);
  if (backups > kNamesShown) names.emplace_back("...");
  if (backups != 0) what.push_back(fmt::format("{} unfinished backup{} ({})", backups, backups == 1 ? "" : "s", Join(names, ", ")));
  if (uploads != 0) what.push_back(fmt::format("{} unfinished upload{}", uploads, uploads == 1 ? "" : "s"));
  return fmt::format("interrupted runs of backup-push left {} in the storage, {} in all; walrig delete garbage BACKUPS shows "
                     "them, and with --confirm deletes them",
                     Join(what, " and "), FormatBytes(leftovers.bytes()));
}

}  // namespace walrig
