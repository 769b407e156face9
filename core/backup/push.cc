#include "core/backup/push.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <memory>
#include <optional>
#include <utility>

#include "core/backup/backup_wal.h"
#include "core/backup/claim.h"
#include "core/backup/cluster.h"
#include "core/backup/commit.h"
#include "core/backup/documents.h"
#include "core/backup/storage_check.h"
#include "core/backup/tar_upload.h"
#include "core/base/errno_status.h"
#include "core/base/json.h"
#include "core/base/string_util.h"
#include "core/base/time_format.h"
#include "core/catalog/archive_marker.h"
#include "core/layout/backup_name.h"
#include "core/layout/paths.h"
#include "core/pipeline/tar_writer.h"
#include "core/postgres/control_file.h"
#include "core/postgres/data_dir.h"
#include "core/postgres/liveness.h"
#include "core/postgres/wal_name.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

// An interrupted backup cleans up after itself, but never holds its process for long.
constexpr uint64_t kUndoWaitNs = 20'000'000'000;
constexpr uint64_t kPingWaitNs = 30'000'000'000;

void Say(const Context& ctx, LogLevel level, const std::string& text) { ctx.log->Write(level, "backup", text); }

// WAL-G's documents hold microseconds, rounded up.
int64_t NowMicroseconds(const Context& ctx) { return (ctx.clock->WallNs() + 999) / 1000 * 1000; }

