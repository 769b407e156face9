// walrig wal-fetch: settings and options into core/wal/fetch, and its answer into an exit code for PostgreSQL.
#include <fmt/format.h>

#include <vector>

#include "cli/commands/common.h"
#include "cli/wiring.h"
#include "core/base/string_util.h"
#include "core/wal/fetch.h"

namespace walrig {
namespace {

constexpr CliOption kWalFetchOptions[] = {
    kTargetStorage,
};

Result<WalFetchOptions> WalFetchOptionsFrom(const Invocation& call) {
  WalFetchOptions options;
  options.name = call.Argument(0);
  options.destination = call.Argument(1);
  WALRIG_ASSIGN(options.segment_bytes, SegmentBytes(call.settings));
  options.preferred_extension = PreferredExtension(call.settings);
  return options;
}

// What cannot be found before a storage is asked is not the file: PostgreSQL must not take it for the end of WAL.
Status NotTheFile(const Status& failure) {
  return Status(Code::kUnavailable, std::string(failure.message())).Hint(std::string(failure.hint()));
}

std::vector<Storage*> OthersThan(const NamedStorage& one, const std::vector<NamedStorage>& storages) {
  std::vector<Storage*> others;
  for (const NamedStorage& other : storages) {
    if (&other != &one && other.storage != nullptr) others.push_back(other.storage.get());
  }
  return others;
}

// From the first storage that has it. Absent is only what every storage says that it has not.
Result<WalFetchReport> AskEach(const Context& ctx, const WalFetchOptions& options,
                                    const std::vector<NamedStorage>& storages, CodecProvider& codecs) {
  Status unknown;
  Status absent;
  for (const NamedStorage& one : storages) {
    Status failure = Unavailable(std::string(one.why.message())).Hint(std::string(one.why.hint()));
    if (one.storage != nullptr) {
      Result<WalFetchReport> report = WalFetch(ctx, options, WalFetchDeps{*one.storage, codecs, OthersThan(one, storages)});
      if (report.ok() || report.status().code() == Code::kCancelled) return report;
      failure = std::move(report).status();
    }
    Status& slot = failure.code() == Code::kNotFound ? absent : unknown;
    if (slot.ok()) slot = storages.size() == 1 ? std::move(failure) : std::move(failure).With("storage " + one.name);
  }
  return unknown.ok() ? absent : unknown;
}

// A file that moves from one storage to another may be missed by who asks them in turn: what all say to have not is asked
// for once more.
Result<WalFetchReport> FetchFromAny(const Context& ctx, const WalFetchOptions& options,
                                    const std::vector<NamedStorage>& storages, CodecProvider& codecs) {
  Result<WalFetchReport> report = AskEach(ctx, options, storages, codecs);
  const bool absent = report.status().code() == Code::kNotFound;
  return absent && storages.size() > 1 ? AskEach(ctx, options, storages, codecs) : std::move(report);
}

Result<WalFetchReport> Fetch(Invocation& call) {
  WALRIG_ASSIGN(const WalFetchOptions options, WalFetchOptionsFrom(call));
  Wiring wiring(call.settings, call.log);
  wiring.KeepPlugins();
  const Status cipher = wiring.PrepareCipher(call.ctx);
  if (!cipher.ok()) return NotTheFile(cipher);
  Result<std::vector<NamedStorage>> storages = wiring.OpenStorages(
      call.ctx, {.read_only = true, .turbo = call.turbo, .target = TargetStorage(call)});
  if (!storages.ok()) return NotTheFile(storages.status());
  return FetchFromAny(call.ctx, options, *storages, wiring);
}

// What a failure becomes is decided where all failures are seen: cli/restore.
Result<ExitCode> RunWalFetch(Invocation& call) {
  const Result<WalFetchReport> report = Fetch(call);
  if (report.ok()) return ExitCode::kOk;
  if (report.status().code() != Code::kNotFound) return report.status();
  // WAL-G's words. No error: PostgreSQL asks for histories and segments that need not be there, to find the end.
  LogInfo(call, fmt::format("Archive '{}' does not exist.", Printable(call.Argument(0))));
  return ExitCode::kWalAbsent;
}

constexpr Command kWalFetchCommand = {
    .name = "wal-fetch",
    .summary = "Bring a WAL file back from the archive, as restore_command",
    .arguments = "NAME DESTINATION",
    .description =
        "In postgresql.conf: restore_command = 'walrig wal-fetch %f %p'\n"
        "Ends with exit code 74 when the archive does not hold the file.\n"
        "On an error: in a data directory with recovery.signal it tries again for WALRIG_RESTORE_PATIENCE (5m) and ends\n"
        "with 126, which stops the server rather than end recovery; with standby.signal it ends with 1, and the standby\n"
        "asks again; elsewhere with 126 at once. WALRIG_WAL_FETCH_ERROR_CODE sets another code.",
    .options = kWalFetchOptions,
    .arguments_min = 2,
    .arguments_max = 2,
    .hint = ArgumentHint::kFile,
    .run = RunWalFetch,
};

}  // namespace

const Command& WalFetchCommand() { return kWalFetchCommand; }

}  // namespace walrig
