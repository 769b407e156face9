// FailingStorage: lets n calls through and fails all after them, for loops that fail the n-th call for every n. Several may
// share their calls: after the n-th none of them does anything any more, as if the process had been killed.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "walrig/storage.h"

namespace walrig::test {

// Borrows the inner storage. Every method counts as a call, and so do every Read of a source and every Commit.
class FailingStorage final : public Storage {
 public:
  using Calls = std::shared_ptr<std::atomic<int64_t>>;

  FailingStorage(Storage& inner, uint64_t calls_good)
      : FailingStorage(inner, std::make_shared<std::atomic<int64_t>>(static_cast<int64_t>(calls_good))) {}
  FailingStorage(Storage& inner, Calls calls_left) : inner_(inner), left_(std::move(calls_left)) {}

  bool failed() const { return failed_; }

  StorageCapabilities capabilities() const override { return inner_.capabilities(); }
  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override {
    WALRIG_TRY(Pass());
    return inner_.Stat(ctx, key);
  }
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override {
    WALRIG_TRY(Pass());
    WALRIG_ASSIGN(std::unique_ptr<Source> source, inner_.Get(ctx, key, options));
    return std::unique_ptr<Source>(std::make_unique<CountedSource>(*this, std::move(source)));
  }
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    WALRIG_TRY(Pass());
    WALRIG_ASSIGN(std::unique_ptr<Sink> sink, inner_.Put(ctx, key, options));
    return std::unique_ptr<Sink>(std::make_unique<CountedSink>(*this, std::move(sink)));
  }
  Result<ListPage> List(const Context& ctx, const ListOptions& options) override {
    WALRIG_TRY(Pass());
    return inner_.List(ctx, options);
  }
  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override {
    WALRIG_TRY(Pass());
    return inner_.Delete(ctx, keys, each);
  }
  Status Copy(const Context& ctx, std::string_view from, std::string_view to) override {
    WALRIG_TRY(Pass());
    return inner_.Copy(ctx, from, to);
  }

 private:
  class CountedSource final : public Source {
   public:
    CountedSource(FailingStorage& storage, std::unique_ptr<Source> source)
        : storage_(storage), source_(std::move(source)) {}
    Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
      WALRIG_TRY(storage_.Pass());
      return source_->Read(ctx, buffer);
    }

   private:
    FailingStorage& storage_;
    std::unique_ptr<Source> source_;
  };

  class CountedSink final : public Sink {
   public:
    CountedSink(FailingStorage& storage, std::unique_ptr<Sink> sink) : storage_(storage), sink_(std::move(sink)) {}
    Status Write(const Context& ctx, ByteSpan bytes) override { return sink_->Write(ctx, bytes); }
    Status Commit(const Context& ctx) override {
      WALRIG_TRY(storage_.Pass());
      return sink_->Commit(ctx);
    }
    void Abort() noexcept override { sink_->Abort(); }

   private:
    FailingStorage& storage_;
    std::unique_ptr<Sink> sink_;
  };

  Status Pass() {
    if (left_->fetch_sub(1) > 0) return OkStatus();
    failed_ = true;
    return Unavailable("the storage went away");
  }

  Storage& inner_;
  const Calls left_;
  std::atomic<bool> failed_{false};
};

}  // namespace walrig::test
