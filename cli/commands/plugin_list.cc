// walrig plugin list, plugin info.
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands/plugin_commands.h"
#include "cli/commands/plugin_view.h"
#include "cli/output.h"
#include "core/base/string_util.h"
#include "core/base/time_format.h"
#include "walrig/abi/version.h"

namespace walrig {
namespace {

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

std::string StateOf(const PluginRow& row) {
  return row.built_in ? "built-in" : std::string(FileStateName(row.file->state));
}

std::string AbiOf(const CatalogueFile& file) {
  return file.module.has_value() ? fmt::format("{}.{}", file.module->abi_major, file.module->abi_minor) : "-";
}

// "2026-11-22 10:40 UTC".
std::string ShortTime(int64_t ns) {
  std::string text = FormatRfc3339Seconds(ns).substr(0, 16);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text + " UTC";
}

Json RowJson(const PluginRow& row) {
  Json aliases = Json::array();
  if (row.factory != nullptr) {
    for (const std::string& alias : row.factory->aliases) aliases.push_back(alias);
  }
  const CatalogueFile& file = *row.file;
  return {{"kind", row.kind},
          {"name", row.name},
          {"aliases", aliases},
          {"version", file.module.has_value() ? Json(file.module->version) : Json(nullptr)},
          {"abi", file.module.has_value() ? Json(AbiOf(file)) : Json(nullptr)},
          {"state", StateOf(row)},
          {"reason", file.reason},
          {"package", file.package},
          {"shadowed", row.winner != nullptr},
          {"file", row.built_in ? Json(nullptr) : Json(file.Path())}};
}

Json CatalogueJson(const PluginView& view) {
  return {{"path", view.manifest_path.empty() ? Json(nullptr) : Json(view.manifest_path)},
          {"scanned_at", view.manifest_path.empty() ? Json(nullptr) : Json(FormatRfc3339Seconds(view.scanned_at_ns))},
          {"fresh", view.fresh}};
}

std::string Summary(const PluginView& view, size_t count, size_t troubled) {
  std::string text = fmt::format("{} plugin{}", count, count == 1 ? "" : "s");
  if (troubled != 0) text += fmt::format(" ({} with problems: run `walrig plugin doctor`)", troubled);
  if (view.manifest_path.empty()) return text + "; no catalogue: run `walrig plugin scan`";
  return text + fmt::format("; catalogue {}, {}", ShortTime(view.scanned_at_ns),
                            view.fresh ? "fresh" : "stale: run `walrig plugin scan`");
}

std::string ShownName(const PluginRow& row) {
  if (row.factory == nullptr || row.factory->aliases.empty()) return row.name;
  return fmt::format("{} ({})", row.name, Join(row.factory->aliases, ", "));
}

void PrintList(Invocation& call, const PluginView& view, const std::vector<PluginRow>& rows) {
  Table table{.titles = {"KIND", "NAME", "VERSION", "ABI", "STATE", "PACKAGE", "FILE"}, .rows = {}};
  size_t troubled = 0, count = 0;
  for (const PluginRow& row : rows) {
    const CatalogueFile& file = *row.file;
    count += row.built_in ? 0 : 1;
    if (!row.built_in && file.state != FileState::kOk) ++troubled;
    table.rows.push_back({row.kind, ShownName(row), file.module.has_value() ? OrDash(file.module->version) : "-",
                          AbiOf(file), row.winner != nullptr ? "shadowed" : StateOf(row), OrDash(file.package),
                          row.built_in ? "-" : file.Path()});
  }
  if (!table.rows.empty()) call.out.Write(PlainTable(table));
  call.out.Line(Summary(view, count, troubled));
}

std::string RangeOf(const OptionSpec& option) {
  if (option.min_text.empty() && option.max_text.empty()) return "";
  return fmt::format("{}..{}", option.min_text, option.max_text);
}

std::string FlagsOf(const OptionSpec& option) {
  std::vector<std::string> flags;
  if (option.required) flags.emplace_back("required");
  if (option.secret) flags.emplace_back("secret");
  if (option.advanced) flags.emplace_back("advanced");
  if (option.test_only) flags.emplace_back("test-only");
  if (option.deprecated) flags.push_back(option.replaced_by.empty() ? "deprecated" : "deprecated:" + option.replaced_by);
  if (const std::string range = RangeOf(option); !range.empty()) flags.push_back(range);
  if (!option.choices.empty()) flags.push_back(Join(option.choices, "|"));
  return flags.empty() ? "-" : Join(flags, " ");
}

void PrintOptions(Invocation& call, const FactoryInfo& factory) {
  if (factory.options.empty()) return call.out.Line("  options   none");
  Table table{.titles = {"NAME", "TYPE", "DEFAULT", "FLAGS", "SETTINGS", "DESCRIPTION"}, .rows = {}};
  for (const OptionSpec& option : factory.options) {
    table.rows.push_back({option.name, std::string(OptionTypeName(option.type)),
                          option.has_default ? OrDash(option.default_text) : "-", FlagsOf(option),
                          OrDash(Join(option.settings, ",")), option.help});
  }
  bool first = true;
  for (const std::string& line : Split(PlainTable(table), '\n')) {
    if (!line.empty()) call.out.Line((first ? "  options   " : "            ") + line);
    first = false;
  }
}

void PrintField(Invocation& call, std::string_view title, const std::string& text) {
  if (!text.empty()) call.out.Line(fmt::format("  {:<9} {}", title, text));
}

void PrintModule(Invocation& call, const CatalogueFile& file) {
  const ModuleInfo& module = *file.module;
  PrintField(call, "license", module.license);
  PrintField(call, "vendor", module.vendor);
  PrintField(call, "url", module.url);
  PrintField(call, "build", module.build);
  PrintField(call, "abi", fmt::format("{}.{} (needs host >= {}.{}, this host {}.{})", module.abi_major, module.abi_minor,
                                      module.abi_major, module.min_host_minor, WALRIG_ABI_MAJOR, WALRIG_ABI_MINOR));
}

void PrintInfo(Invocation& call, const PluginRow& row) {
  const CatalogueFile& file = *row.file;
  std::string title = row.kind + "/" + row.name;
  if (file.module.has_value()) title += fmt::format(" {}  ({})", file.module->version, file.module->id);
  if (row.factory != nullptr && !row.factory->description.empty()) title += "   " + row.factory->description;
  call.out.Line(title);
  if (row.built_in) return PrintField(call, "state", "built-in: part of walrig itself, no plugin");
  PrintField(call, "file", file.Path());
  PrintField(call, "sha256", file.sha256);
  PrintField(call, "build-id", file.build_id);
  std::string state(FileStateName(file.state));
  if (!file.reason.empty()) state += ": " + file.reason;
  if (row.winner != nullptr) state += " (not used: shadowed by " + row.winner->Path() + ")";
  PrintField(call, "state", state);
  PrintField(call, "package", file.package);
  if (file.module.has_value()) PrintModule(call, file);
  PrintField(call, "needs", Join(file.needed, " "));
  if (file.load_ms > 0) PrintField(call, "load", fmt::format("{:.1f} ms", file.load_ms));
  if (row.factory == nullptr) return;
  PrintField(call, "aliases", Join(row.factory->aliases, " "));
  PrintField(call, "extension", Join(row.factory->extensions, " "));
  PrintField(call, "can", Join(CapabilityNames(row.factory->kind, row.factory->caps), " "));
  if (file.state == FileState::kOk) PrintOptions(call, *row.factory);
}

Json PluginListInfoJson(const PluginRow& row) {
  const CatalogueFile& file = *row.file;
  Json json = RowJson(row);
  json["sha256"] = file.sha256;
  json["build_id"] = file.build_id;
  json["needed"] = file.needed;
  json["libraries"] = file.closure;
  json["load_ms"] = file.load_ms;
  json["module"] = file.module.has_value() ? ModuleToJson(*file.module) : Json(nullptr);
  return json;
}

}  // namespace

Result<ExitCode> RunPluginList(Invocation& call) {
  WALRIG_ASSIGN(const PluginView view, ViewPlugins(call));
  const std::string kind = call.Text("kind");
  std::vector<PluginRow> rows = PluginRows(view.catalogue);
  std::erase_if(rows, [&](const PluginRow& row) {
    return (!kind.empty() && row.kind != kind) || (row.winner != nullptr && !call.Has("all"));
  });
  if (!call.Has("json")) {
    PrintList(call, view, rows);
    return ExitCode::kOk;
  }
  Json list = Json::array();
  for (const PluginRow& row : rows) list.push_back(RowJson(row));
  call.out.Json(Json{{"plugins", list}, {"catalogue", CatalogueJson(view)}});
  return ExitCode::kOk;
}

Result<ExitCode> RunPluginInfo(Invocation& call) {
  WALRIG_ASSIGN(const PluginView view, ViewPlugins(call));
  const std::vector<PluginRow> rows = FindRows(view.catalogue, call.Argument(0));
  if (rows.empty()) return NoSuchPlugin(view.catalogue, call.Argument(0));
  if (call.Has("json")) {
    Json list = Json::array();
    for (const PluginRow& row : rows) list.push_back(PluginListInfoJson(row));
    call.out.Json(Json{{"plugins", list}});
    return ExitCode::kOk;
  }
  for (const PluginRow& row : rows) PrintInfo(call, row);
  return ExitCode::kOk;
}

}  // namespace walrig
