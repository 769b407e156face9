#include "core/catalog/backups.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/string_util.h"
#include "core/base/time_format.h"
#include "core/catalog/latest.h"
#include "core/layout/backup_name.h"
#include "core/layout/paths.h"
#include "core/pipeline/worker_pool.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

constexpr size_t kReadersAtOnce = 8;

// A missing object, or the message with the object's key in front.
template <typename T, typename Parse>
Result<T> LoadDocument(const Context& ctx, Storage& storage, const std::string& key, Parse parse) {
  auto text = ReadObject(ctx, storage, key, kDocumentBytesMax);
  if (!text.ok()) {
    Status status = std::move(text).status();
    if (status.code() == Code::kNotFound) return NotFound(key + " is missing");
    return std::move(status).With("reading " + key);
  }
  return parse(*text, key);
}

// What concerns the whole run, not one document.
bool EndsListing(const Status& status) {
  return status.code() == Code::kCancelled || status.code() == Code::kTimeout;
}

void LoadInto(const Context& ctx, Storage& storage, const ListBackupsOptions& options, BackupEntry* entry) {
  if (options.sentinels) {
    auto sentinel = LoadSentinel(ctx, storage, entry->name);
    entry->sentinel_status = sentinel.ok() ? OkStatus() : sentinel.status();
    if (sentinel.ok()) entry->sentinel = std::move(sentinel).value();
  }
  if (options.metadata) {
    auto metadata = LoadMetadata(ctx, storage, entry->name);
    entry->metadata_status = metadata.ok() ? OkStatus() : metadata.status();
    if (metadata.ok()) entry->metadata = std::move(metadata).value();
  }
}

// Of old backups they may be most of a large document, and there may be many.
void DropFileLists(BackupEntry* entry) {
  if (entry->sentinel) std::string().swap(entry->sentinel->embedded_files_metadata);
}

template <typename Call>
Status ForEachAtOnce(const std::vector<BackupEntry*>& entries, Call call) {
  WorkerPool pool(entries.size() < 2 ? 0 : std::min(kReadersAtOnce, entries.size()));
  for (BackupEntry* entry : entries) pool.Submit([&call, entry]() -> Status { return call(*entry); });
  return pool.Wait();
}

Status LoadDocuments(const Context& ctx, Storage& storage, const ListBackupsOptions& options,
                     std::vector<BackupEntry>* entries) {
  if (!options.sentinels && !options.metadata) return OkStatus();
  std::vector<BackupEntry*> all;
  for (BackupEntry& entry : *entries) all.push_back(&entry);
  return ForEachAtOnce(all, [&](BackupEntry& entry) -> Status {
    WALRIG_TRY(ctx.Poll());
    LoadInto(ctx, storage, options, &entry);
    DropFileLists(&entry);
    if (EndsListing(entry.sentinel_status)) return entry.sentinel_status;
    return EndsListing(entry.metadata_status) ? entry.metadata_status : OkStatus();
  });
}

std::string WhatThereIs(const std::vector<BackupEntry>& entries) {
  if (entries.empty()) return "the storage holds no backup; check its prefix";
  if (entries.size() == 1) return "the only backup is " + entries.back().name;
  return fmt::format("of {} backups {} was stored last", entries.size(), entries.back().name);
}

// What a backup's documents say about its end. Damage is an answer; a storage that does not give them leaves it open which
// backup is the newest.
Status LoadFinishTime(const Context& ctx, Storage& storage, BackupEntry* entry) {
  WALRIG_TRY(ctx.Poll());
  LoadInto(ctx, storage, {.sentinels = true}, entry);
  if (!FinishTimeKnown(*entry)) LoadInto(ctx, storage, {.metadata = true}, entry);
  for (const Status* status : {&entry->sentinel_status, &entry->metadata_status}) {
    const bool answer = status->ok() || status->code() == Code::kNotFound || status->code() == Code::kCorruption ||
                        status->code() == Code::kNotSupported || status->code() == Code::kTooLarge;
    if (!answer) return Status(*status).With("looking for the newest backup");
  }
  return OkStatus();
}

