#include "core/postgres/archive_status.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "core/base/errno_status.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

constexpr std::string_view kReadySuffix = ".ready";

struct DirCloser {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

std::string ReadyPath(const std::string& dir, std::string_view name) {
  return dir + "/" + std::string(name) + std::string(kReadySuffix);
}

bool IsHistory(std::string_view name) { return ClassifyWalFile(name).kind == WalFileKind::kHistory; }

bool ArchivedBefore(const std::string& a, const std::string& b) {
  const bool history_a = IsHistory(a), history_b = IsHistory(b);
  return history_a != history_b ? history_a : a < b;
}

}  // namespace

Result<std::vector<std::string>> ScanReady(const std::string& archive_status_dir, size_t names_max) {
  const std::unique_ptr<DIR, DirCloser> dir(::opendir(archive_status_dir.c_str()));
  if (dir == nullptr) return ErrnoStatus(errno, "open " + archive_status_dir);
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) {
      if (errno != 0) return ErrnoStatus(errno, "read " + archive_status_dir);
      break;
    }
    std::string_view name = entry->d_name;
    if (!EndsWith(name, kReadySuffix)) continue;
    name.remove_suffix(kReadySuffix.size());
    if (ClassifyWalFile(name).kind != WalFileKind::kOther) names.emplace_back(name);
  }
  const size_t wanted = std::min(names_max, names.size());
  std::partial_sort(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(wanted), names.end(), ArchivedBefore);
  names.resize(wanted);
  return names;
}

Result<bool> IsReady(const std::string& archive_status_dir, std::string_view name) {
  const std::string path = ReadyPath(archive_status_dir, name);
  struct stat info = {};
  if (::stat(path.c_str(), &info) == 0) return true;
  if (errno == ENOENT) return false;
  return ErrnoStatus(errno, "stat " + path);
}

Status MarkDone(const std::string& archive_status_dir, std::string_view name) {
  const std::string ready = ReadyPath(archive_status_dir, name);
  const std::string done = archive_status_dir + "/" + std::string(name) + ".done";
  if (std::rename(ready.c_str(), done.c_str()) == 0 || errno == ENOENT) return OkStatus();
  return ErrnoStatus(errno, "rename " + ready);
}

}  // namespace walrig
