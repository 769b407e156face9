// Uploads in the background: they neither keep PostgreSQL waiting nor are done in vain.
#include <poll.h>

#include <filesystem>
#include <future>
#include <set>

#include "core/storage/wrapper.h"
#include "core/wal/markers.h"
#include "core/wal/push.h"
#include "tests/support/faulty_storage.h"
#include "tests/unit/core/wal/wal_fixture.h"

namespace walrig::test {
namespace {

constexpr const char* kOther = "000000010000000000000004";

class BackgroundTest : public WalTest {
 protected:
  std::string WaitingFile(const std::string& name, uint64_t number) {
    dir_.Write("pg_wal/archive_status/" + name + ".ready", "");
    return dir_.Write("pg_wal/" + name, MakeSegment(1, number, 77));
  }
  std::set<std::string> Markers() {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.File("pg_wal/walg_data/walg_archive_status"))) {
      names.insert(entry.path().filename());
    }
    return names;
  }
};

// The asked-for file is put once the other is on its way; the other's put ends only when it is stopped.
class StuckStorage final : public StorageWrapper {
 public:
  using StorageWrapper::StorageWrapper;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    if (!key.ends_with(kOther)) {
      begun_.get_future().wait();
      return StorageWrapper::Put(ctx, key, options);
    }
    begun_.set_value();
    pollfd stop = {ctx.stop.fd(), POLLIN, 0};
    was_stopped_ = ::poll(&stop, 1, 10'000) > 0;
    return Cancelled();
  }
  bool was_stopped() const { return was_stopped_; }

 private:
  std::promise<void> begun_;
  bool was_stopped_ = false;
};

TEST_F(BackgroundTest, AnUploadThatDoesNotEndIsStoppedSoonAfterTheAskedForFile) {
  NoteArchive(dir_.File("pg_wal"));
  const std::string asked_for = WaitingFile(kName, 3);
  WaitingFile(kOther, 4);
  StuckStorage stuck(storage_);
  ASSERT_OK_AND_ASSIGN(const WalPushReport report,
                       WalPush(ctx_, PushOptions(asked_for), {.storage = stuck, .codec = {}, .codecs = codecs_}));
  EXPECT_TRUE(stuck.was_stopped());
  EXPECT_EQ(report.background_files, 0u);
  EXPECT_EQ(ctx_.clock().elapsed_ns(), 10'000'000'000u);
  EXPECT_TRUE(Markers().empty());
  EXPECT_FALSE(ctx_.log().Has("", LogLevel::kWarning)) << "PostgreSQL will ask for the file: nothing is wrong";
}

// A full or read-only disk, another user's directory: what could not be marked would be uploaded by each call again.
TEST_F(BackgroundTest, WhereNoMarkerCanBeWrittenEachFileIsUploadedOnce) {
  constexpr uint64_t kFiles = 7;
  std::vector<std::string> paths;
  for (uint64_t i = 0; i < kFiles; ++i) {
    paths.push_back(WaitingFile("00000001000000000000000" + std::to_string(i + 1), i + 1));
  }
  dir_.Write("pg_wal/walg_data", "not a directory");
  FaultyStorage counting(storage_);
  counting.Set({.only = StorageCall::kPut});
  for (const std::string& path : paths) {
    ASSERT_OK_AND_ASSIGN(const WalPushReport report,
                         WalPush(ctx_, PushOptions(path), {.storage = counting, .codec = {}, .codecs = codecs_}));
    EXPECT_EQ(report.background_files, 0u);
    std::filesystem::remove(dir_.File("pg_wal/archive_status/" + report.name + ".ready"));
  }
  EXPECT_EQ(counting.counted(), kFiles);
}

// Puts the asked-for file only when the other is stored.
class PatientStorage final : public StorageWrapper {
 public:
  using StorageWrapper::StorageWrapper;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    const bool other = key.ends_with(kOther);
    if (!other) stored_.get_future().wait();
    WALRIG_ASSIGN(std::unique_ptr<Sink> sink, StorageWrapper::Put(ctx, key, options));
    if (!other) return sink;
    return std::unique_ptr<Sink>(std::make_unique<TellingSink>(std::move(sink), stored_));
  }

 private:
  class TellingSink final : public Sink {
   public:
    TellingSink(std::unique_ptr<Sink> sink, std::promise<void>& stored) : sink_(std::move(sink)), stored_(stored) {}
    Status Write(const Context& ctx, ByteSpan bytes) override { return sink_->Write(ctx, bytes); }
    Status Commit(const Context& ctx) override {
      Status status = sink_->Commit(ctx);
      stored_.set_value();
      return status;
    }
    void Abort() noexcept override { sink_->Abort(); }

   private:
    std::unique_ptr<Sink> sink_;
    std::promise<void>& stored_;
  };

  std::promise<void> stored_;
};

TEST_F(BackgroundTest, WhatIsMarkedAsDoneNeedsNoMarkerThatNobodyRemoves) {
  NoteArchive(dir_.File("pg_wal"));
  const std::string asked_for = WaitingFile(kName, 3);
  WaitingFile(kOther, 4);
  const std::string done = dir_.File("pg_wal/archive_status/" + std::string(kOther) + ".done");
  PatientStorage patient(storage_);
  WalPushOptions options = PushOptions(asked_for);
  options.rename_ready = true;
  ASSERT_OK_AND_ASSIGN(const WalPushReport report,
                       WalPush(ctx_, options, {.storage = patient, .codec = {}, .codecs = codecs_}));
  EXPECT_EQ(report.background_files, 1u);
  EXPECT_TRUE(std::filesystem::exists(done));
  EXPECT_TRUE(Markers().empty());
}

TEST_F(BackgroundTest, WhatIsArchivedIsMarkedAndTheNextCallAsksOnceAndOpensNothing) {
  NoteArchive(dir_.File("pg_wal"));
  const std::string asked_for = WaitingFile(kName, 3);
  const std::string other = WaitingFile(kOther, 4);
  const std::string marker = dir_.File("pg_wal/walg_data/walg_archive_status/" + std::string(kOther));
  PatientStorage patient(storage_);
  ASSERT_OK(WalPush(ctx_, PushOptions(asked_for), {.storage = patient, .codec = {}, .codecs = codecs_}).status());
  std::filesystem::remove(dir_.File("pg_wal/archive_status/" + std::string(kName) + ".ready"));
  FaultyStorage counting(storage_);
  counting.Set({.only = StorageCall::kGet});
  ASSERT_OK_AND_ASSIGN(WalPushReport report,
                       WalPush(ctx_, PushOptions(other), {.storage = counting, .codec = {}, .codecs = codecs_}));
  EXPECT_TRUE(report.already_archived);
  EXPECT_EQ(counting.counted(), 0u) << "an existence check that opens a decoder";
  EXPECT_FALSE(std::filesystem::exists(marker));
}

}  // namespace
}  // namespace walrig::test
