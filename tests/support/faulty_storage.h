// FaultyStorage: a storage that fails when and how the test says; for retry tests and for "fail the n-th call for
// n = 1, 2, ... until it succeeds".
//
//   FaultyStorage storage(memory);
//   storage.Set({.fail_from = 3, .failure = Unavailable("gone").Retryable()});   // the third call fails, once
//
// Borrows the inner storage. THREADS: any; Set between the calls that it shall change.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "walrig/storage.h"

namespace walrig::test {

enum class StorageCall { kStat, kGet, kRead, kPut, kWrite, kCommit, kList, kDelete, kCopy };

struct Faults {
  // Which calls fail: of those counted, the fail_from-th (from 1; 0: none) and the fail_times - 1 after it.
  std::optional<StorageCall> only = {};  // counts only these; nothing: all
  uint64_t fail_from = 0;
  uint64_t fail_times = 1;
  Status failure = IoError("an injected failure");
  bool effect_first = false;  // the call does its work, and then tells the failure

  // What a stream of Get does. kUnknownSize: never.
  uint64_t break_after_bytes = kUnknownSize;     // gives so many bytes, then `failure`, in each stream
  uint64_t break_times = UINT64_MAX;             // so many streams
  uint64_t truncate_after_bytes = kUnknownSize;  // says it ended, after so many bytes of the object
  uint64_t truncate_times = UINT64_MAX;          // so many times
  int64_t size_lie_bytes = 0;                    // Stat and List add it to sizes
};

class FaultyStorage final : public Storage {
 public:
  explicit FaultyStorage(Storage& inner) : inner_(inner) {}

  // Counting begins anew.
  void Set(Faults faults) {
    std::lock_guard lock(mutex_);
    faults_ = std::move(faults);
    counted_ = failed_ = broken_ = truncated_ = 0;
  }
  // Calls counted and calls failed since Set.
  uint64_t counted() const { return Locked(counted_); }
  uint64_t failed() const { return Locked(failed_); }
  void SetCapabilities(const StorageCapabilities& capabilities) { capabilities_ = capabilities; }

  StorageCapabilities capabilities() const override {
    return capabilities_.has_value() ? *capabilities_ : inner_.capabilities();
  }
  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override {
    const Verdict verdict = Judge(StorageCall::kStat);
    if (!verdict.failure.ok()) return verdict.failure;
    WALRIG_ASSIGN(ObjectInfo info, inner_.Stat(ctx, key));
    Lie(info);
    return info;
  }
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override {
    const Verdict verdict = Judge(StorageCall::kGet);
    if (!verdict.failure.ok()) return verdict.failure;
    WALRIG_ASSIGN(std::unique_ptr<Source> source, inner_.Get(ctx, key, options));
    return std::unique_ptr<Source>(std::make_unique<FaultySource>(*this, std::move(source), options.offset));
  }
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    const Verdict verdict = Judge(StorageCall::kPut);
    if (!verdict.failure.ok()) return verdict.failure;
    WALRIG_ASSIGN(std::unique_ptr<Sink> sink, inner_.Put(ctx, key, options));
    return std::unique_ptr<Sink>(std::make_unique<FaultySink>(*this, std::move(sink)));
  }
  Result<ListPage> List(const Context& ctx, const ListOptions& options) override {
    const Verdict verdict = Judge(StorageCall::kList);
    if (!verdict.failure.ok()) return verdict.failure;
    WALRIG_ASSIGN(ListPage page, inner_.List(ctx, options));
    for (ObjectInfo& info : page.entries) Lie(info);
    return page;
  }
  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override {
    const Verdict verdict = Judge(StorageCall::kDelete);
    if (!verdict.failure.ok() && !verdict.effect_first) return verdict.failure;
    const Status status = inner_.Delete(ctx, keys, each);
    return verdict.failure.ok() ? status : verdict.failure;
  }
  Status Copy(const Context& ctx, std::string_view from, std::string_view to) override {
    const Verdict verdict = Judge(StorageCall::kCopy);
    if (!verdict.failure.ok() && !verdict.effect_first) return verdict.failure;
    const Status status = inner_.Copy(ctx, from, to);
    return verdict.failure.ok() ? status : verdict.failure;
  }

