#include "core/backup/documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "core/base/checksum.h"
#include "core/base/json.h"
#include "core/base/string_util.h"
#include "core/io/hashing.h"
#include "core/io/memory.h"
#include "core/layout/backup_metadata.h"
#include "core/layout/files_metadata.h"
#include "core/layout/paths.h"
#include "core/layout/seal.h"
#include "core/layout/sentinel.h"
#include "core/pipeline/upload.h"
#include "core/postgres/backup_manifest.h"
#include "core/postgres/data_dir.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

// What DumpJson puts in the place of bytes that are not UTF-8.
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

constexpr int64_t kNsPerS = 1'000'000'000;

int64_t FloorSeconds(int64_t ns) { return ns / kNsPerS - (ns % kNsPerS < 0 ? 1 : 0); }

// Streams a document into the storage through `write`, hashing what passes.
Result<ProofObject> StreamDocument(const Context& ctx, Storage& storage, const std::string& backup,
                                   std::string_view name, bool sealed, const std::function<Status(Sink&)>& write) {
  HashSet hashes;
  if (sealed) {
    WALRIG_ASSIGN(hashes.sha256, Sha256::New());
  }
  hashes.xxh128.emplace();
  WALRIG_ASSIGN(auto object, storage.Put(ctx, BackupFolder(backup) + std::string(name), NewObject(storage)));
  HashingSink sink(std::move(object), &hashes);
  Status status = write(sink);
  if (status.ok()) status = sink.Commit(ctx);
  if (!status.ok()) {
    sink.Abort();
    return std::move(status).With(fmt::format("storing {}", name));
  }
  return ProofObject{std::string(name), hashes.bytes, hashes.bytes, hashes.xxh128->Hex(),
                     sealed ? hashes.sha256->Hex() : std::string()};
}

bool IsExtra(const std::vector<ExtraFile>& extra, std::string_view path) {
  return std::any_of(extra.begin(), extra.end(), [&](const ExtraFile& file) { return file.path == path; });
}

Status WriteDatabases(const Context& ctx, FilesMetadataWriter& writer, BackupServer& server) {
  Result<std::vector<DatabaseName>> databases = server.Databases(ctx);
  if (databases.status().code() == Code::kCancelled) return databases.status();
  if (!databases.ok()) {
    ctx.log->Write(LogLevel::kWarning, "backup",
                   "the names of databases and tables are not stored, so a partial restore will not be possible: " +
                       databases.status().ToString());
    return OkStatus();
  }
  for (const DatabaseName& database : *databases) {
    Status stored = writer.BeginDatabase(ctx, database.name, database.oid);
    if (stored.code() == Code::kInvalidArgument) continue;  // a name that is no UTF-8 cannot stand in JSON
    if (!stored.ok()) return stored;
    Status asked = server.EachRelation(ctx, database, [&](RelationFile relation) {
      stored = writer.AddTable(ctx, {std::move(relation.name), std::move(relation.parent_name), relation.oid,
                                     relation.relfilenode});
      if (stored.code() == Code::kInvalidArgument) stored = OkStatus();
      return stored;
    });
    if (!stored.ok()) return stored;
    if (asked.code() == Code::kCancelled) return asked;
    if (!asked.ok())
      ctx.log->Write(LogLevel::kWarning, "backup",
                     fmt::format("the names of the tables of database {} are not stored, the tables themselves are: {}",
                                 Printable(database.name), asked.ToString()));
  }
  return OkStatus();
}

