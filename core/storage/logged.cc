#include "core/storage/logged.h"

#include <fmt/format.h>

#include "core/base/status_of.h"

namespace walrig {

namespace {

constexpr std::string_view kArea = "storage";

// Runs one call and writes its line.
template <typename Call>
auto Logged(const Context& ctx, std::string_view op, std::string_view key, Call&& call) -> decltype(call()) {
  if (!ctx.log->Enabled(LogLevel::kDebug)) return call();
  const uint64_t begin_ns = ctx.clock->MonotonicNs();
  auto result = call();
  const double ms = static_cast<double>(ctx.clock->MonotonicNs() - begin_ns) / 1e6;
  ctx.log->Write(LogLevel::kDebug, kArea,
                 fmt::format("{} {} (attempt {}): {} in {:.1f} ms", op, key, ctx.attempt,
                             result.ok() ? std::string("ok") : StatusOf(result).ToString(), ms));
  return result;
}

class LoggedSink final : public Sink {
 public:
  LoggedSink(std::unique_ptr<Sink> sink, std::string key) : sink_(std::move(sink)), key_(std::move(key)) {}
  Status Write(const Context& ctx, ByteSpan bytes) override {
    bytes_ += bytes.size();
    return sink_->Write(ctx, bytes);
  }
  Status Commit(const Context& ctx) override {
    return Logged(ctx, fmt::format("commit {} bytes of", bytes_), key_, [&] { return sink_->Commit(ctx); });
  }
  void Abort() noexcept override { sink_->Abort(); }

 private:
  std::unique_ptr<Sink> sink_;
  const std::string key_;
  uint64_t bytes_ = 0;
};

}  // namespace

Result<ObjectInfo> LoggedStorage::Stat(const Context& ctx, std::string_view key) {
  return Logged(ctx, "stat", key, [&] { return inner().Stat(ctx, key); });
}

Result<std::unique_ptr<Source>> LoggedStorage::Get(const Context& ctx, std::string_view key,
                                                   const GetOptions& options) {
  return Logged(ctx, options.offset == 0 ? "get" : "get a range of", key, [&] { return inner().Get(ctx, key, options); });
}

Result<std::unique_ptr<Sink>> LoggedStorage::Put(const Context& ctx, std::string_view key, const PutOptions& options) {
  auto sink = Logged(ctx, options.only_if_absent ? "put if absent" : "put", key,
                     [&] { return inner().Put(ctx, key, options); });
  if (!sink.ok() || !ctx.log->Enabled(LogLevel::kDebug)) return sink;
  return std::unique_ptr<Sink>(std::make_unique<LoggedSink>(std::move(*sink), std::string(key)));
}

Result<ListPage> LoggedStorage::List(const Context& ctx, const ListOptions& options) {
  return Logged(ctx, "list", options.prefix, [&] { return inner().List(ctx, options); });
}

Status LoggedStorage::Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) {
  const std::string what = keys.size() == 1 ? keys.front() : fmt::format("{} keys", keys.size());
  return Logged(ctx, "delete", what, [&] { return inner().Delete(ctx, keys, each); });
}

Status LoggedStorage::Copy(const Context& ctx, std::string_view from, std::string_view to) {
  return Logged(ctx, "copy", fmt::format("{} to {}", from, to), [&] { return inner().Copy(ctx, from, to); });
}

Result<UnfinishedPage> LoggedStorage::ListUnfinished(const Context& ctx, std::string_view prefix,
                                             std::string_view page_token) {
  return Logged(ctx, "list unfinished", prefix, [&] { return inner().ListUnfinished(ctx, prefix, page_token); });
}

Status LoggedStorage::AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                              std::vector<Status>* each) {
  const std::string what = uploads.size() == 1 ? uploads.front().key : fmt::format("{} uploads", uploads.size());
  return Logged(ctx, "abort unfinished", what, [&] { return inner().AbortUnfinished(ctx, uploads, each); });
}

}  // namespace walrig