void TellThatTimesMislead(const Context& ctx, const BackupEntry& latest, const BackupEntry& last) {
  ctx.log->Write(LogLevel::kWarning, "",
                 fmt::format("LATEST is {}, finished {}; the storage's time stamps would say {}, finished {}: they are not "
                             "those of the backups, as after a copy",
                             latest.name, FormatRfc3339Seconds(FinishTimeNs(latest)), last.name,
                             FormatRfc3339Seconds(FinishTimeNs(last))));
}

Result<size_t> FindLatest(const Context& ctx, Storage& storage, std::vector<BackupEntry>* entries) {
  if (entries->empty()) return NotFound("no backups found").Hint(WhatThereIs(*entries));
  BackupEntry& last = entries->back();
  WALRIG_TRY(LoadFinishTime(ctx, storage, &last));
  std::vector<BackupEntry*> open;
  for (const size_t i : MayBeNewer(*entries)) open.push_back(&(*entries)[i]);
  Status read = ForEachAtOnce(open, [&](BackupEntry& entry) {
    Status status = LoadFinishTime(ctx, storage, &entry);
    DropFileLists(&entry);
    return status;
  });
  if (!read.ok()) return read;
  const size_t newest = NewestOf(*entries);
  if (newest + 1 != entries->size()) TellThatTimesMislead(ctx, (*entries)[newest], last);
  return newest;
}

Result<size_t> FindByName(const std::string& name, const std::vector<BackupEntry>& entries) {
  if (name.find('/') != std::string::npos) {
    return InvalidArgument(fmt::format("'{}' is no name of a backup", Printable(name)));
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].name == name) return i;
    names.push_back(entries[i].name);
  }
  const std::string near = NearestName(name, names);
  return NotFound(fmt::format("backup '{}' does not exist", Printable(name)))
      .Hint(near.empty() ? WhatThereIs(entries) : "did you mean " + near);
}

Result<size_t> FindByUserData(const Json& wanted, const std::vector<BackupEntry>& entries) {
  std::optional<size_t> found;
  for (size_t i = 0; i < entries.size(); ++i) {
    const BackupEntry& entry = entries[i];
    // metadata.json is authoritative; backups from before it have only the sentinel's copy.
    const std::optional<Json>* data = entry.metadata ? &entry.metadata->user_data
                                      : entry.sentinel ? &entry.sentinel->user_data
                                                       : nullptr;
    // The order of keys must not matter, so compare as unordered documents.
    if (data == nullptr || !data->has_value() || nlohmann::json(**data) != nlohmann::json(wanted)) continue;
    if (found) {
      return InvalidArgument(fmt::format("user data fit several backups: {} and {}", entries[*found].name, entry.name))
          .Hint("name the backup instead");
    }
    found = i;
  }
  if (!found) return NotFound("no backup has this user data").Hint(WhatThereIs(entries));
  return *found;
}

Result<size_t> FindByTime(int64_t time_ns, const std::vector<BackupEntry>& entries) {
  std::optional<size_t> found;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].sentinel || FinishTimeNs(entries[i]) > time_ns) continue;
    if (!found || FinishTimeNs(entries[i]) >= FinishTimeNs(entries[*found])) found = i;
  }
  if (!found) {
    return NotFound(fmt::format("no backup was finished at or before {}", FormatRfc3339Nano(time_ns)))
        .Hint("a moment can only be reached from a backup that was finished before it");
  }
  return *found;
}

}  // namespace

Result<Sentinel> LoadSentinel(const Context& ctx, Storage& storage, const std::string& backup_name) {
  return LoadDocument<Sentinel>(ctx, storage, SentinelKey(backup_name),
                                [](const std::string& text, const std::string& key) { return ParseSentinel(text, key); });
}

Result<BackupMetadata> LoadMetadata(const Context& ctx, Storage& storage, const std::string& backup_name) {
  return LoadDocument<BackupMetadata>(
      ctx, storage, MetadataKey(backup_name),
      [](const std::string& text, const std::string& key) { return ParseBackupMetadata(text, key); });
}