Status WriteTarSets(const Context& ctx, FilesMetadataWriter& writer, const FileSet& files, const TarUpload& upload,
                    const std::string& label_tar) {
  std::vector<uint32_t> by_part(files.size());
  std::iota(by_part.begin(), by_part.end(), 0u);
  auto part_of = [&](uint32_t index) { return files.entry(index).outcome.part; };
  auto by_number = [&](uint32_t a, uint32_t b) { return part_of(a) < part_of(b); };
  // One part is open at a time as a rule, and then the order holds already.
  if (!std::is_sorted(by_part.begin(), by_part.end(), by_number))
    std::stable_sort(by_part.begin(), by_part.end(), by_number);
  uint32_t part = 0;
  for (uint32_t index : by_part) {
    if (!files.entry(index).outcome.stored) continue;
    if (part_of(index) != part) {
      part = part_of(index);
      WALRIG_TRY(writer.BeginTar(ctx, upload.PartFileName(part)));
    }
    WALRIG_TRY(writer.AddToTar(ctx, files.MemberName(files.entry(index))));
  }
  WALRIG_TRY(writer.BeginTar(ctx, label_tar));
  WALRIG_TRY(writer.AddToTar(ctx, kTablespaceMapName));
  return writer.AddToTar(ctx, kBackupLabelName);
}

}  // namespace

std::string MakeSentinel(const BackupFacts& facts, const TablespaceSpec& tablespaces) {
  Sentinel sentinel;
  sentinel.start_lsn = facts.start_lsn;
  sentinel.finish_lsn = facts.stop_lsn;
  sentinel.pg_version = facts.server.version;
  sentinel.system_identifier = facts.server.system_identifier;
  sentinel.uncompressed_bytes = static_cast<int64_t>(facts.uncompressed_bytes);
  sentinel.compressed_bytes = static_cast<int64_t>(facts.compressed_bytes);
  sentinel.data_catalog_bytes = static_cast<int64_t>(facts.catalog_bytes);
  if (!tablespaces.empty()) sentinel.tablespaces = tablespaces;
  sentinel.user_data = facts.user_data;
  sentinel.files_metadata_disabled = facts.files_metadata_disabled;
  sentinel.version = 2;
  sentinel.start_time_ns = facts.start_time_ns;
  sentinel.finish_time_ns = facts.finish_time_ns;
  sentinel.hostname = facts.hostname;
  sentinel.data_directory = facts.data_directory;
  sentinel.permanent = facts.permanent;
  return SerializeSentinel(sentinel);
}

std::string MakeMetadata(const BackupFacts& facts) {
  BackupMetadata metadata;
  metadata.start_time_ns = facts.start_time_ns;
  metadata.finish_time_ns = facts.finish_time_ns;
  metadata.date_format = kDateFormatText;
  metadata.hostname = facts.hostname;
  metadata.data_directory = facts.data_directory;
  metadata.pg_version = facts.server.version;
  metadata.start_lsn = facts.start_lsn;
  metadata.finish_lsn = facts.stop_lsn;
  metadata.permanent = facts.permanent;
  metadata.system_identifier = facts.server.system_identifier;
  metadata.uncompressed_bytes = static_cast<int64_t>(facts.uncompressed_bytes);
  metadata.compressed_bytes = static_cast<int64_t>(facts.compressed_bytes);
  metadata.user_data = facts.user_data;
  return SerializeBackupMetadata(metadata);
}

Result<ProofObject> PutDocument(const Context& ctx, Storage& storage, const std::string& backup, std::string_view name,
                                const std::string& text) {
  Status status = WriteObject(ctx, storage, BackupFolder(backup) + std::string(name), text, NewObject(storage));
  if (!status.ok()) return std::move(status).With(fmt::format("storing {}", name));
  return ProofObject{std::string(name), text.size(), text.size(), Xxh128Hex(AsBytes(text)), {}};
}