std::string HostName() {
  char name[HOST_NAME_MAX + 1] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

// One run of the job. Each step is a method; what later steps need is a member.
class Push {
 public:
  Push(const BackupPushOptions& options, BackupPushDeps& deps) : options_(options), deps_(deps), wal_(options, deps) {}

  Status CheckOptions(const Context& ctx);
  Status LookAtServer(const Context& ctx);
  Status LookAtStorage(const Context& ctx) {
    return CheckStorage(ctx, options_, deps_, facts_.data_directory, facts_.server.system_identifier);
  }
  Status Begin(const Context& ctx);
  Status ClaimName(const Context& ctx);
  Status Walk(const Context& ctx);
  Status CheckArchiving(const Context& ctx) { return wal_.CheckArchiving(ctx, facts_); }
  Status StoreParts(const Context& ctx);
  Status StoreControlFile(const Context& ctx);
  Status End(const Context& ctx);
  Status StoreLabels(const Context& ctx);
  Status StoreDocuments(const Context& ctx);
  Status WaitForWal(const Context& ctx) { return wal_.Wait(ctx, facts_); }
  Status Commit(const Context& ctx);
  // Where a put replaces what is there, a run that lost its folder must not write into a backup that is finished by now.
  Status CheckClaim(const Context& ctx) const {
    return deps_.storage.capabilities().put_if_absent ? OkStatus() : claim_->Check(ctx);
  }
  BackupPushReport Report(const Context& ctx) const;

  Status Ping(const Context& ctx);
  void Undo(const Context& ctx);

 private:
  Status CheckStillStandby(const Context& ctx);

  const BackupPushOptions& options_;
  BackupPushDeps& deps_;
  BackupWal wal_;
  ControlData control_;
  BackupFacts facts_;
  BackupStart start_;
  bool verify_pages_ = false;
  std::optional<NameClaim> claim_;  // from the moment when something of ours may lie in the storage
  bool sentinel_tried_ = false;
  FileSet files_;
  std::unique_ptr<TarUpload> upload_;
  std::vector<ExtraFile> extra_;
  Proof proof_;
  std::string sentinel_text_;  // from StoreDocuments on: the seal has its hash
  uint64_t manifest_files_ = 0;
};

Status Push::CheckOptions(const Context& ctx) {
  if (options_.data_directory.empty())
    return NotSupported("a remote backup (without a data directory) is not supported yet")
        .Hint("give the data directory: walrig backup-push /var/lib/postgresql/15/main");
  if (options_.workers == 0) return ConfigError("WALG_UPLOAD_DISK_CONCURRENCY must be at least 1");
  if (!options_.user_data.empty()) {
    Result<Json> user_data = ParseJson(options_.user_data, "user data");
    if (!user_data.ok())
      return InvalidArgument(std::string(user_data.status().message()))
          .Hint("--add-user-data wants JSON: '{\"x\": 1}', or '\"text\"' with the inner quotes");
    facts_.user_data = *std::move(user_data);
  }
  if (options_.delta_steps_max > 0)
    Say(ctx, LogLevel::kWarning, "delta backups are not supported yet (WALG_DELTA_MAX_STEPS): a full backup is taken");
  if (options_.composer == TarComposer::kRating || options_.composer == TarComposer::kCopy)
    Say(ctx, LogLevel::kInfo, "the rating and copy composers are not supported yet: files are packed in their order");
  facts_.permanent = options_.permanent;
  facts_.files_metadata_disabled = options_.without_files_metadata;
  return OkStatus();
}

Status Push::LookAtServer(const Context& ctx) {
  facts_.start_time_ns = NowMicroseconds(ctx);
  facts_.hostname = HostName();
  WALRIG_ASSIGN(Cluster cluster, LookAtCluster(ctx, deps_.server, options_.data_directory, options_.wal_segment_bytes));
  facts_.server = std::move(cluster.server);
  facts_.data_directory = std::move(cluster.data_directory);
  control_ = cluster.control;
  verify_pages_ = options_.verify != PageVerify::kOff && facts_.server.data_checksums;
  if (options_.verify == PageVerify::kStrict && !verify_pages_)
    Say(ctx, LogLevel::kWarning, "the cluster has no page checksums (data_checksums is off): pages are not verified");
  return wal_.Prepare(ctx, facts_.server);
}

Status Push::Begin(const Context& ctx) {
  Say(ctx, LogLevel::kInfo, "asking the server to begin the backup (it makes a checkpoint)");
  const std::string label = "walrig " + FormatRfc3339Seconds(ctx.clock->WallNs());
  WALRIG_ASSIGN(start_, deps_.server.Start(ctx, label));
  facts_.start_lsn = start_.start_lsn;
  if (facts_.server.in_recovery && !start_.in_recovery) {
    // Promoted between the two queries: it is a primary whose WAL nobody else archives.
    facts_.server.in_recovery = false;
    WALRIG_TRY(wal_.Prepare(ctx, facts_.server));
  }
  if (start_.in_recovery) {
    // A standby has no pg_walfile_name; WAL-G takes the segment of the byte before (pg/bundle.go).
    WALRIG_ASSIGN(facts_.timeline, deps_.server.Timeline(ctx));
    facts_.name = FullBackupName(
        PreviousSegmentOfLsn(facts_.timeline, start_.start_lsn, facts_.server.wal_segment_bytes));
  } else {
    Result<WalName> segment = ParseWalName(start_.wal_name);
    if (!segment.ok()) return std::move(segment).status().With("name of the first WAL file");
    facts_.timeline = segment->timeline;
    facts_.name = FullBackupName(*segment);
  }
  Say(ctx, LogLevel::kInfo, fmt::format("backup {} begins at {}", facts_.name, FormatLsn(start_.start_lsn)));
  return OkStatus();
}

Status Push::ClaimName(const Context& ctx) {
  const auto check_free = [&]() -> Status {
    WALRIG_ASSIGN(bool exists, Exists(ctx, deps_.storage, SentinelKey(facts_.name)));
    if (!exists) return OkStatus();
    return AlreadyExists(fmt::format("a backup named {} exists already", facts_.name))
        .Hint(start_.in_recovery
                  ? "the standby has had no restart point since: try again after the primary's next checkpoint"
                  : "another cluster may be using this storage prefix; if it is a stale backup, delete it first");
  };
  WALRIG_TRY(check_free());
  claim_.emplace(deps_.storage, facts_.name);
  WALRIG_TRY(claim_->Take(ctx));
  // Once more: another run may have ended in between, and its parts are no leftovers.
  if (Status free = check_free(); !free.ok()) {
    if (free.code() == Code::kAlreadyExists) claim_->Remove(ctx).Ignore("a claim beside a sentinel says nothing");
    if (free.code() == Code::kAlreadyExists) claim_.reset();
    return free;
  }
  return claim_->ClearFolder(ctx);
}

Status Push::Walk(const Context& ctx) {
  const std::string ours = TablespaceVersionDirectory(facts_.server.version / 10000, control_.catalog_version);
  WALRIG_ASSIGN(files_, WalkDataDirectory(ctx, facts_.data_directory, ours));
  WALRIG_TRY(CheckNotPacked(files_, claim_->text()));
  if (!files_.control()) return NotFound(facts_.data_directory + "/" + std::string(kControlFilePath) + " is not there");
  facts_.catalog_bytes = files_.catalog_bytes();
  if (!options_.without_files_metadata) WALRIG_TRY(CheckNames(files_));  // better now than after an hour of uploading
  Say(ctx, LogLevel::kInfo, fmt::format("{} files, {}", files_.files() + 1, FormatBytes(files_.payload_bytes())));
  return OkStatus();
}

Status Push::StoreParts(const Context& ctx) {
  TarUploadOptions options;
  options.backup_name = facts_.name;
  options.workers = options_.workers;
  options.parts_finishing_max = options_.upload_queue;
  options.part_bytes_max = options_.tar_size_threshold_bytes;
  options.composer = options_.composer == TarComposer::kDatabase ? TarComposer::kDatabase : TarComposer::kRegular;
  options.disk_rate_bytes_per_s = options_.disk_rate_bytes_per_s;
  options.pages = {verify_pages_, start_.start_lsn, facts_.server.block_bytes};
  options.relation_segment_blocks = control_.relation_segment_blocks;
  options.store_all_corrupt_blocks = options_.store_all_corrupt_blocks;
  options.sha256 = options_.manifest_checksum == ManifestChecksum::kSha256;
  upload_ = std::make_unique<TarUpload>(files_, deps_.storage, deps_.codec, deps_.progress, std::move(options));
  return upload_->Pack(ctx);
}

Status Push::StoreControlFile(const Context& ctx) {
  ControlData now;
  const FileEntry& entry = *files_.control();
  struct stat info {};
  const std::string path = files_.Path(entry);
  if (stat(path.c_str(), &info) != 0) return ErrnoStatus(errno, "stat " + path);
  WALRIG_ASSIGN(std::string bytes, ReadControlFile(ctx, facts_.data_directory, &now));
  MemberBytes member;
  member.header.name = files_.MemberName(entry);
  member.header.mode = entry.mode;
  const FileSet::Owner& owner = files_.owner(entry);
  member.header.uid = owner.uid, member.header.gid = owner.gid;
  member.header.uname = owner.user, member.header.gname = owner.group;
  member.header.mtime_s = info.st_mtim.tv_sec;
  member.body = bytes;
  extra_.push_back({std::string(kControlFilePath), std::move(bytes), info.st_mtim.tv_sec});
  return upload_->PutTar(ctx, ControlTarName(deps_.codec.Extension()), {std::move(member)});
}

Status Push::CheckStillStandby(const Context& ctx) {
  if (!start_.in_recovery) return OkStatus();
  WALRIG_ASSIGN(bool in_recovery, deps_.server.InRecovery(ctx));
  WALRIG_ASSIGN(uint32_t timeline, deps_.server.Timeline(ctx));
  if (in_recovery && timeline == facts_.timeline) return OkStatus();
  return Conflict("the standby was promoted, or changed its timeline, during the backup")
      .Hint("take the backup again: it would hold files of two timelines");
}

Status Push::Ping(const Context& ctx) {
  return start_.in_recovery ? CheckStillStandby(ctx) : deps_.server.Ping(ctx);
}

Status Push::End(const Context& ctx) {
  WALRIG_TRY(CheckStillStandby(ctx));
  Say(ctx, LogLevel::kInfo, "asking the server to end the backup");
  StopBackupOptions stop_options;
  stop_options.timeout_ms = options_.stop_backup_timeout_ms;
  stop_options.wait_for_archive = false;  // WaitForWal does, when the documents are stored
  WALRIG_ASSIGN(BackupStop stop, deps_.server.Stop(ctx, stop_options));
  WALRIG_TRY(CheckStillStandby(ctx));
  facts_.stop_lsn = stop.stop_lsn;
  extra_.push_back({std::string(kBackupLabelName), std::move(stop.backup_label), 0});
  extra_.push_back({std::string(kTablespaceMapName), std::move(stop.tablespace_map), 0});
  return OkStatus();
}

Status Push::StoreLabels(const Context& ctx) {
  std::vector<MemberBytes> members;
  for (const ExtraFile& file : extra_) {
    if (file.path == kControlFilePath) continue;
    MemberBytes member;
    member.header.name = file.path;
    member.header.mode = 0600;
    member.body = file.body;
    members.push_back(std::move(member));
  }
  return upload_->PutTar(ctx, LabelTarName(deps_.codec.Extension()), std::move(members));
}

Status Push::StoreDocuments(const Context& ctx) {
  facts_.finish_time_ns = NowMicroseconds(ctx);
  facts_.uncompressed_bytes = upload_->payload_bytes();
  facts_.compressed_bytes = upload_->stored_bytes();
  facts_.sealed = proof_.sealed = deps_.codec.cipher != nullptr;
  proof_.wal_elsewhere = options_.wal_archive == WalArchive::kElsewhere;
  sentinel_text_ = MakeSentinel(facts_, files_.tablespaces());
  WALRIG_ASSIGN(ProofObject manifest, PutManifest(ctx, deps_.storage, facts_, files_, *upload_, extra_,
                                                  options_.manifest_checksum, &manifest_files_));
  proof_.objects = upload_->objects();
  proof_.objects.push_back(std::move(manifest));
  WALRIG_ASSIGN(ProofObject metadata,
                PutDocument(ctx, deps_.storage, facts_.name, kMetadataName, MakeMetadata(facts_)));
  proof_.objects.push_back(std::move(metadata));
  if (!options_.without_files_metadata) {
    WALRIG_ASSIGN(ProofObject list,
                  PutFilesMetadata(ctx, deps_.storage, facts_.name, files_, *upload_,
                                   LabelTarName(deps_.codec.Extension()),
                                   options_.without_database_names ? nullptr : &deps_.server, facts_.sealed));
    proof_.objects.push_back(std::move(list));
  }
  proof_.walrig = options_.walrig_version;
  proof_.manifest = ProofManifest{
      std::string(kManifestName),
      options_.manifest_checksum == ManifestChecksum::kSha256 ? "SHA256" : "CRC32C", manifest_files_};
  const std::string proof_text = SerializeProof(proof_);
  WALRIG_TRY(PutDocument(ctx, deps_.storage, facts_.name, kProofName, proof_text).status());
  if (!facts_.sealed) return OkStatus();
  return PutSeal(ctx, deps_.storage, *deps_.codec.cipher, facts_.name, proof_.objects, proof_text, sentinel_text_);
}

Status Push::Commit(const Context& ctx) {
  const BackupCommit backup{facts_.name, sentinel_text_, proof_, upload_->objects().size()};
  WALRIG_TRY(CheckStored(ctx, deps_.storage, *claim_, backup).With("before storing the sentinel"));
  sentinel_tried_ = true;
  return StoreSentinel(ctx, deps_.storage, *claim_, backup);
}

BackupPushReport Push::Report(const Context& ctx) const {
  BackupPushReport report;
  report.name = facts_.name;
  report.files = manifest_files_;
  report.parts = upload_->objects().size();
  report.uncompressed_bytes = facts_.uncompressed_bytes;
  report.compressed_bytes = facts_.compressed_bytes;
  report.pages_verified = upload_->pages_checked();
  report.pages_were_verified = verify_pages_;
  report.findings = upload_->corrupt_pages();
  if (report.findings != 0)
    Say(ctx, LogLevel::kWarning,
        fmt::format("{} of {} pages are corrupt; the backup holds them as they are", report.findings,
                    report.pages_verified));
  Say(ctx, LogLevel::kInfo, fmt::format("Wrote backup with name {} to storage {}", report.name, options_.storage_name));
  return report;
}

void Push::Undo(const Context& ctx) {
  Context last = ctx;
  last.stop = StopToken();
  last.deadline_ns = ctx.clock->MonotonicNs() + kUndoWaitNs;
  deps_.server.Abort(last);
  if (!claim_) return;
  const Result<bool> ours = claim_->GiveUp(last, sentinel_tried_ ? sentinel_text_ : "");
  if (ours.ok() && !*ours)
    return Say(ctx, LogLevel::kInfo, fmt::format("backup {} was given up; what lies under its name is not ours", facts_.name));
  if (ours.ok()) return Say(ctx, LogLevel::kInfo, fmt::format("backup {} was given up and leaves nothing", facts_.name));
  Say(ctx, LogLevel::kWarning,
      fmt::format("objects of the unfinished backup {} may be left in the storage: {}; hint: they are no backup; "
                  "delete target {} --confirm removes them",
                  facts_.name, ours.status().ToString(), facts_.name));
}

Status Run(const Context& ctx, Push& push, const BackupPushOptions& options) {
  WALRIG_TRY(push.Begin(ctx));
  WALRIG_ASSIGN(auto watch, LivenessWatch::Start(ctx, options.alive_check_interval_ms, [&push](const Context& c) {
                  Context bounded = c;
                  bounded.deadline_ns = c.clock->MonotonicNs() + kPingWaitNs;
                  return push.Ping(bounded);
                }));
  const Context watched = watch->context();
  Status status = push.ClaimName(watched);
  if (status.ok()) status = push.Walk(watched);
  if (status.ok()) {
    LivenessWatch::Pause session(*watch);
    status = push.CheckArchiving(watched);
  }
  if (status.ok()) status = push.StoreParts(watched);
  if (status.ok()) status = push.CheckClaim(watched);
  if (status.ok()) status = push.StoreControlFile(watched);
  LivenessWatch::Pause session(*watch);
  // A dead session is the reason, and the workers' "cancelled" only its echo.
  if (Status cause = watch->cause(); !cause.ok()) return cause;
  WALRIG_TRY(std::move(status));
  WALRIG_TRY(push.End(watched));
  WALRIG_TRY(push.StoreLabels(watched));
  WALRIG_TRY(push.CheckClaim(watched));
  WALRIG_TRY(push.StoreDocuments(watched));
  WALRIG_TRY(push.WaitForWal(watched));
  WALRIG_TRY(ctx.Poll());  // the user's own: the watch passes it on a moment later
  return push.Commit(watched);
}

}  // namespace

Result<BackupPushReport> BackupPush(const Context& ctx, const BackupPushOptions& options, BackupPushDeps& deps) {
  Push push(options, deps);
  WALRIG_TRY(push.CheckOptions(ctx));
  WALRIG_TRY(push.LookAtServer(ctx));
  WALRIG_TRY(push.LookAtStorage(ctx));
  Status status = Run(ctx, push, options);
  if (!status.ok()) {
    push.Undo(ctx);
    return status;
  }
  MarkArchives(ctx, deps.storage, deps.archives);
  return push.Report(ctx);
}

}  // namespace walrig