Result<std::optional<Proof>> LoadProof(const Context& ctx, Storage& storage, const std::string& backup_name) {
  auto proof = LoadDocument<Proof>(ctx, storage, ProofKey(backup_name),
                                   [](const std::string& text, const std::string& key) { return ParseProof(text, key); });
  if (proof.ok()) return std::optional<Proof>(std::move(proof).value());
  if (proof.status().code() == Code::kNotFound) return std::optional<Proof>();
  return std::move(proof).status();
}

Result<std::vector<BackupEntry>> ListBackups(const Context& ctx, Storage& storage, const ListBackupsOptions& options) {
  WALRIG_ASSIGN(std::vector<ObjectInfo> objects, ListAll(ctx, storage, kBackupsFolder, "/"));
  std::vector<BackupEntry> entries;
  for (const ObjectInfo& object : objects) {
    if (object.is_prefix) continue;
    auto name = BackupOfSentinelKey(object.key);
    if (!name) continue;
    BackupEntry entry;
    entry.name = *name;
    entry.wal_file_name = WalFileNameOfBackup(entry.name);
    entry.sentinel_key = object.key;
    entry.modified_ns = object.mtime_ns == kUnknownTime ? 0 : object.mtime_ns;
    entry.sentinel_status = NotFound("not read");
    entry.metadata_status = NotFound("not read");
    entries.push_back(std::move(entry));
  }
  std::stable_sort(entries.begin(), entries.end(), [](const BackupEntry& a, const BackupEntry& b) {
    return a.modified_ns != b.modified_ns ? a.modified_ns < b.modified_ns : a.name < b.name;
  });
  WALRIG_TRY(LoadDocuments(ctx, storage, options, &entries));
  return entries;
}

Result<BackupEntry> FindBackup(const Context& ctx, Storage& storage, const BackupSelector& selector) {
  const int criteria = int{!selector.name.empty()} + int{selector.user_data.has_value()} +
                       int{selector.target_time_ns.has_value()};
  if (criteria != 1) {
    return InvalidArgument(criteria == 0 ? "no backup was named" : "several ways to choose a backup were given")
        .Hint("give one of: a name, LATEST, user data, a target time");
  }
  ListBackupsOptions list;
  list.metadata = selector.user_data.has_value();
  list.sentinels = list.metadata || selector.target_time_ns.has_value();
  WALRIG_ASSIGN(std::vector<BackupEntry> entries, ListBackups(ctx, storage, list));
  const bool latest = selector.name == kLatest;
  WALRIG_ASSIGN(size_t index, selector.user_data         ? FindByUserData(*selector.user_data, entries)
                              : selector.target_time_ns ? FindByTime(*selector.target_time_ns, entries)
                              : latest                  ? FindLatest(ctx, storage, &entries)
                                                        : FindByName(selector.name, entries));
  BackupEntry entry = std::move(entries[index]);
  entry.chosen_because = selector.user_data        ? "it has the user data that were asked for"
                         : selector.target_time_ns ? "it is the newest that was finished by the target time"
                         : latest ? fmt::format("it is LATEST, the one of {} that was finished last", entries.size())
                                  : "it was named";
  ListBackupsOptions missing;
  missing.sentinels = !latest || index + 1 != entries.size();  // whole: the list keeps no lists of files
  missing.metadata = !list.metadata;
  LoadInto(ctx, storage, missing, &entry);
  WALRIG_TRY(ctx.Poll());
  return entry;
}

bool FinishTimeKnown(const BackupEntry& entry) {
  return (entry.sentinel && entry.sentinel->finish_time_ns != 0) || (entry.metadata && entry.metadata->finish_time_ns != 0);
}

int64_t FinishTimeNs(const BackupEntry& entry) {
  if (entry.sentinel && entry.sentinel->finish_time_ns != 0) return entry.sentinel->finish_time_ns;
  if (entry.metadata && entry.metadata->finish_time_ns != 0) return entry.metadata->finish_time_ns;
  return entry.modified_ns;
}

}  // namespace walrig
