// PushFixture: a small cluster, a server that is a few numbers, and a storage in memory, for tests of backup-push.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "core/backup/fetch.h"
#include "core/backup/push.h"
#include "core/layout/claim.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "core/storage/wrapper.h"
#include "tests/support/fake_backup_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig::test {

inline constexpr char kPushedName[] = "base_000000010000000000000020";
inline constexpr char kPushedFolder[] = "basebackups_005/base_000000010000000000000020/";
inline constexpr char kPushedSentinel[] = "basebackups_005/base_000000010000000000000020_backup_stop_sentinel.json";

class TestCodecs final : public CodecProvider {
 public:
  explicit TestCodecs(const Codec& codec) : codec_(codec) {}
  Result<Compressor*> ForExtension(const Context&, std::string_view extension) override {
    if (extension.empty()) return static_cast<Compressor*>(nullptr);
    if (codec_.compressor != nullptr && extension == codec_.Extension()) return codec_.compressor;
    return NotSupported("no such codec");
  }
  Cipher* cipher() override { return codec_.cipher; }

 private:
  const Codec codec_;
};

class PushFixture : public ::testing::Test {
 protected:
  PushFixture() : server_(data_) {
    MakeCluster(data_, SyntheticBackup::kSystem);
    options_.data_directory = data_.path();
    options_.alive_check_interval_ms = 0;
    // Run as root, the cluster is root's, as none is: a restore gives its files to the owner of the directory above.
    if (geteuid() == 0 && chown(target_.path().c_str(), 65534, 65534) != 0) std::abort();
    Archive("000000010000000000000020");
  }

  // In a storage beside the backup's, so that tests can count what a backup leaves.
  void Archive(const std::string& segment) { ASSERT_OK(WriteObject(test_, archive_, "wal_005/" + segment, "wal")); }

  Result<BackupPushReport> Push() { return Push(storage_); }
  Result<BackupPushReport> Push(Storage& storage) {
    return PushFrom(storage, server_);
  }
  Result<BackupPushReport> PushFrom(Storage& storage, FakeBackupServer& server) {
    BackupPushDeps deps{storage, codec_, server, &progress_, {&archive_}};
    return BackupPush(test_, options_, deps);
  }
  std::set<std::string> Keys() {
    Result<std::vector<ObjectInfo>> objects = ListAll(test_, storage_, "");
    EXPECT_OK(objects);
    std::set<std::string> keys;
    for (const ObjectInfo& object : *objects) keys.insert(object.key);
    return keys;
  }
  std::string Object(const std::string& key) {
    Result<std::string> bytes = ReadObject(test_, storage_, key, 64 << 20);
    EXPECT_OK(bytes);
    return bytes.ok() ? *bytes : "";
  }
  Json Document(const std::string& name) {
    Result<Json> json = ParseJson(Object(kPushedFolder + name), name);
    EXPECT_OK(json);
    return json.ok() ? *json : Json();
  }
  // Restores what was pushed; every file is compared with the manifest and every object with the proof by it.
  BackupFetchReport Fetch(const std::string& target) {
    TestCodecs codecs(codec_);
    BackupFetchOptions options;
    options.target_directory = target;
    options.selector.name = kPushedName;
    options.fsync = false;
    BackupFetchDeps deps{storage_, codecs, nullptr};
    Result<BackupFetchReport> report = BackupFetch(test_, options, deps);
    EXPECT_OK(report);
    return report.ok() ? *report : BackupFetchReport();
  }
  void ExpectRestorable(Storage& storage, const std::string& name) {
    TestCodecs codecs(codec_);
    BackupFetchOptions options;
    options.target_directory = target_.File("out_" + name);
    options.selector.name = kPushedName;
    options.fsync = false;
    BackupFetchDeps deps{storage, codecs, nullptr};
    EXPECT_OK(BackupFetch(test_, options, deps));
  }
  // Makes the claim that lies there one of another machine: of a run that nobody can look at.
  void Disown(Storage& storage) {
    const std::string key = kPushedFolder + std::string("walrig.claim");
    Result<std::string> text = ReadObject(test_, storage, key, 1 << 20);
    if (!text.ok()) return;
    Result<ClaimText> claim = ParseClaim(*text);
    ASSERT_OK(claim);
    claim->process.machine += " elsewhere";
    ASSERT_OK(WriteObject(test_, storage, key, SerializeClaim(*claim)));
  }
  void ExpectNothingLeft() {
    EXPECT_TRUE(Keys().empty()) << *Keys().begin();
    EXPECT_FALSE(server_.begun);
  }

  TestContext test_;
  TempDir data_, target_;
  MemoryStorage storage_, archive_;
  FakeBackupServer server_;
  Codec codec_;
  BackupPushOptions options_;
  ProgressCounters progress_;
};

// Does something when an object is opened; as a rule the first part, which is after the walk.
class MeddlingStorage final : public StorageWrapper {
 public:
  MeddlingStorage(std::unique_ptr<Storage> inner, std::function<void()> meddle)
      : StorageWrapper(std::move(inner)), meddle_(std::move(meddle)) {}
  MeddlingStorage(Storage& inner, const char* at, std::function<void()> meddle)
      : StorageWrapper(inner), at_(at), meddle_(std::move(meddle)) {}
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    if (key.find(at_) != std::string_view::npos) meddle_();
    return StorageWrapper::Put(ctx, key, options);
  }

 private:
  const char* const at_ = "part_001";
  std::function<void()> meddle_;
};

// Cannot put only what is absent.
class LastWins final : public StorageWrapper {
 public:
  explicit LastWins(Storage& inner) : StorageWrapper(inner) {}
  StorageCapabilities capabilities() const override {
    StorageCapabilities can = StorageWrapper::capabilities();
    can.put_if_absent = false;
    return can;
  }
};

}  // namespace walrig::test
