// walrig st put, rm, check: options into core/st.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "cli/commands/common.h"
#include "cli/commands/st_common.h"
#include "cli/output.h"
#include "core/base/random.h"
#include "core/base/string_util.h"
#include "core/base/time_format.h"
#include "core/io/file_source.h"
#include "core/st/check.h"
#include "core/st/find.h"
#include "core/st/objects.h"
#include "core/storage/objects.h"
#include "core/storage/unfinished.h"

namespace walrig {
namespace {

// Standard input may be a pipe, which FileSource cannot read.
class StdinSource final : public Source {
 public:
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
    for (;;) {
      WALRIG_TRY(ctx.Poll());
      const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR) return IoError("standard input cannot be read");
    }
  }
};

Result<std::unique_ptr<Source>> OpenInput(const Invocation& call, bool from_stdin) {
  if (from_stdin) return std::unique_ptr<Source>(std::make_unique<StdinSource>());
  WALRIG_ASSIGN(std::unique_ptr<FileSource> file, FileSource::Open(call.Argument(0)));
  return std::unique_ptr<Source>(std::move(file));
}

Result<ExitCode> RunPut(Invocation& call) {
  const bool from_stdin = call.Has("read-stdin");
  if (call.arguments.size() != (from_stdin ? 1u : 2u)) {
    return UsageError(call, from_stdin ? "st put --read-stdin needs OBJECT" : "st put needs FILE and OBJECT");
  }
  Wiring wiring(call.settings, call.log);
  StPutOptions options{.codec = {}, .force = call.Has("force")};
  if (!call.Has("no-compress")) {
    WALRIG_ASSIGN(options.codec, wiring.WriteCodec(call.ctx));
  } else if (!call.Has("no-encrypt")) {
    WALRIG_TRY(wiring.PrepareCipher(call.ctx));
    options.codec.cipher = wiring.cipher();
  }
  if (call.Has("no-encrypt")) options.codec.cipher = nullptr;
  if (call.Text("target", "default") == "all") return UsageError(call, "st put writes into one storage, not into all");
  return ForTargets(call, wiring, false, [&](NamedStorage& one) -> Status {
    WALRIG_ASSIGN(const std::unique_ptr<Source> file, OpenInput(call, from_stdin));
    WALRIG_ASSIGN(const std::string key,
                  StPut(call.ctx, *one.storage, *file, call.Argument(from_stdin ? 0 : 1), options));
    LogInfo(call, fmt::format("stored as {}", Printable(key, 2000)));
    return OkStatus();
  });
}

Result<int64_t> OldAge(const Invocation& call) {
  Result<int64_t> age = ParseGoDuration(call.Text("older-than", "24h"));
  if (!age.ok()) return std::move(age).status().With("--older-than");
  if (*age < 0) return InvalidArgument("--older-than: a negative age");
  return age;
}

std::string UploadText(const UnfinishedUpload& upload) {
  const std::string size = upload.size_bytes == kUnknownSize ? "unknown size" : FormatBytes(upload.size_bytes);
  const std::string start = upload.started_ns == kUnknownTime ? "unknown" : FormatRfc3339Seconds(upload.started_ns);
  return fmt::format("{} (begun {}, {})", Printable(upload.key, 2000), start, size);
}

Result<ExitCode> RunRmUnfinished(Invocation& call) {
  WALRIG_ASSIGN(const int64_t age_ns, OldAge(call));
  const bool confirm = call.Has("confirm");
  Wiring wiring(call.settings, call.log);
  return ForTargets(call, wiring, !confirm, [&](NamedStorage& one) -> Status {
    WALRIG_ASSIGN(const std::vector<UnfinishedUpload> uploads,
                  FindUnfinished(call.ctx, *one.storage, call.Argument(0), age_ns));
    for (const UnfinishedUpload& upload : uploads) {
      LogInfo(call, fmt::format("Unfinished upload marked for deletion: {} storage={}", UploadText(upload), one.name));
    }
    if (!confirm) {
      LogInfo(call, fmt::format("dry run, would remove {} unfinished uploads; run again with --confirm", uploads.size()));
      return OkStatus();
    }
    WALRIG_ASSIGN(const uint64_t removed, RemoveUnfinished(call.ctx, *one.storage, uploads));
    LogInfo(call, fmt::format("removed {} unfinished uploads", removed));
    return OkStatus();
  });
}

