// Leftovers: what killed runs of backup-push left in a storage: folders of backups that have no sentinel, and uploads that
// have no end. They take room and are no backup; what a living run is writing looks the same and is told apart here.
//
// A run puts walrig.claim into its folder, which names its process. One that is gone is known to be gone on its own machine;
// for others, and for WAL-G's runs, age decides: the youngest object of the folder.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/process.h"
#include "walrig/storage.h"

namespace walrig {

// A part takes minutes. A day without a new one has no writer.
inline constexpr int64_t kLeftoverAgeNs = int64_t{24} * 3600 * 1'000'000'000;

struct LeftoverBackup {
  std::string name;
  std::vector<std::string> keys;  // of its objects; the claim last
  uint64_t bytes = 0;
  int64_t newest_ns = kUnknownTime;
  ProcessState writer = ProcessState::kUnknown;
};

struct Leftovers {
  std::vector<LeftoverBackup> backups;    // by name
  std::vector<UnfinishedUpload> uploads;  // below basebackups_005/

  bool empty() const { return backups.empty() && uploads.empty(); }
  uint64_t bytes() const;
};

// Those whose writer is gone, and those older than `age_ns`. Uploads that the storage cannot or will not tell are left out.
// FAILS WITH: what listing objects fails with.
Result<Leftovers> FindLeftovers(const Context& ctx, Storage& storage, int64_t age_ns);

// Whether a folder may be deleted still: it has no sentinel yet, and no run has taken it over. Asked right before.
Result<bool> IsStillLeft(const Context& ctx, Storage& storage, const LeftoverBackup& backup);

// One line: how many there are, how large, what they are called, which command takes them.
std::string DescribeLeftovers(const Leftovers& leftovers);

}  // namespace walrig
