// walrig wal-fetch: settings and options into core/wal/fetch, and its answer into an exit code for PostgreSQL.
#include <fmt/format.h>

#include <vector>

#include "cli/commands/common.h"
#include "cli/wiring.h"
#include "core/base/string_util.h"
#include "core/layout/plugin_set.h"
#include "core/wal/fetch.h"

namespace walrig {
namespace {

constexpr CliOption kOptions[] = {
    kTargetStorage,
};

Result<WalFetchOptions> OptionsFrom(const Invocation& call) {
  WalFetchOptions options;
  options.name = call.Argument(0);
  options.destination = call.Argument(1);
  WALRIG_ASSIGN(options.segment_bytes, SegmentBytes(call.settings));
  // Only what is probed first: a setting that matters for writing must not keep WAL from being read.
  const Result<PluginChoice> compressor = ChooseCompressor(call.settings);
  if (compressor.ok()) {
    const std::optional<CompressionMethod> method = MethodByName(compressor->name);
    if (method.has_value()) options.preferred_extension = method->extension;
  }
  return options;
}

// What cannot be found before a storage is asked is not the file: PostgreSQL must not take it for the end of WAL.
Status NotTheFile(const Status& failure) {
  return Status(Code::kUnavailable, std::string(failure.message())).Hint(std::string(failure.hint()));
}

// From the first storage that has it. Absent is only what every storage says that it has not.
Result<WalFetchReport> AskEach(const Context& ctx, const WalFetchOptions& options,
                                    const std::vector<NamedStorage>& storages, CodecProvider& codecs) {
  Status unknown;
  Status absent;
  for (const NamedStorage& one : storages) {
    Status failure = Unavailable(std::string(one.why.message())).Hint(std::string(one.why.hint()));
    if (one.storage != nullptr) {
      Result<WalFetchReport> report = WalFetch(ctx, options, WalFetchDeps{*one.storage, codecs});
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
  WALRIG_ASSIGN(const WalFetchOptions options, OptionsFrom(call));
  Wiring wiring(call.settings, call.log);
  const Status cipher = wiring.PrepareCipher(call.ctx);
  if (!cipher.ok()) return NotTheFile(cipher);
  Result<std::vector<NamedStorage>> storages = wiring.OpenStorages(
      call.ctx, {.read_only = true, .turbo = call.turbo, .target = TargetStorage(call)});
  if (!storages.ok()) return NotTheFile(storages.status());
  return FetchFromAny(call.ctx, options, *storages, wiring);
}

Result<ExitCode> Run(Invocation& call) {
  WALRIG_ASSIGN(const uint64_t error_code, call.settings.Number("WALRIG_WAL_FETCH_ERROR_CODE"));
  if (error_code < 1 || error_code > 255)
    return ConfigError("WALRIG_WAL_FETCH_ERROR_CODE: between 1 and 255 are possible");
  const Result<WalFetchReport> report = Fetch(call);
  if (report.ok()) return ExitCode::kOk;
  const Status& status = report.status();
  if (status.code() == Code::kNotFound) {
    call.ctx.log->Write(LogLevel::kError, "", fmt::format("Archive '{}' does not exist.", Printable(call.Argument(0))));
    return ExitCode::kWalAbsent;
  }
  if (status.code() == Code::kCancelled) return status;
  call.ctx.log->Write(LogLevel::kError, "", status.ToString());
  return static_cast<ExitCode>(error_code);
}

constexpr Command kCommand = {
    .name = "wal-fetch",
    .summary = "Bring a WAL file back from the archive, as restore_command",
    .arguments = "NAME DESTINATION",
    .description =
        "In postgresql.conf: restore_command = 'walrig wal-fetch %f %p'\n"
        "Ends with exit code 74 when the archive does not hold the file, with 1 on any error;\n"
        "WALRIG_WAL_FETCH_ERROR_CODE=126 makes PostgreSQL stop on an error rather than end recovery there.",
    .options = kOptions,
    .arguments_min = 2,
    .arguments_max = 2,
    .hint = ArgumentHint::kFile,
    .run = Run,
};

}  // namespace

const Command& WalFetchCommand() { return kCommand; }

}  // namespace walrig
