#include "core/storage/watched.h"

#include "core/storage/aliveness.h"

namespace walrig {
namespace {

class WatchedSource final : public Source {
 public:
  WatchedSource(WatchedStorage& storage, std::unique_ptr<Source> source) : storage_(storage), source_(std::move(source)) {}
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
    Result<size_t> got = source_->Read(ctx, buffer);
    if (!got.ok()) storage_.Look(ctx, got.status());
    return got;
  }

 private:
  WatchedStorage& storage_;
  std::unique_ptr<Source> source_;
};

class WatchedSink final : public Sink {
 public:
  WatchedSink(WatchedStorage& storage, std::unique_ptr<Sink> sink) : storage_(storage), sink_(std::move(sink)) {}
  Status Write(const Context& ctx, ByteSpan bytes) override { return Looked(ctx, sink_->Write(ctx, bytes)); }
  Status Commit(const Context& ctx) override { return Looked(ctx, sink_->Commit(ctx)); }
  void Abort() noexcept override { sink_->Abort(); }

 private:
  Status Looked(const Context& ctx, Status status) {
    if (!status.ok()) storage_.Look(ctx, status);
    return status;
  }

  WatchedStorage& storage_;
  std::unique_ptr<Sink> sink_;
};

}  // namespace

void WatchedStorage::Look(const Context& ctx, const Status& status) {
  if (status.ok() || !SpeaksAgainstStorage(status) || failed_.exchange(true)) return;
  if (listener_) listener_(ctx, status);
}

Result<ObjectInfo> WatchedStorage::Stat(const Context& ctx, std::string_view key) {
  Result<ObjectInfo> info = inner().Stat(ctx, key);
  Look(ctx, info.status());
  return info;
}

Result<std::unique_ptr<Source>> WatchedStorage::Get(const Context& ctx, std::string_view key, const GetOptions& options) {
  Result<std::unique_ptr<Source>> source = inner().Get(ctx, key, options);
  Look(ctx, source.status());
  if (!source.ok()) return source;
  return std::unique_ptr<Source>(std::make_unique<WatchedSource>(*this, *std::move(source)));
}

Result<std::unique_ptr<Sink>> WatchedStorage::Put(const Context& ctx, std::string_view key, const PutOptions& options) {
  Result<std::unique_ptr<Sink>> sink = inner().Put(ctx, key, options);
  Look(ctx, sink.status());
  if (!sink.ok()) return sink;
  return std::unique_ptr<Sink>(std::make_unique<WatchedSink>(*this, *std::move(sink)));
}

Result<ListPage> WatchedStorage::List(const Context& ctx, const ListOptions& options) {
  Result<ListPage> page = inner().List(ctx, options);
  Look(ctx, page.status());
  return page;
}

Status WatchedStorage::Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) {
  Status status = inner().Delete(ctx, keys, each);
  Look(ctx, status);
  return status;
}

Status WatchedStorage::Copy(const Context& ctx, std::string_view from, std::string_view to) {
  Status status = inner().Copy(ctx, from, to);
  Look(ctx, status);
  return status;
}

Result<UnfinishedPage> WatchedStorage::ListUnfinished(const Context& ctx, std::string_view prefix,
                                                      std::string_view page_token) {
  Result<UnfinishedPage> page = inner().ListUnfinished(ctx, prefix, page_token);
  Look(ctx, page.status());
  return page;
}

}  // namespace walrig
