#include "core/plugin/search_path.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "core/base/string_util.h"
#include "core/plugin/catalogue.h"

#ifndef WALRIG_INSTALL_LIBDIR
#define WALRIG_INSTALL_LIBDIR "lib"
#endif

namespace walrig {
namespace {

constexpr std::string_view kSubdir = "walrig/plugins-1";

// Made absolute, without "." and "..": text only, since the directory need not exist.
std::string Absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path full = std::filesystem::absolute(path, error);
  if (error) return path;
  std::string text = full.lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

bool IsThere(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

class Collector {
 public:
  void Add(const std::string& path, std::string_view origin) {
    if (path.empty()) return;
    std::string full = Absolute(path);
    const auto same = [&](const SearchDir& dir) { return dir.path == full; };
    if (std::any_of(dirs.begin(), dirs.end(), same)) return;
    dirs.push_back({std::move(full), std::string(origin)});
  }
  std::vector<SearchDir> dirs;
};

// "/usr" for "/usr/bin/walrig"; "" when it cannot be told.
std::string InstallRoot(const SearchOptions& options) {
  const std::string program = options.executable.empty() ? ExecutablePath() : options.executable;
  const size_t slash = program.rfind('/');
  return slash == std::string::npos ? "" : program.substr(0, slash) + "/..";
}

std::string EnvironmentText(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr ? text : "";
}

bool EnvironmentCounts(const TrustPolicy& trust) {
  if (IsPrivilegeRaised()) return false;
  return trust.level == TrustLevel::kAny || (trust.level == TrustLevel::kUser && trust.euid != 0);
}

}  // namespace

std::string ExecutablePath() {
  std::string path(PATH_MAX, '\0');
  const ssize_t got = readlink("/proc/self/exe", path.data(), path.size());
  if (got <= 0) return "";
  path.resize(static_cast<size_t>(got));
  return path;
}

std::vector<SearchDir> SearchPath(const SearchOptions& options) {
  Collector collector;
  const bool environment = EnvironmentCounts(options.trust);
  for (const std::string& dir : options.plugin_dirs) collector.Add(dir, "--plugin-dir");
  if (environment || !options.plugin_path_from_environment) {
    for (const std::string& dir : Split(options.plugin_path, ':')) collector.Add(dir, "WALRIG_PLUGIN_PATH");
  }
  if (environment && !options.data_home.empty()) collector.Add(options.data_home + "/" + std::string(kSubdir), "home");
  collector.Add("/usr/local/lib/" + std::string(kSubdir), "local");
  const std::string root = InstallRoot(options);
  if (root.empty()) return std::move(collector.dirs);
  std::vector<std::string> installed;
  for (const std::string& lib : {std::string(WALRIG_INSTALL_LIBDIR), "lib/" + std::string(HostTriplet()),
                                 std::string("lib"), std::string("lib64")}) {
    installed.push_back(root + "/" + lib + "/" + std::string(kSubdir));
  }
  for (const std::string& dir : installed) {
    if (IsThere(dir)) collector.Add(dir, "installed");
  }
  // Names the place where plugins belong even when there are none yet.
  if (collector.dirs.empty() || collector.dirs.back().origin != "installed") collector.Add(installed[0], "installed");
  return std::move(collector.dirs);
}

std::string FindProbe(const SearchOptions& options) {
  if (options.trust.level == TrustLevel::kAny && !IsPrivilegeRaised()) {
    if (std::string named = EnvironmentText("WALRIG_PLUGIN_PROBE"); !named.empty()) return named;
  }
  const std::string root = InstallRoot(options);
  if (root.empty()) return "";
  for (const std::string dir : {"libexec/walrig", "lib/walrig", WALRIG_INSTALL_LIBDIR "/walrig"}) {
    std::string path = Absolute(root + "/" + dir + "/walrig-plugin-probe");
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

std::vector<std::string> ManifestPaths(std::string_view named, const TrustPolicy& trust) {
  if (!named.empty()) return {std::string(named)};
  const std::string file = "plugins-1-" + std::string(HostTriplet()) + ".db";
  std::vector<std::string> paths;
  if (trust.euid != 0 && EnvironmentCounts(trust)) {
    std::string cache = EnvironmentText("XDG_CACHE_HOME");
    if (cache.empty() || cache[0] != '/') {
      const std::string home = EnvironmentText("HOME");
      cache = home.empty() ? "" : home + "/.cache";
    }
    if (!cache.empty()) paths.push_back(cache + "/walrig/" + file);
  }
  paths.push_back("/var/cache/walrig/" + file);
  return paths;
}

}  // namespace walrig
