// walrig st ls, stat, cat, get: options into core/st.
#include <fmt/format.h>

#include "cli/commands/common.h"
#include "cli/commands/st_common.h"
#include "cli/output.h"
#include "cli/usage.h"
#include "core/base/string_util.h"
#include "core/base/time_format.h"
#include "core/st/find.h"
#include "core/st/objects.h"

namespace walrig {
namespace {

// As Go prints a time: "2024-01-02 03:04:05 +0000 UTC".
std::string TimeText(int64_t ns) {
  if (ns == kUnknownTime) return "-";
  std::string text = FormatRfc3339Seconds(ns);
  if (text.size() != 20) return text;
  text[10] = ' ';
  text.resize(19);
  return text + " +0000 UTC";
}

Json StReadInfoJson(const ObjectInfo& info, const std::string& storage) {
  Json json{{"storage_name", storage}, {"type", info.is_prefix ? "dir" : "obj"}, {"name", info.key}};
  if (info.is_prefix) return json;
  json["size"] = info.size_bytes;
  if (info.mtime_ns != kUnknownTime) json["last_modified"] = FormatRfc3339Nano(info.mtime_ns);
  return json;
}

Result<ExitCode> RunLs(Invocation& call) {
  Wiring wiring(call.settings, call.log);
  Json array = Json::array();
  const StFindOptions options{.glob = call.Has("glob"), .recursive = call.Has("recursive")};
  const std::string path = call.Argument(0);
  WALRIG_ASSIGN(const ExitCode code, ForTargets(call, wiring, true, [&](NamedStorage& one) -> Status {
    WALRIG_ASSIGN(const std::vector<ObjectInfo> found, StFind(call.ctx, *one.storage, path, options));
    Table table{.titles = {"type", "size", "last modified", "name"}, .rows = {}};
    for (const ObjectInfo& info : found) {
      if (call.Has("json")) {
        array.push_back(StReadInfoJson(info, one.name));
        continue;
      }
      table.rows.push_back({info.is_prefix ? "dir" : "obj", info.is_prefix ? "0" : std::to_string(info.size_bytes),
                            info.is_prefix ? "-" : TimeText(info.mtime_ns), Printable(info.key, 2000)});
    }
    if (!call.Has("json")) call.out.Write(PlainTable(table));
    return OkStatus();
  }));
  if (call.Has("json")) call.out.Json(array);
  return code;
}

Result<ExitCode> RunStat(Invocation& call) {
  Wiring wiring(call.settings, call.log);
  Json array = Json::array();
  WALRIG_ASSIGN(const ExitCode code, ForTargets(call, wiring, true, [&](NamedStorage& one) -> Status {
    WALRIG_ASSIGN(const ObjectInfo info, one.storage->Stat(call.ctx, call.Argument(0)));
    array.push_back(StReadInfoJson(info, one.name));
    if (call.Has("json")) return OkStatus();
    call.out.Line(fmt::format("name: {}\nstorage: {}\nsize: {}\nlast modified: {}\netag: {}", Printable(info.key, 2000),
                              one.name, info.size_bytes, TimeText(info.mtime_ns), Printable(info.etag)));
    return OkStatus();
  }));
  if (call.Has("json")) call.out.Json(array);
  return code;
}

// The one object that a name or, with --glob, a pattern means.
Result<std::string> OneKey(Invocation& call, Storage& storage) {
  if (!call.Has("glob")) return call.Argument(0);
  WALRIG_ASSIGN(const std::vector<ObjectInfo> found, StMatch(call.ctx, storage, call.Argument(0), true));
  if (found.empty()) return NotFound("no object matches " + Printable(call.Argument(0)));
  if (found.size() > 1) {
    return InvalidArgument(fmt::format("{} objects match {}; one is needed", found.size(), Printable(call.Argument(0))));
  }
  return found.front().key;
}

// --target all: the first storage that has it, once. `use` sets `begun` when what it gave out cannot be taken back: no other
// storage is asked then.
Result<ExitCode> ForFirst(Invocation& call, Wiring& wiring, const std::function<Status(Storage&, bool& begun)>& use) {
  bool done = false, begun = false;
  Status broken;
  WALRIG_ASSIGN(const ExitCode code, ForTargets(call, wiring, true, [&](NamedStorage& one) -> Status {
    if (done || begun) return OkStatus();
    Status status = use(*one.storage, begun);
    done = status.ok();
    if (begun && !done) broken = status;
    return status;
  }));
  if (!broken.ok()) return broken;
  return code;
}

Result<ExitCode> RunCat(Invocation& call) {
  Wiring wiring(call.settings, call.log);
  StReadOptions options{.decrypt = call.Has("decrypt"), .decompress = call.Has("decompress")};
  if (call.Has("range")) {
    WALRIG_ASSIGN(options.range, ParseStRange(call.Text("range")));
  }
  if (options.decrypt) WALRIG_TRY(wiring.PrepareCipher(call.ctx));
  return ForFirst(call, wiring, [&](Storage& storage, bool& begun) -> Status {
    WALRIG_ASSIGN(const std::string key, OneKey(call, storage));
    WALRIG_ASSIGN(const std::unique_ptr<Source> source, StOpen(call.ctx, storage, wiring, key, options));
    Buffer buffer(kIoBufferBytes);
    for (;;) {
      WALRIG_ASSIGN(const size_t got, source->Read(call.ctx, buffer.span()));
      if (got == 0) return OkStatus();
      begun = true;
      call.out.Write(AsText(buffer.first(got)));
    }
  });
}

Result<ExitCode> RunGet(Invocation& call) {
  Wiring wiring(call.settings, call.log);
  const StReadOptions options{.decrypt = !call.Has("no-decrypt"), .decompress = !call.Has("no-decompress")};
  if (options.decrypt) WALRIG_TRY(wiring.PrepareCipher(call.ctx));
  return ForFirst(call, wiring, [&](Storage& storage, bool&) -> Status {
    WALRIG_ASSIGN(const std::string key, OneKey(call, storage));
    return StGet(call.ctx, storage, wiring, key, call.Argument(1), options).status();
  });
}

constexpr CliOption kLsOptions[] = {
    {.name = "recursive", .letter = 'r', .help = "List all that is below, not only what is in the folder"},
    kStGlob, kStJson, kStTarget};
constexpr CliOption kStatOptions[] = {kStJson, kStTarget};
constexpr CliOption kCatOptions[] = {
    {.name = "decrypt", .help = "Decrypt with the configured key"},
    {.name = "decompress", .help = "Decompress by the extension of the name"},
    {.name = "range", .kind = OptionKind::kValue, .value_name = "OFFSET:LENGTH",
     .help = "Only these bytes, of the decrypted ones with --decrypt; \"1MiB:\" is all behind the first MiB"},
    kStGlob, kStTarget};
constexpr CliOption kGetOptions[] = {
    {.name = "no-decrypt", .help = "Take the bytes as they are, encrypted"},
    {.name = "no-decompress", .help = "Take the bytes as they are, compressed"},
    kStGlob, kStTarget};

Result<ExitCode> RunStReadAlone(Invocation& call) {
  if (!call.arguments.empty()) return UsageError(call, "st: ls, stat, cat, get, put, rm, check, transfer or copy");
  call.out.Write(CommandHelp(StReadCommands()[0]));
  return ExitCode::kOk;
}

constexpr Command kStReadCommands[] = {
    {.name = "st",
     .summary = "Look at, move and remove single objects of a storage",
     .arguments_max = 1000,
     .hidden = true,
     .needs_settings = false,
     .run = RunStReadAlone},
    {.name = "st ls", .summary = "List objects and folders of the storage", .arguments = "[FOLDER]",
     .options = kLsOptions, .arguments_max = 1, .run = RunLs},
    {.name = "st stat", .summary = "Say what an object is", .arguments = "OBJECT", .options = kStatOptions,
     .arguments_min = 1, .arguments_max = 1, .run = RunStat},
    {.name = "st cat", .summary = "Print an object", .arguments = "OBJECT",
     .description = "The bytes are those of the storage unless --decrypt or --decompress is given.",
     .options = kCatOptions, .arguments_min = 1, .arguments_max = 1, .run = RunCat},
    {.name = "st get", .summary = "Fetch an object into a file", .arguments = "OBJECT FILE",
     .description = "Decrypts and decompresses unless told otherwise. A file that exists is never written over.",
     .options = kGetOptions, .arguments_min = 2, .arguments_max = 2, .hint = ArgumentHint::kFile, .run = RunGet},
};

}  // namespace

std::span<const Command> StReadCommands() { return kStReadCommands; }

}  // namespace walrig
