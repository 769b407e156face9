#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>

#include "core/backup/push.h"
#include "core/storage/wrapper.h"
#include "tests/support/push_fixture.h"

namespace walrig::test {
namespace {

class TarUploadTest : public PushFixture {};

TEST_F(TarUploadTest, TakesALargeFileThatIsNoRelationAsItIsWhenItIsOpened) {
  for (const size_t size : {size_t{0}, size_t{3000}, size_t{9} << 20}) {
    SCOPED_TRACE(size);
    MemoryStorage memory;
    data_.Write("extension_state.bin", std::string(5 << 20, 'o'));
    MeddlingStorage storage(memory, "part_001", [&] {
      std::filesystem::remove(data_.File("extension_state.bin"));
      data_.Write("extension_state.bin", std::string(size, 'n'));
    });
    ASSERT_OK(Push(storage));
    ExpectRestorable(memory, std::to_string(size));
    EXPECT_EQ(target_.Read("out_" + std::to_string(size) + "/extension_state.bin"), std::string(size, 'n'));
  }
}

// Of relations WAL makes this good; of nothing else.
TEST_F(TarUploadTest, SaysThatAFileBecameShorterWhileItWasRead) {
  data_.Write("state.bin", std::string(9 << 20, 'o'));
  data_.Write("base/5/16400", std::string(9 << 20, '\0'));
  class Cutting final : public StorageWrapper {
   public:
    Cutting(Storage& inner, TempDir& data) : StorageWrapper(inner), data_(data) {}
    Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
      WALRIG_ASSIGN(std::unique_ptr<Sink> sink, StorageWrapper::Put(ctx, key, options));
      return std::unique_ptr<Sink>(std::make_unique<CuttingSink>(std::move(sink), data_));
    }

   private:
    // With one worker the first slice of a file is written before the second is read.
    class CuttingSink final : public Sink {
     public:
      CuttingSink(std::unique_ptr<Sink> sink, TempDir& data) : sink_(std::move(sink)), data_(data) {}
      Status Write(const Context& ctx, ByteSpan bytes) override {
        for (const char* name : {"state.bin", "base/5/16400"})
          if (AsText(bytes).find(name) != std::string_view::npos) std::filesystem::resize_file(data_.File(name), 100);
        return sink_->Write(ctx, bytes);
      }
      Status Commit(const Context& ctx) override { return sink_->Commit(ctx); }
      void Abort() noexcept override { sink_->Abort(); }

     private:
      std::unique_ptr<Sink> sink_;
      TempDir& data_;
    };
    TempDir& data_;
  } storage(storage_, data_);
  server_.info.data_checksums = false;
  ASSERT_OK(Push(storage));
  EXPECT_TRUE(test_.log().Has("/state.bin became shorter while it was read", LogLevel::kWarning));
  EXPECT_FALSE(test_.log().Has("/base/5/16400 became shorter"));
}

// A part that cannot be stored is noticed while the next one is filled, not when two more are full.
TEST_F(TarUploadTest, EndsSoonAfterAPartFailed) {
  class Failing final : public StorageWrapper {
   public:
    explicit Failing(Storage& inner) : StorageWrapper(inner) {}
    Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
      const bool part = key.find("part_") != std::string_view::npos;
      if (part && ++parts > 1) failed.wait(false);  // the first one has failed by then
      WALRIG_ASSIGN(std::unique_ptr<Sink> sink, StorageWrapper::Put(ctx, key, options));
      if (!part) return sink;
      return std::unique_ptr<Sink>(std::make_unique<FailingSink>(*this));
    }
    std::atomic<int> parts{0};
    std::atomic<bool> failed{false};

   private:
    class FailingSink final : public Sink {
     public:
      explicit FailingSink(Failing& storage) : storage_(storage) {}
      Status Write(const Context&, ByteSpan) override { return OkStatus(); }
      Status Commit(const Context&) override {
        storage_.failed = true;
        storage_.failed.notify_all();
        return NoSpace("the storage is full");
      }
      void Abort() noexcept override {}

     private:
      Failing& storage_;
    };
  } storage(storage_);
  options_.tar_size_threshold_bytes = 1;
  options_.upload_queue = 8;
  for (int i = 0; i < 14; ++i) data_.Write("base/5/" + std::to_string(30000 + i), std::string(5 << 20, '\0'));
  server_.info.data_checksums = false;
  EXPECT_THAT(Push(storage), HasCode(Code::kNoSpace));
  EXPECT_LE(storage.parts, 6) << "of which eight may be finishing";
  ExpectNothingLeft();
}

}  // namespace
}  // namespace walrig::test