 private:
  struct Verdict {
    Status failure;
    bool effect_first = false;
  };

  class FaultySource final : public Source {
   public:
    FaultySource(FaultyStorage& storage, std::unique_ptr<Source> source, uint64_t offset)
        : storage_(storage), source_(std::move(source)), offset_(offset) {}
    Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
      const Verdict verdict = storage_.Judge(StorageCall::kRead);
      if (!verdict.failure.ok()) return verdict.failure;
      const Faults faults = storage_.Present();
      if (given_ >= faults.break_after_bytes && storage_.Breaks()) return faults.failure;
      const uint64_t position = offset_ + given_;
      if (position >= faults.truncate_after_bytes && storage_.Truncates()) return size_t{0};
      uint64_t want = buffer.size();
      if (faults.break_after_bytes > given_) want = std::min(want, faults.break_after_bytes - given_);
      if (faults.truncate_after_bytes > position) want = std::min(want, faults.truncate_after_bytes - position);
      WALRIG_ASSIGN(const size_t got, source_->Read(ctx, buffer.first(static_cast<size_t>(want))));
      given_ += got;
      return got;
    }

   private:
    FaultyStorage& storage_;
    std::unique_ptr<Source> source_;
    const uint64_t offset_;
    uint64_t given_ = 0;
  };

  class FaultySink final : public Sink {
   public:
    FaultySink(FaultyStorage& storage, std::unique_ptr<Sink> sink) : storage_(storage), sink_(std::move(sink)) {}
    Status Write(const Context& ctx, ByteSpan bytes) override {
      const Verdict verdict = storage_.Judge(StorageCall::kWrite);
      return verdict.failure.ok() ? sink_->Write(ctx, bytes) : verdict.failure;
    }
    Status Commit(const Context& ctx) override {
      const Verdict verdict = storage_.Judge(StorageCall::kCommit);
      if (!verdict.failure.ok() && !verdict.effect_first) return verdict.failure;
      const Status status = sink_->Commit(ctx);
      return verdict.failure.ok() ? status : verdict.failure;
    }
    void Abort() noexcept override { sink_->Abort(); }

   private:
    FaultyStorage& storage_;
    std::unique_ptr<Sink> sink_;
  };

  Verdict Judge(StorageCall call) {
    std::lock_guard lock(mutex_);
    if (faults_.only.has_value() && *faults_.only != call) return {};
    counted_++;
    if (faults_.fail_from == 0 || counted_ < faults_.fail_from) return {};
    if (counted_ - faults_.fail_from >= faults_.fail_times) return {};
    failed_++;
    return {faults_.failure, faults_.effect_first};
  }
  bool Breaks() {
    std::lock_guard lock(mutex_);
    return broken_++ < faults_.break_times;
  }
  bool Truncates() {
    std::lock_guard lock(mutex_);
    return truncated_++ < faults_.truncate_times;
  }
  Faults Present() const {
    std::lock_guard lock(mutex_);
    return faults_;
  }
  void Lie(ObjectInfo& info) const {
    if (!info.is_prefix) info.size_bytes += static_cast<uint64_t>(Present().size_lie_bytes);
  }
  uint64_t Locked(const uint64_t& number) const {
    std::lock_guard lock(mutex_);
    return number;
  }

  Storage& inner_;
  std::optional<StorageCapabilities> capabilities_;
  mutable std::mutex mutex_;
  Faults faults_;         // guarded by mutex_
  uint64_t counted_ = 0;  // guarded by mutex_
  uint64_t failed_ = 0;   // guarded by mutex_
  uint64_t broken_ = 0;   // guarded by mutex_
  uint64_t truncated_ = 0;  // guarded by mutex_
};

}  // namespace walrig::test
