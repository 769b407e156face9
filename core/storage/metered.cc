#include "core/storage/metered.h"

#include <string>

namespace walrig {

namespace {

void Count(const Context& ctx, const char* name, const char* op, double value) {
  ctx.metrics->Add(std::string(name) + "{op=\"" + op + "\"}", value);
}

// Runs one call and counts it.
template <typename Call>
auto Metered(const Context& ctx, const char* op, Call&& call) -> decltype(call()) {
  if (ctx.metrics == nullptr) return call();
  const uint64_t begin_ns = ctx.clock->MonotonicNs();
  auto result = call();
  Count(ctx, "walrig_storage_calls_total", op, 1);
  if (!result.ok()) Count(ctx, "walrig_storage_failures_total", op, 1);
  Count(ctx, "walrig_storage_seconds_total", op, static_cast<double>(ctx.clock->MonotonicNs() - begin_ns) / 1e9);
  return result;
}

class MeteredSource final : public Source {
 public:
  explicit MeteredSource(std::unique_ptr<Source> source) : source_(std::move(source)) {}
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
    Result<size_t> got = source_->Read(ctx, buffer);
    if (ctx.metrics != nullptr && got.ok()) {
      Count(ctx, "walrig_storage_bytes_total", "get", static_cast<double>(*got));
    }
    return got;
  }

 private:
  std::unique_ptr<Source> source_;
};

class MeteredSink final : public Sink {
 public:
  explicit MeteredSink(std::unique_ptr<Sink> sink) : sink_(std::move(sink)) {}
  Status Write(const Context& ctx, ByteSpan bytes) override {
    Status status = sink_->Write(ctx, bytes);
    if (ctx.metrics != nullptr && status.ok()) {
      Count(ctx, "walrig_storage_bytes_total", "put", static_cast<double>(bytes.size()));
    }
    return status;
  }
  Status Commit(const Context& ctx) override {
    return Metered(ctx, "commit", [&] { return sink_->Commit(ctx); });
  }
  void Abort() noexcept override { sink_->Abort(); }

 private:
  std::unique_ptr<Sink> sink_;
};

}  // namespace

Result<ObjectInfo> MeteredStorage::Stat(const Context& ctx, std::string_view key) {
  return Metered(ctx, "stat", [&] { return inner().Stat(ctx, key); });
}

Result<std::unique_ptr<Source>> MeteredStorage::Get(const Context& ctx, std::string_view key,
                                                    const GetOptions& options) {
  auto source = Metered(ctx, "get", [&] { return inner().Get(ctx, key, options); });
  if (!source.ok() || ctx.metrics == nullptr) return source;
  return std::unique_ptr<Source>(std::make_unique<MeteredSource>(std::move(*source)));
}

Result<std::unique_ptr<Sink>> MeteredStorage::Put(const Context& ctx, std::string_view key,
                                                  const PutOptions& options) {
  auto sink = Metered(ctx, "put", [&] { return inner().Put(ctx, key, options); });
  if (!sink.ok() || ctx.metrics == nullptr) return sink;
  return std::unique_ptr<Sink>(std::make_unique<MeteredSink>(std::move(*sink)));
}

Result<ListPage> MeteredStorage::List(const Context& ctx, const ListOptions& options) {
  return Metered(ctx, "list", [&] { return inner().List(ctx, options); });
}

Status MeteredStorage::Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) {
  return Metered(ctx, "delete", [&] { return inner().Delete(ctx, keys, each); });
}

Status MeteredStorage::Copy(const Context& ctx, std::string_view from, std::string_view to) {
  return Metered(ctx, "copy", [&] { return inner().Copy(ctx, from, to); });
}

Result<UnfinishedPage> MeteredStorage::ListUnfinished(const Context& ctx, std::string_view prefix,
                                             std::string_view page_token) {
  return Metered(ctx, "list_unfinished", [&] { return inner().ListUnfinished(ctx, prefix, page_token); });
}

Status MeteredStorage::AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                              std::vector<Status>* each) {
  return Metered(ctx, "abort_unfinished", [&] { return inner().AbortUnfinished(ctx, uploads, each); });
}

}  // namespace walrig
