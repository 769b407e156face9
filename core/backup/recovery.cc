#include "core/backup/recovery.h"

#include <fmt/format.h>

#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "core/postgres/backup_manifest.h"

namespace walrig {
namespace {

constexpr uint64_t kReplacedBytesMax = 16u << 20;

class TreeFileSink final : public Sink {
 public:
  explicit TreeFileSink(TreeFile file) : file_(std::move(file)) {}
  Status Write(const Context&, ByteSpan bytes) override { return file_.Write(bytes); }
  Status Commit(const Context&) override { return file_.Close(); }
  void Abort() noexcept override {}

 private:
  TreeFile file_;
};

// Hands all files but one on to a writer.
class ManifestFilter final : public BackupManifestVisitor {
 public:
  ManifestFilter(const Context& ctx, std::string_view dropped, BackupManifestWriter& writer)
      : ctx_(ctx), dropped_(dropped), writer_(writer) {}
  Status OnFile(ManifestFile file) override {
    return file.path == dropped_ ? OkStatus() : writer_.AddFile(ctx_, file);
  }
  Status OnWalRange(const ManifestWalRange& range) override {
    ranges.push_back(range);
    return OkStatus();
  }
  std::vector<ManifestWalRange> ranges;

 private:
  const Context& ctx_;
  std::string_view dropped_;
  BackupManifestWriter& writer_;
};

Status CopyBytes(const Context& ctx, Source& source, Sink& sink) {
  Buffer buffer(kIoBufferBytes);
  for (;;) {
    WALRIG_ASSIGN(size_t got, source.Read(ctx, buffer.span()));
    if (got == 0) return sink.Commit(ctx);
    WALRIG_TRY(sink.Write(ctx, buffer.first(got)));
  }
}

// Removes a file that the backup brought, for one of ours; its content, or "" when there was none.
Result<std::string> TakeAway(const Context& ctx, TreeWriter& tree, const std::string& name) {
  auto present = tree.ReadFile(name, kReplacedBytesMax);
  if (present.status().code() == Code::kNotFound) return std::string();
  if (present.status().detail().os_errno == ELOOP) {
    ctx.log->Write(LogLevel::kWarning, "backup-fetch",
                   fmt::format("{} is a symbolic link in the backup: a file takes its place, and what the link led to is not "
                               "taken over",
                               name));
    WALRIG_TRY(tree.RemoveFile(name));
    return std::string();
  }
  if (!present.ok()) return std::move(present).status();
  if (present->size() == kReplacedBytesMax) return TooLarge(name + " of the backup is too large to be true");
  WALRIG_TRY(tree.RemoveFile(name));
  return present;
}

}  // namespace

Result<RecoverySettings> RecoverySettingsOf(const RecoveryOptions& options) {
  RecoverySettings settings;
  settings.restore_command = options.restore_command;
  settings.target_time = options.target_time;
  if (!options.target_lsn.empty()) {
    WALRIG_ASSIGN(Lsn lsn, ParseLsn(options.target_lsn));
    settings.target_lsn = lsn;
  }
  settings.target_xid = options.target_xid;
  settings.target_name = options.target_name;
  settings.target_immediate = options.target_immediate;
  settings.target_timeline = options.target_timeline;
  settings.target_action = options.target_action;
  WALRIG_TRY(CheckRecoverySettings(settings));
  return settings;
}

Status WriteRecoveryFiles(const Context& ctx, TreeWriter& tree, const RecoverySettings& settings) {
  const std::string name(kAutoConfName);
  WALRIG_ASSIGN(const std::string present, TakeAway(ctx, tree, name));
  std::string text = CommentOutRecoveryTargets(present);
  if (!text.empty() && text.back() != '\n') text += '\n';
  text += FormatRecoverySettings(settings);
  WALRIG_TRY(tree.WriteOwnFile(name, text));
  const std::string signal(kRecoverySignalName);
  WALRIG_TRY(TakeAway(ctx, tree, signal).status());
  return tree.WriteOwnFile(signal, "");
}

Status WriteManifest(const Context& ctx, Source& source, const BackupManifestInfo& info, std::string_view dropped,
                     TreeWriter& tree) {
  WALRIG_ASSIGN(TreeFile file, tree.CreateOwnFile(std::string(kBackupManifestName)));
  TreeFileSink sink(std::move(file));
  if (dropped.empty()) return CopyBytes(ctx, source, sink);
  BackupManifestWriter::Options options;
  options.major = info.version >= 2 ? 17 : 13;  // the first major of each version
  options.system_identifier = info.system_identifier;
  WALRIG_ASSIGN(std::unique_ptr<BackupManifestWriter> writer, BackupManifestWriter::New(options, sink));
  ManifestFilter filter(ctx, dropped, *writer);
  WALRIG_ASSIGN([[maybe_unused]] BackupManifestInfo read, ReadBackupManifest(ctx, source, filter));
  WALRIG_TRY(writer->Finish(ctx, filter.ranges));
  return sink.Commit(ctx);
}

}  // namespace walrig
