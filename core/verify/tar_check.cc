#include "core/verify/tar_check.h"

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "core/base/string_util.h"
#include "core/layout/paths.h"
#include "core/pgdata/file_unwrap.h"
#include "core/pipeline/tar_reader.h"
#include "core/postgres/data_dir.h"
#include "core/postgres/page.h"
#include "core/postgres/relation_file.h"

namespace walrig {
namespace {

constexpr size_t kBlocksShown = 10;

// Pages of one file; does nothing for files without checksums.
class PageCheck {
 public:
  PageCheck(const BackupUnderTest& backup, std::string_view name) {
    if (!backup.control || !backup.control->data_checksums() || !IsChecksummedFile(name)) return;
    auto relation = ParseRelationPath(name);
    if (!relation || backup.control->block_bytes == 0) return;
    auto first = FirstBlockOfSegment(relation->segment, backup.control->relation_segment_blocks);
    if (!first || !IsBlockSize(backup.control->block_bytes)) return;
    block_bytes_ = backup.control->block_bytes;
    next_block_ = first_block_ = *first;
    if (backup.sentinel.start_lsn) changed_since_ = *backup.sentinel.start_lsn;
  }

  // REQUIRES: pieces are whole pages, but for the last.
  void Update(ByteSpan bytes) {
    if (block_bytes_ == 0) return;
    CheckPages(bytes, next_block_, block_bytes_, &bad_, changed_since_);
    const auto count = static_cast<uint32_t>(bytes.size() / block_bytes_);
    next_block_ += count;
    pages_ += count;
  }

  uint64_t pages() const { return pages_; }
  uint64_t corrupt() const { return bad_.size(); }
  std::string Describe() const {
    std::string text = fmt::format("{} pages with a wrong checksum, blocks", bad_.size());
    for (size_t i = 0; i < bad_.size() && i < kBlocksShown; ++i) text += fmt::format(" {}", bad_[i] - first_block_);
    return bad_.size() > kBlocksShown ? text + " ..." : text;
  }

 private:
  size_t block_bytes_ = 0;
  uint32_t first_block_ = 0, next_block_ = 0;
  uint64_t pages_ = 0;
  Lsn changed_since_{UINT64_MAX};
  std::vector<uint32_t> bad_;
};

// Stale copies in the parts of what comes from elsewhere.
bool IsReplaced(const BackupUnderTest& backup, const TarObject& object, std::string_view name) {
  if (object.kind != TarObject::Kind::kPart) return false;
  if (name == kManifestName) return backup.objects.has_manifest;
  if (name == kBackupLabelName || name == kTablespaceMapName) return !backup.objects.label.empty();
  return name == kControlFilePath && !backup.objects.control.empty();
}

// Backups over the replication protocol hold the links of tablespaces besides what lies below them.
bool IsTablespaceLink(const BackupUnderTest& backup, std::string_view name) {
  const std::string head = fmt::format("{}/", kTablespaceDirName);
  return StartsWith(name, head) && backup.sentinel.tablespaces &&
         backup.sentinel.tablespaces->Find(name.substr(head.size())) != nullptr;
}

void TakeControl(const TarObject& object, std::string_view body, BackupUnderTest& backup) {
  auto control = ParseControlFile(AsBytes(body));
  if (control.ok()) {
    backup.control = *control;
    backup.record.result().pages_checked = control->data_checksums();
    if (!control->data_checksums()) backup.record.LeaveOut("pages", "the cluster has no page checksums");
    const auto& wanted = backup.sentinel.system_identifier;
    if (wanted && *wanted != 0 && *wanted != control->system_identifier) {
      backup.record.Add(object.key, "is of another cluster than the backup");
    }
  } else if (control.status().code() == Code::kNotSupported) {
    backup.control_unknown = control.status().message();
    backup.record.LeaveOut("pages", backup.control_unknown);
  } else {
    backup.record.Add(object.key, control.status().message());
  }
}

Status CheckFile(const Context& ctx, const TarObject& object, const std::string& name, MutableByteSpan buffer,
                 TarReader& tar, BackupUnderTest& backup, ProgressCounters* progress) {
  const size_t index = backup.members.Find(name);
  MemberTable::Facts facts;
  if (index != MemberTable::kUnknown) facts = backup.members.FactsOf(index);
  const bool control = object.kind == TarObject::Kind::kControl && name == kControlFilePath;
  std::string body;
  WALRIG_ASSIGN(MemberCheck check, MemberCheck::New(facts));
  PageCheck pages(backup, name);
  uint64_t bytes = 0;
  for (;;) {
    WALRIG_TRY(ctx.Poll());
    WALRIG_ASSIGN(size_t got, tar.ReadBody(ctx, buffer));
    if (got == 0) break;
    const ByteSpan piece = buffer.first(got);
    bytes += got;
    check.Update(piece);
    pages.Update(piece);
    if (control && body.size() < kControlFileBytes) body.append(AsText(piece));
    if (progress != nullptr) progress->AddBytes(got);
  }
  if (Status status = check.Finish(name); !status.ok()) backup.record.Add(name, status.message());
  if (pages.corrupt() > 0) backup.record.Add(name, pages.Describe());
  if (control) TakeControl(object, body, backup);
  backup.record.AddFile(bytes, pages.pages(), pages.corrupt());
  if (progress != nullptr) progress->AddFiles(1);
  if (index != MemberTable::kUnknown && !backup.members.Claim(index)) {
    backup.record.Add(name, "occurs a second time in " + object.key);
  }
  return OkStatus();
}

Status CheckMember(const Context& ctx, const TarObject& object, const TarEntry& entry, MutableByteSpan buffer,
                   TarReader& tar, BackupUnderTest& backup, ProgressCounters* progress) {
  auto name = NormalizeMemberName(entry.name);
  if (!name.ok()) {
    backup.record.Add(object.key, name.status().message());
    return OkStatus();
  }
  const bool link = entry.type == TarEntry::Type::kSymlink && !IsTablespaceLink(backup, *name);
  if (link ? backup.links.MeetsLink(*name) : backup.links.Crosses(*name)) {
    backup.record.Add(object.key, fmt::format("'{}' leads through a symbolic link", Printable(*name)));
  }
  if (link && LinkHidesData(*name)) {
    backup.record.Add(*name, "a symbolic link, and the backup does not hold what it led to");
  }
  const size_t index = backup.members.Find(*name);
  switch (entry.type) {
    case TarEntry::Type::kFile:
      if (IsReplaced(backup, object, *name)) return OkStatus();
      return CheckFile(ctx, object, *name, buffer, tar, backup, progress);
    case TarEntry::Type::kDirectory:
    case TarEntry::Type::kSymlink:
      if (index != MemberTable::kUnknown) backup.members.Claim(index);
      return OkStatus();
    default:
      backup.record.Add(object.key, fmt::format("'{}' is a hard link, device or other thing that no data directory holds",
                                                Printable(*name)));
      return OkStatus();
  }
}

}  // namespace

Status CheckTar(const Context& ctx, const ObjectReader& reader, const TarObject& object, BackupUnderTest& backup,
                ProgressCounters* progress) {
  WALRIG_ASSIGN(std::unique_ptr<Source> source, reader.OpenTar(ctx, object));
  TarReader tar(*source);
  Buffer buffer(kIoBufferBytes);
  for (;;) {
    WALRIG_TRY(ctx.Poll());
    WALRIG_ASSIGN(std::optional<TarEntry> entry, tar.Next(ctx));
    if (!entry) return OkStatus();
    WALRIG_TRY(CheckMember(ctx, object, *entry, buffer.span(), tar, backup, progress));
  }
}

}  // namespace walrig
