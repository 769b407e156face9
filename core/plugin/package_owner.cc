#include "core/plugin/package_owner.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/base/fd.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

constexpr uint64_t kWaitNs = 10'000'000'000;
constexpr size_t kOutputBytesMax = 1 << 20;
constexpr const char* kDpkgQuery = "/usr/bin/dpkg-query";
constexpr const char* kRpm = "/usr/bin/rpm";

pid_t Start(std::vector<std::string> words, int output) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  if (posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid = -1;
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

// False when there is nothing more to wait for.
bool ReadMore(int fd, std::string* output) {
  std::array<char, 8192> buffer;
  const ssize_t got = read(fd, buffer.data(), buffer.size());
  if (got <= 0) return got < 0 && errno == EINTR;
  output->append(buffer.data(), static_cast<size_t>(got));
  return output->size() < kOutputBytesMax;
}

// What the program printed; "" when it could not be run or took too long. Its exit code says only that some file is
// unknown to it.
std::string OutputOf(const Context& ctx, std::vector<std::string> words) {
  if (access(words[0].c_str(), X_OK) != 0) return "";
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "";
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const pid_t pid = Start(std::move(words), writer.get());
  writer.reset();
  if (pid < 0) return "";
  std::string output;
  const uint64_t end_ns = ctx.clock->MonotonicNs() + kWaitNs;
  bool more = true, in_time = true;
  while (more && in_time) {
    pollfd wait{reader.get(), POLLIN, 0};
    if (poll(&wait, 1, 100) > 0) more = ReadMore(reader.get(), &output);
    in_time = ctx.clock->MonotonicNs() < end_ns && !ctx.stop.requested();
  }
  if (more) kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return more ? "" : output;
}

std::map<std::string, std::string> AskDpkg(const Context& ctx, const std::vector<std::string>& paths) {
  std::vector<std::string> search = {kDpkgQuery, "-S"}, show = {kDpkgQuery, "-W", "-f", "${Package} ${Version}\\n"};
  search.insert(search.end(), paths.begin(), paths.end());
  std::map<std::string, std::string> owners = ParseDpkgSearch(OutputOf(ctx, std::move(search)));
  if (owners.empty()) return owners;
  for (const auto& [path, package] : owners) show.push_back(package);
  std::map<std::string, std::string> versions;
  for (const std::string& line : Split(OutputOf(ctx, std::move(show)), '\n')) {
    if (const size_t space = line.find(' '); space != std::string::npos) versions[line.substr(0, space)] = line;
  }
  for (auto& [path, package] : owners) {
    const std::string name = package.substr(0, package.find(':'));
    const auto version = versions.find(name);
    package = version == versions.end() ? name : version->second;
  }
  return owners;
}

std::map<std::string, std::string> AskRpm(const Context& ctx, const std::vector<std::string>& paths) {
  std::map<std::string, std::string> owners;
  for (const std::string& path : paths) {
    const std::string output = OutputOf(ctx, {kRpm, "-qf", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\\n", path});
    const std::string line = output.substr(0, output.find('\n'));
    if (Split(line, ' ').size() == 2) owners[path] = line;  // "file ... is not owned by any package" is longer
  }
  return owners;
}

}  // namespace

std::map<std::string, std::string> ParseDpkgSearch(std::string_view output) {
  std::map<std::string, std::string> owners;
  for (const std::string& line : Split(output, '\n')) {
    // "package: /path", "package:amd64: /path", "one, two: /path"; "diversion by one from: /path" names no owner.
    const size_t at = line.find(": /");
    if (at == std::string::npos || StartsWith(line, "diversion by ")) continue;
    const std::string packages = line.substr(0, at);
    owners[line.substr(at + 2)] = packages.substr(0, packages.find(','));
  }
  return owners;
}

std::map<std::string, std::string> PackagesOf(const Context& ctx, const std::vector<std::string>& paths) {
  std::vector<std::string> installed;
  for (const std::string& path : paths) {
    if (StartsWith(path, "/usr/") && !StartsWith(path, "/usr/local/")) installed.push_back(path);
  }
  if (installed.empty()) return {};
  return access(kDpkgQuery, X_OK) == 0 ? AskDpkg(ctx, installed) : AskRpm(ctx, installed);
}

}  // namespace walrig
