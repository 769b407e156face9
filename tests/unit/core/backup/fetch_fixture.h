// FetchFixture: a synthetic backup in memory, restored into a directory of the test.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "core/backup/fetch.h"
#include "core/storage/memory.h"
#include "tests/support/synthetic_backup.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig::test {

class FetchFixture : public ::testing::Test {
 protected:
  Result<BackupFetchReport> FetchFrom(Storage& storage, const std::string& target = "out/data") {
    options_.target_directory = dir_.File(target);
    if (options_.selector.name.empty()) options_.selector.name = "LATEST";
    BackupFetchDeps deps{storage, codecs_, nullptr};
    return BackupFetch(ctx_, options_, deps);
  }
  Result<BackupFetchReport> Fetch() { return FetchFrom(storage_); }
  Result<BackupFetchReport> StoreAndFetch() {
    backup_.Store(ctx_, storage_);
    return Fetch();
  }
  // Every plain file below the target, but the manifest.
  std::map<std::string, std::string> Restored(const std::string& target = "out/data") {
    std::map<std::string, std::string> files;
    const std::string top = dir_.File(target);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(top)) {
      if (!entry.is_regular_file() || entry.path().filename() == "backup_manifest") continue;
      const std::string path = entry.path().string().substr(top.size() + 1);
      files[path] = dir_.Read(target + "/" + path);
    }
    return files;
  }
  bool Startable(const std::string& target = "out/data") { return dir_.Exists(target + "/global/pg_control"); }
  bool WroteNothing() { return !dir_.Exists("out"); }
  Member& Part(const std::string& tar, const std::string& name) {
    for (Member& member : backup_.parts[tar]) {
      if (member.name == name) return member;
    }
    std::abort();
  }
  void AddPart(Member member) { backup_.parts["part_009.tar"].push_back(std::move(member)); }

  TempDir dir_;
  TestContext ctx_;
  MemoryStorage storage_;
  NoCodecs codecs_;
  BackupFetchOptions options_;
  SyntheticBackup backup_;
};

}  // namespace walrig::test