Result<ProofObject> PutManifest(const Context& ctx, Storage& storage, const BackupFacts& facts, const FileSet& files,
                                const TarUpload& upload, const std::vector<ExtraFile>& extra, ManifestChecksum checksum,
                                uint64_t* files_listed) {
  const bool sha256 = checksum == ManifestChecksum::kSha256;
  *files_listed = 0;
  return StreamDocument(ctx, storage, facts.name, kManifestName, facts.sealed, [&](Sink& sink) -> Status {
    const BackupManifestWriter::Options options{facts.server.version / 10000, facts.server.system_identifier};
    WALRIG_ASSIGN(auto writer, BackupManifestWriter::New(options, sink));
    ManifestFile file;
    file.algorithm = sha256 ? "SHA256" : "CRC32C";
    for (size_t i = 0; i < files.size(); ++i) {
      if (files.entry(i).kind != FileKind::kFile || !files.entry(i).outcome.stored) continue;
      const FileEntry entry = upload.Stored(i);
      file.path = files.MemberName(entry).substr(1);
      // A stale one lies in the directory, and the restore takes ours.
      if (file.path == kBackupManifestName || IsExtra(extra, file.path)) continue;
      file.size_bytes = entry.size_bytes;
      file.mtime_s = FloorSeconds(entry.mtime_ns);
      file.checksum = sha256 ? HexEncode(upload.Sha256Of(i)) : ManifestCrc32c(entry.outcome.crc32c);
      WALRIG_TRY(writer->AddFile(ctx, file));
      ++*files_listed;
    }
    for (const ExtraFile& one : extra) {
      file.path = one.path;
      file.size_bytes = one.body.size();
      file.mtime_s = one.mtime_s;
      if (sha256) {
        WALRIG_ASSIGN(Sha256 digest, Sha256::New());
        digest.Update(AsBytes(one.body));
        file.checksum = digest.Hex();
      } else {
        file.checksum = ManifestCrc32c(Crc32c(0, AsBytes(one.body)));
      }
      WALRIG_TRY(writer->AddFile(ctx, file));
      ++*files_listed;
    }
    return writer->Finish(ctx, {{facts.timeline, facts.start_lsn, facts.stop_lsn}});
  });
}

Status CheckNames(const FileSet& files) {
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string name = files.MemberName(files.entry(i));
    if (std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) continue;
    if (DumpJson(Json(name)).find(kReplacement) == std::string::npos) continue;
    return InvalidArgument(fmt::format("the file name '{}' is not UTF-8", Printable(name, 4096)))
        .Hint("rename the file, move it out of the data directory, or use --without-files-metadata");
  }
  return OkStatus();
}

Result<ProofObject> PutFilesMetadata(const Context& ctx, Storage& storage, const std::string& backup,
                                     const FileSet& files, const TarUpload& upload, const std::string& label_tar,
                                     BackupServer* server, bool sealed) {
  return StreamDocument(ctx, storage, backup, kFilesMetadataName, sealed, [&](Sink& sink) -> Status {
    FilesMetadataWriter writer(sink);
    FileDescription description;
    for (size_t i = 0; i < files.size(); ++i) {
      if (!files.entry(i).outcome.stored) continue;
      const FileEntry entry = upload.Stored(i);
      description.mtime_ns = entry.mtime_ns;
      description.corrupt.reset();
      if (entry.outcome.corrupt_blocks != 0) description.corrupt = upload.corrupt_blocks().at(i);
      WALRIG_TRY(writer.AddFile(ctx, files.MemberName(entry), description));
    }
    WALRIG_TRY(WriteTarSets(ctx, writer, files, upload, label_tar));
    if (server != nullptr) WALRIG_TRY(WriteDatabases(ctx, writer, *server));
    return writer.Finish(ctx);
  });
}

Status PutSeal(const Context& ctx, Storage& storage, Cipher& cipher, const std::string& backup,
               const std::vector<ProofObject>& sealed, const std::string& proof_text, const std::string& sentinel_text) {
  Seal seal;
  seal.backup = backup;
  WALRIG_ASSIGN(SealedDocument proof, SealDocument(kProofName, proof_text));
  seal.documents.push_back(std::move(proof));
  WALRIG_ASSIGN(SealedDocument sentinel, SealDocument(kSealedSentinelName, sentinel_text));
  seal.documents.push_back(std::move(sentinel));
  for (const ProofObject& document : sealed) {
    if (!document.sha256.empty()) seal.documents.push_back({document.name, document.stored_bytes, document.sha256});
  }
  MemorySource plain(SerializeSeal(seal));
  PutEncodedOptions options;
  options.put = NewObject(storage);
  auto stored = PutEncoded(ctx, storage, SealKey(backup), Codec{.compressor = nullptr, .cipher = &cipher}, plain, options);
  return std::move(stored).status().With(fmt::format("storing {}", kSealName));
}

}  // namespace walrig
