#include "core/wal/unanswered_histories.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "core/base/owner.h"
#include "core/io/durable_file.h"
#include "core/postgres/wal_name.h"

namespace walrig {

UnansweredHistories::UnansweredHistories(const std::string& wal_directory)
    : directory_(wal_directory + "/walg_data/walrig_unanswered/") {}

Status UnansweredHistories::Add(const Context& ctx, Timeline timeline) const {
  WALRIG_TRY(MakeFolders(directory_));
  return WriteFileDurably(ctx, directory_ + HistoryName(timeline),
                          "wal-fetch could not ask the archive for this history. Until it has, this standby gets no "
                          "segment of a lower timeline.\n",
                          {.owner_of_folder = true});
}

void UnansweredHistories::Remove(Timeline timeline) const {
  // One that stays is asked about once more.
  unlink((directory_ + HistoryName(timeline)).c_str());
}

std::vector<Timeline> UnansweredHistories::Above(Timeline timeline) const {
  std::vector<Timeline> found;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory_, error), end; !error && it != end; it.increment(error)) {
    const WalFile file = ClassifyWalFile(it->path().filename().string());
    if (file.kind == WalFileKind::kHistory && file.segment.timeline > timeline) found.push_back(file.segment.timeline);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string UnansweredHistories::AnswerPath(Timeline timeline) const {
  return directory_ + HistoryName(timeline) + ".answer";
}

}  // namespace walrig
