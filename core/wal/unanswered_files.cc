#include "core/wal/unanswered_files.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "core/base/owner.h"
#include "core/io/durable_file.h"

namespace walrig {
namespace {

bool SamePlace(const WalName& a, const WalName& b) { return a.log == b.log && a.seg == b.seg; }

}  // namespace

UnansweredFiles::UnansweredFiles(const std::string& wal_directory)
    : directory_(wal_directory + "/walg_data/walrig_unanswered/") {}

bool UnansweredFiles::Matters(const WalFile& file) {
  return file.kind == WalFileKind::kHistory || (file.kind == WalFileKind::kSegment && file.segment.timeline > 1);
}

Status UnansweredFiles::Add(const Context& ctx, const std::string& name) const {
  // A standby asks every few seconds.
  if (access((directory_ + name).c_str(), F_OK) == 0) return OkStatus();
  WALRIG_TRY(MakeFolders(directory_));
  return WriteFileDurably(ctx, directory_ + name,
                          "wal-fetch could not ask the archive for this file. Until it has, this standby gets no segment that "
                          "PostgreSQL would take in its place.\n",
                          {.owner_of_folder = true});
}

void UnansweredFiles::Remove(const std::string& name) const {
  // One that stays is asked about once more.
  unlink((directory_ + name).c_str());
}

std::vector<std::string> UnansweredFiles::Before(const WalName& segment) const {
  std::vector<std::string> found;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory_, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    const WalFile file = ClassifyWalFile(name);
    if (!Matters(file) || file.segment.timeline <= segment.timeline) continue;
    if (file.kind == WalFileKind::kHistory || SamePlace(file.segment, segment)) found.push_back(std::move(name));
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string UnansweredFiles::AnswerPath(const std::string& name) const { return directory_ + name + ".answer"; }

}  // namespace walrig
