// Two runs of backup-push under one name, and storages that are not for this cluster.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <utility>

#include "core/backup/push.h"
#include "core/storage/wrapper.h"
#include "tests/support/push_fixture.h"

namespace walrig::test {
namespace {

class PushRunsTest : public PushFixture {};

// Two standbys begin between the same two checkpoints: the storage decides who was first, and the other leaves it alone.
TEST_F(PushRunsTest, LeavesTheBackupOfARunThatIsThereAlready) {
  for (const char* at : {"part_001", "pg_control.tar", "backup_label.tar", "metadata.json", "walrig.json", "sentinel"}) {
    SCOPED_TRACE(at);
    MemoryStorage memory;
    MeddlingStorage storage(memory, at, [&] {
      FakeBackupServer other(data_);
      EXPECT_THAT(PushFrom(memory, other), HasCode(Code::kConflict));
    });
    ASSERT_OK(Push(storage));
    ExpectRestorable(memory, at);
  }
}

// Where the storage cannot decide the last claim counts: one of the two runs ends with a whole backup, whenever it comes.
TEST_F(PushRunsTest, LeavesTheBackupOfARunThatTookItOverAlone) {
  for (const char* at : {"part_001", "pg_control.tar", "backup_label.tar", "metadata.json", "walrig.json"}) {
    SCOPED_TRACE(at);
    MemoryStorage memory;
    LastWins first(memory), second(memory);
    bool done = false;  // files_metadata.json is another metadata.json
    MeddlingStorage storage(first, at, [&] {
      if (std::exchange(done, true)) return;
      FakeBackupServer other(data_);
      Disown(memory);
      ASSERT_OK(PushFrom(second, other));
    });
    EXPECT_THAT(Push(storage), ::testing::Not(IsOk()));
    ExpectRestorable(memory, at);
  }
}

TEST_F(PushRunsTest, StoresNoSentinelWhenAnotherRunDeletedItsParts) {
  for (const char* at : {"pg_control.tar", "backup_label.tar", "metadata.json", "walrig.json", "sentinel"}) {
    SCOPED_TRACE(at);
    MemoryStorage memory;
    LastWins first(memory), second(memory);
    MeddlingStorage storage(first, at, [&] {
      FakeBackupServer other(data_);
      Disown(memory);
      MeddlingStorage stopping(second, "part_001", [&] { other.stop_status = Unavailable("gone"); });
      EXPECT_THAT(PushFrom(stopping, other), ::testing::Not(IsOk()));
    });
    EXPECT_THAT(Push(storage), HasCode(Code::kConflict));
    ASSERT_OK_AND_ASSIGN(bool exists, Exists(test_, memory, kPushedSentinel));
    EXPECT_FALSE(exists);
  }
}

// The storage stored the sentinel, answered with 503, and said 412 to the second attempt.
TEST_F(PushRunsTest, KeepsEverythingWhenItsOwnSentinelExistsAlready) {
  class Lying final : public StorageWrapper {
   public:
    explicit Lying(Storage& inner) : StorageWrapper(inner) {}
    Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
      if (!key.ends_with("sentinel.json")) return StorageWrapper::Put(ctx, key, options);
      PutOptions plain = options;
      plain.only_if_absent = false;
      WALRIG_ASSIGN(std::unique_ptr<Sink> sink, StorageWrapper::Put(ctx, key, plain));
      return std::unique_ptr<Sink>(std::make_unique<LyingSink>(std::move(sink)));
    }

   private:
    class LyingSink final : public Sink {
     public:
      explicit LyingSink(std::unique_ptr<Sink> sink) : sink_(std::move(sink)) {}
      Status Write(const Context& ctx, ByteSpan bytes) override { return sink_->Write(ctx, bytes); }
      Status Commit(const Context& ctx) override {
        WALRIG_TRY(sink_->Commit(ctx));
        return AlreadyExists("HTTP 412");
      }
      void Abort() noexcept override { sink_->Abort(); }

     private:
      std::unique_ptr<Sink> sink_;
    };
  } storage(storage_);
  EXPECT_OK(Push(storage));
  ExpectRestorable(storage_, "out");
}

TEST_F(PushRunsTest, RefusesTheStorageOfAnotherCluster) {
  SyntheticBackup other("base_000000010000000000000001");
  other.sentinel.system_identifier = 42;
  other.sentinel.finish_time_ns = other.metadata.finish_time_ns = FakeClock::kStartWallNs - 3'600'000'000'000;
  other.Store(test_, storage_);
  const std::set<std::string> before = Keys();
  const Result<BackupPushReport> refused = Push();
  EXPECT_THAT(refused, HasCode(Code::kPreconditionFailed));
  EXPECT_NE(std::string(refused.status().hint()).find("WALRIG_ALLOW_OTHER_CLUSTER=true"), std::string::npos);
  EXPECT_EQ(server_.starts, 0);
  EXPECT_EQ(Keys(), before);
  options_.allow_other_cluster = true;
  ASSERT_OK(Push());
  options_.allow_other_cluster = false;
  server_.wal_name = "000000010000000000000021";
  EXPECT_OK(Push()) << "the latest backup is of this cluster now";
}

// As on SSH: lists of a folder that is not there are an error, and the first object makes it.
TEST_F(PushRunsTest, MakesTheFolderOfANewStorage) {
  class Unmade final : public StorageWrapper {
   public:
    explicit Unmade(Storage& inner) : StorageWrapper(inner) {}
    Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
      made_ = true;
      return StorageWrapper::Put(ctx, key, options);
    }
    Result<ListPage> List(const Context& ctx, const ListOptions& options) override {
      if (!made_) return ConfigError("the directory does not exist");
      return StorageWrapper::List(ctx, options);
    }

   private:
    bool made_ = false;
  } storage(storage_);
  EXPECT_OK(Push(storage));
}

TEST_F(PushRunsTest, RefusesAStorageThatLiesInTheClusterBeforeAndAfterTheWalk) {
  options_.storage_directories = {data_.Mkdir("backups")};
  EXPECT_THAT(Push(), MessageHas("lies in"));
  EXPECT_EQ(server_.starts, 0);
  // A mount, or a server on the same host, of which no path tells.
  options_.storage_directories.clear();
  class Leaky final : public StorageWrapper {
   public:
    Leaky(Storage& inner, TempDir& data) : StorageWrapper(inner), data_(data) {}
    Result<ListPage> List(const Context& ctx, const ListOptions& options) override {
      Result<std::string> claim = ReadObject(ctx, inner(), kPushedFolder + std::string("walrig.claim"), 1 << 20);
      if (claim.ok()) data_.Write("backups/deep/walrig.claim", *claim);
      return StorageWrapper::List(ctx, options);
    }

   private:
    TempDir& data_;
  } storage(storage_, data_);
  EXPECT_THAT(Push(storage), MessageHas("backups/deep/walrig.claim is an object of it"));
  ExpectNothingLeft();
}

TEST_F(PushRunsTest, SaysWhatAKilledRunLeft) {
  ASSERT_OK(WriteObject(test_, storage_, "basebackups_005/base_000000010000000000000007/tar_partitions/part_001.tar", "x"));
  test_.clock().Advance(uint64_t{25} * 3600 * 1'000'000'000);
  ASSERT_OK(Push());
  EXPECT_TRUE(test_.log().Has("left 1 unfinished backup (base_000000010000000000000007) in the storage, 1 B in all; walrig delete "
                              "garbage BACKUPS", LogLevel::kWarning));
}

}  // namespace
}  // namespace walrig::test
