#include "core/backup/show.h"

#include <fmt/format.h>

#include "core/base/string_util.h"
#include "core/base/time_format.h"
#include "core/catalog/chain.h"
#include "core/catalog/object_reader.h"
#include "core/layout/paths.h"

namespace walrig {
namespace {

void AddProblem(const Status& status, BackupShowReport* report) {
  if (!status.ok()) report->problems.push_back(status.ToString());
}

std::string TimeText(int64_t ns) { return ns == 0 ? "-" : FormatRfc3339Nano(ns); }

std::string LsnText(const std::optional<Lsn>& lsn) { return lsn ? FormatLsn(*lsn) : "-"; }

void FindProblems(BackupShowReport* report) {
  const BackupObjects& objects = report->objects;
  AddProblem(report->entry.sentinel_status, report);
  AddProblem(report->entry.metadata_status, report);
  if (objects.parts.empty()) report->problems.emplace_back("no tar with files");
  if (objects.control.empty()) report->problems.emplace_back("pg_control.tar is missing");
  if (report->entry.sentinel && report->entry.sentinel->files_metadata_required() && !objects.has_files_metadata) {
    report->problems.push_back(FilesMetadataKey(report->entry.name) + " is missing");
  }
  for (const std::string& key : objects.foreign) report->problems.push_back(key + " is not a tar of a backup");
  for (const std::string& key : objects.unlisted) report->problems.push_back(fmt::format("{} is not listed in {}", key, kProofName));
  if (report->proof) AddProblem(CompareWithProof(*report->proof, objects), report);
}

}  // namespace

Result<BackupShowReport> BackupShow(const Context& ctx, const BackupShowOptions& options, Storage& storage) {
  BackupShowReport report;
  WALRIG_ASSIGN(report.entry, FindBackup(ctx, storage, options.selector));
  WALRIG_ASSIGN(report.objects, ListBackupObjects(ctx, storage, report.entry.name));
  auto proof = LoadProof(ctx, storage, report.entry.name);
  if (proof.ok()) {
    report.proof = std::move(proof).value();
    if (report.proof) SetAsideUnlisted(*report.proof, &report.objects);
  } else {
    AddProblem(proof.status(), &report);
  }
  if (report.entry.sentinel) {
    auto chain = ChainOf(ctx, storage, report.entry);
    if (chain.ok()) {
      report.chain = std::move(chain).value();
    } else {
      AddProblem(chain.status(), &report);
    }
  }
  FindProblems(&report);
  return report;
}

Json BackupShowJson(const BackupShowReport& report) {
  const BackupEntry& entry = report.entry;
  Json json = Json::object();
  json["backup_name"] = entry.name;
  json["time"] = FormatRfc3339Nano(entry.modified_ns);
  json["wal_file_name"] = entry.wal_file_name;
  if (entry.metadata) json.update(BackupMetadataToJson(*entry.metadata));
  if (entry.sentinel) json["sentinel"] = Json::parse(SerializeSentinel(*entry.sentinel), nullptr, false);
  json["chain"] = report.chain;
  Json tars = Json::array();
  for (const auto* list : {&report.objects.parts, &report.objects.control, &report.objects.label}) {
    for (const TarObject& object : *list) {
      Json tar = Json::object();
      tar["name"] = object.file_name;
      tar["stored_size"] = object.size_bytes;
      const ProofObject* proof =
          report.proof ? report.proof->Find(std::string(kTarFolder) + object.file_name) : nullptr;
      if (proof != nullptr) {
        tar["plain_size"] = proof->plain_bytes;
        tar["xxh128"] = proof->xxh128;
      }
      tars.push_back(std::move(tar));
    }
  }
  json["tars"] = std::move(tars);
  json["stored_bytes"] = report.objects.stored_bytes;
  json["has_manifest"] = report.objects.has_manifest;
  json["has_files_metadata"] = report.objects.has_files_metadata;
  json["has_proof"] = report.proof.has_value();
  json["problems"] = report.problems;
  return json;
}

std::vector<std::pair<std::string, std::string>> BackupShowLines(const BackupShowReport& report) {
  std::vector<std::pair<std::string, std::string>> lines;
  const BackupEntry& entry = report.entry;
  auto add = [&lines](const char* label, std::string value) { lines.emplace_back(label, std::move(value)); };
  add("Name", entry.name);
  add("Modified", TimeText(entry.modified_ns));
  add("Kind", report.chain.size() > 1 ? fmt::format("increment {} of {}", report.chain.size() - 1, report.chain[0])
                                      : std::string("full"));
  if (entry.sentinel) {
    const Sentinel& sentinel = *entry.sentinel;
    add("Started", TimeText(sentinel.start_time_ns));
    add("Finished", TimeText(sentinel.finish_time_ns));
    add("Start LSN", LsnText(sentinel.start_lsn));
    add("Finish LSN", LsnText(sentinel.finish_lsn));
    add("PostgreSQL", std::to_string(sentinel.pg_version));
    if (sentinel.system_identifier) add("System identifier", std::to_string(*sentinel.system_identifier));
    add("Host", sentinel.hostname);
    add("Data directory", sentinel.data_directory);
    add("Files", FormatBytes(static_cast<uint64_t>(std::max<int64_t>(sentinel.uncompressed_bytes, 0))));
    if (sentinel.tablespaces) {
      for (const Tablespace& tablespace : sentinel.tablespaces->tablespaces()) {
        add("Tablespace", fmt::format("{} at {}", tablespace.name, tablespace.location));
      }
    }
  }
  add("Stored", fmt::format("{} in {} tars", FormatBytes(report.objects.stored_bytes),
                            report.objects.parts.size() + report.objects.control.size() + report.objects.label.size()));
  if (entry.metadata) {
    add("Permanent", entry.metadata->permanent ? "yes" : "no");
    if (entry.metadata->user_data) add("User data", DumpJson(*entry.metadata->user_data));
  }
  add("Manifest", report.objects.has_manifest ? "yes" : "no");
  add("Proof", report.proof ? "yes" : "no");
  for (const std::string& problem : report.problems) add("Problem", problem);
  return lines;
}

}  // namespace walrig
