// walrig plugin new DIR: copies the template of a plugin.
#include <fmt/format.h>

#include <filesystem>

#include "cli/commands/plugin_commands.h"
#include "cli/output.h"
#include "core/plugin/search_path.h"

namespace walrig {
namespace {

namespace fs = std::filesystem;

// Where the template of a kind lies, seen from the program. A build tree has a link to the sources there.
fs::path FindTemplate(const std::string& kind) {
  const fs::path bin = fs::path(ExecutablePath()).parent_path();
  for (const fs::path& place : {bin / "../share/walrig/template", fs::path("/usr/share/walrig/template")}) {
    std::error_code error;
    const fs::path origin = place / (kind + "-template");
    if (fs::is_directory(origin, error)) return origin;
  }
  return {};
}

Status CheckTarget(const fs::path& target) {
  std::error_code error;
  if (!fs::exists(target, error)) return OkStatus();
  if (fs::is_directory(target, error) && fs::is_empty(target, error)) return OkStatus();
  return AlreadyExists(target.string() + " is there and not empty").Hint("name a directory that does not exist");
}

}  // namespace

Result<ExitCode> RunPluginNew(Invocation& call) {
  const std::string kind = call.Text("kind", "storage");
  const fs::path target = call.Argument(0);
  const fs::path origin = FindTemplate(kind);
  if (origin.empty()) {
    return NotFound("the template of a " + kind + " plugin is not installed")
        .Hint("it comes with the SDK, in share/walrig/template");
  }
  WALRIG_TRY(CheckTarget(target));
  std::error_code error;
  fs::create_directories(target, error);
  if (!error) fs::copy(origin, target, fs::copy_options::recursive, error);
  if (error) return IoError("copy the template to " + target.string() + ": " + error.message());
  if (call.Has("json")) {
    call.out.Json(Json{{"directory", target.string()}, {"kind", kind}, {"template", origin.lexically_normal().string()}});
    return ExitCode::kOk;
  }
  call.out.Line(fmt::format("made a {} plugin in {}. Next:", kind, target.string()));
  call.out.Line(fmt::format("  cmake -S {0} -B {0}/build && cmake --build {0}/build", target.string()));
  call.out.Line(fmt::format("  walrig plugin check {}/build/*.so", target.string()));
  return ExitCode::kOk;
}

}  // namespace walrig
