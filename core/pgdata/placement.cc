#include "core/pgdata/placement.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

#include "core/postgres/data_dir.h"

namespace walrig {
namespace {

struct Identity {
  dev_t device;
  ino_t inode;
  friend bool operator==(const Identity&, const Identity&) = default;
};

std::optional<Identity> IdentityOf(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return std::nullopt;
  return Identity{info.st_dev, info.st_ino};
}

std::vector<std::string> RootsOf(const std::string& data_directory) {
  std::vector<std::string> roots{data_directory, data_directory + "/" + std::string(kWalDirName)};
  std::error_code error;
  // What cannot be listed fails in the backup itself, with better words.
  const std::filesystem::path spaces = std::filesystem::path(data_directory) / kTablespaceDirName;
  for (std::filesystem::directory_iterator it(spaces, error), end; !error && it != end; it.increment(error))
    roots.push_back(it->path());
  return roots;
}

}  // namespace

Status CheckOutsideCluster(const std::string& data_directory, const std::string& directory) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(directory.c_str(), nullptr), &std::free);
  if (real == nullptr) return OkStatus();
  std::vector<Identity> above;
  for (std::filesystem::path path = real.get();; path = path.parent_path()) {
    if (const std::optional<Identity> identity = IdentityOf(path)) above.push_back(*identity);
    if (path == path.parent_path()) break;
  }
  for (const std::string& root : RootsOf(data_directory)) {
    const std::optional<Identity> identity = IdentityOf(root);
    if (!identity) continue;
    for (const Identity& one : above) {
      if (one != *identity) continue;
      return InvalidArgument(fmt::format("the storage {} lies in {}, a directory of the cluster that is backed up", directory, root))
          .Hint("each backup would hold all earlier ones, and be lost with the cluster: give the storage a directory outside "
                "of the data directory and its tablespaces, better on another machine");
    }
  }
  return OkStatus();
}

}  // namespace walrig