Result<ExitCode> RunRm(Invocation& call) {
  if (call.Has("unfinished")) return RunRmUnfinished(call);
  const std::string path = call.Argument(0);
  if (path.empty()) return UsageError(call, "st rm needs the name of an object, or a prefix of names");
  Wiring wiring(call.settings, call.log);
  return ForTargets(call, wiring, false, [&](NamedStorage& one) -> Status {
    // A whole name means that object and nothing else: it goes at once, as with WAL-G.
    const bool name = !call.Has("glob") && !path.ends_with('/');
    WALRIG_ASSIGN(const bool exact, name ? Exists(call.ctx, *one.storage, path) : Result<bool>(false));
    if (exact) return DeleteAll(call.ctx, *one.storage, {path});
    WALRIG_ASSIGN(const std::vector<ObjectInfo> found, StMatch(call.ctx, *one.storage, path, call.Has("glob")));
    if (found.empty()) return NotFound("no object " + Printable(path) + ", and none whose name begins or matches so");
    std::vector<std::string> keys;
    for (const ObjectInfo& info : found) {
      keys.push_back(info.key);
      if (!call.Has("confirm")) {
        LogInfo(call, fmt::format("Object marked for deletion: {} storage={}", Printable(info.key, 2000), one.name));
      }
    }
    if (!call.Has("confirm")) {
      LogInfo(call, fmt::format("dry run, would delete {} objects; run again with --confirm", keys.size()));
      return OkStatus();
    }
    WALRIG_TRY(DeleteAll(call.ctx, *one.storage, keys));
    LogInfo(call, fmt::format("deleted {} objects", keys.size()));
    return OkStatus();
  });
}

void TellUnfinished(Invocation& call, NamedStorage& one) {
  if (!one.storage->capabilities().unfinished) return;
  const Result<std::vector<UnfinishedUpload>> uploads = FindUnfinished(call.ctx, *one.storage, "", 0);
  if (!uploads.ok()) return LogWarning(call, "unfinished uploads: " + uploads.status().ToString());
  for (const UnfinishedUpload& upload : *uploads) LogWarning(call, "unfinished upload: " + UploadText(upload));
  if (!uploads->empty()) {
    LogInfo(call, fmt::format("{} uploads have no end: those of killed writers go with st rm --unfinished --confirm",
                              uploads->size()));
  }
}

Result<ExitCode> RunCheckRead(Invocation& call) {
  Wiring wiring(call.settings, call.log);
  return ForTargets(call, wiring, true, [&](NamedStorage& one) -> Status {
    WALRIG_TRY(StCheckRead(call.ctx, *one.storage, call.arguments));
    TellUnfinished(call, one);
    LogInfo(call, fmt::format("storage {} can be read", one.name));
    return OkStatus();
  });
}

Result<ExitCode> RunCheckWrite(Invocation& call) {
  Wiring wiring(call.settings, call.log);
  return ForTargets(call, wiring, false, [&](NamedStorage& one) -> Status {
    WALRIG_ASSIGN(const std::vector<std::string> limits, StCheckWrite(call.ctx, *one.storage, SeedFromSystem()));
    for (const std::string& limit : limits) LogWarning(call, fmt::format("storage {}: {}", one.name, limit));
    TellUnfinished(call, one);
    LogInfo(call, fmt::format("storage {} can be written", one.name));
    return OkStatus();
  });
}

constexpr CliOption kPutOptions[] = {
    {.name = "no-compress", .help = "Store the bytes without compressing them"},
    {.name = "no-encrypt", .help = "Store the bytes without encrypting them"},
    {.name = "force", .letter = 'f', .help = "Replace an object of this name"},
    {.name = "read-stdin", .letter = 's', .help = "Read standard input instead of a file"},
    kStTarget};
constexpr CliOption kRmOptions[] = {
    {.name = "confirm", .help = "Delete; without it only what would be deleted is shown"},
    {.name = "unfinished", .help = "Remove uploads that killed writers left, not objects"},
    {.name = "older-than", .kind = OptionKind::kValue, .value_name = "AGE",
     .help = "With --unfinished: only uploads begun so long ago; 24h by default"},
    kStGlob, kStTarget};
constexpr CliOption kStWriteCheckOptions[] = {kStTarget};

constexpr Command kStWriteCommands[] = {
    {.name = "st put", .summary = "Store a file as an object", .arguments = "FILE OBJECT",
     .description = "Compressed and encrypted as configured unless told otherwise; the compressor's extension is appended to\n"
                    "the name. An object that exists is kept unless --force is given.",
     .options = kPutOptions, .arguments_min = 1, .arguments_max = 2, .hint = ArgumentHint::kFile, .run = RunPut},
    {.name = "st rm", .summary = "Delete an object, all with a prefix, or unfinished uploads", .arguments = "[OBJECT|PREFIX]",
     .description = "An object that is named whole is deleted at once. What a prefix or a pattern means is only shown without\n"
                    "--confirm (WAL-G deletes it). With --unfinished: what killed writers left, at least --older-than old,\n"
                    "since not every storage can tell them from uploads that go on.",
     .options = kRmOptions, .arguments_max = 1, .run = RunRm},
    {.name = "st check read", .summary = "Check that the storage can be read", .arguments = "[OBJECT...]",
     .description = "Lists names, looks at the objects that are given, and tells uploads that have no end.",
     .options = kStWriteCheckOptions, .arguments_max = 1000, .run = RunCheckRead},
    {.name = "st check write", .summary = "Check that the storage can be written",
     .description = "Tries what a backup needs: put, put if absent and its refusal, replace, read back, list and delete, on two\n"
                    "small objects; names what does not work.",
     .options = kStWriteCheckOptions, .run = RunCheckWrite},
};

}  // namespace

std::span<const Command> StWriteCommands() { return kStWriteCommands; }

}  // namespace walrig
