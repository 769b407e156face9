#include "core/storage/retrying.h"

#include <fmt/format.h>

#include "core/base/status_of.h"
#include "core/storage/backoff.h"
#include "core/storage/retrying_sink.h"
#include "core/storage/retrying_source.h"

namespace walrig {

namespace {

// An object can be replaced between the Stat that pins it and the Get; more often than this it is not an accident.
constexpr int kPinsMax = 3;

// Repeats `call(ctx)` while it fails retryably.
template <typename Call>
auto Repeat(const Context& ctx, const RetryPolicy& policy, uint64_t seed, std::string_view what, Call&& call)
    -> decltype(call(ctx)) {
  auto result = call(ctx);
  if (result.ok() || !StatusOf(result).retryable()) return result;
  Backoff backoff(policy, seed);
  while (!result.ok()) {
    if (Status status = backoff.Again(ctx, StatusOf(result), what); !status.ok()) return status;
    result = call(backoff.Attempt(ctx));
  }
  return result;
}

}  // namespace

RetryingStorage::RetryingStorage(std::unique_ptr<Storage> storage, const RetryPolicy& policy, uint64_t seed)
    : StorageWrapper(std::move(storage)), policy_(policy), seed_(seed) {}
RetryingStorage::RetryingStorage(Storage& storage, const RetryPolicy& policy, uint64_t seed)
    : StorageWrapper(storage), policy_(policy), seed_(seed) {}

Result<ObjectInfo> RetryingStorage::Stat(const Context& ctx, std::string_view key) {
  return Repeat(ctx, policy_, NextSeed(), fmt::format("stat {}", key),
                [&](const Context& attempt) { return inner().Stat(attempt, key); });
}

Result<std::unique_ptr<Source>> RetryingStorage::Get(const Context& ctx, std::string_view key,
                                                     const GetOptions& options) {
  const bool pin = policy_.pin_etag && capabilities().range;
  for (int pins = 1;; pins++) {
    RetryingSource::Origin origin{.attempts = inner(), .policy = policy_, .seed = NextSeed(), .key = std::string(key),
                                  .options = options, .pinned = std::nullopt};
    if (pin) {
      WALRIG_ASSIGN(origin.pinned, Stat(ctx, key));
      if (options.if_match_etag.empty()) origin.options.if_match_etag = origin.pinned->etag;
    }
    auto source = Repeat(ctx, policy_, NextSeed(), fmt::format("get {}", key),
                         [&](const Context& attempt) { return inner().Get(attempt, key, origin.options); });
    if (!source.ok()) {
      const bool replaced = source.status().code() == Code::kPreconditionFailed && options.if_match_etag.empty();
      if (replaced && pins < kPinsMax) continue;
      return source;
    }
    return std::unique_ptr<Source>(std::make_unique<RetryingSource>(std::move(origin), std::move(*source)));
  }
}

Result<std::unique_ptr<Sink>> RetryingStorage::Put(const Context& ctx, std::string_view key,
                                                   const PutOptions& options) {
  auto sink = Repeat(ctx, policy_, NextSeed(), fmt::format("put {}", key),
                     [&](const Context& attempt) { return inner().Put(attempt, key, options); });
  if (!sink.ok()) return sink;
  RetryingSink::Target target{.attempts = inner(), .retrying = *this, .policy = policy_, .seed = NextSeed(),
                              .key = std::string(key), .options = options};
  return std::unique_ptr<Sink>(std::make_unique<RetryingSink>(std::move(target), std::move(*sink)));
}

Result<ListPage> RetryingStorage::List(const Context& ctx, const ListOptions& options) {
  return Repeat(ctx, policy_, NextSeed(), fmt::format("list {}", options.prefix),
                [&](const Context& attempt) { return inner().List(attempt, options); });
}

Status RetryingStorage::Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) {
  each->assign(keys.size(), OkStatus());
  std::vector<size_t> pending(keys.size());
  for (size_t i = 0; i < keys.size(); i++) pending[i] = i;
  Backoff backoff(policy_, NextSeed());
  while (true) {
    std::vector<std::string> rest;
    for (size_t i : pending) rest.push_back(keys[i]);
    std::vector<Status> answers;
    Status failure = inner().Delete(backoff.Attempt(ctx), rest, &answers);
    const bool call_failed = !failure.ok();
    if (!call_failed && answers.size() != rest.size()) {
      return Internal(fmt::format("the storage answered for {} of {} deleted keys", answers.size(), rest.size()));
    }
    std::vector<size_t> again;
    for (size_t i = 0; i < pending.size(); i++) {
      Status& answer = (*each)[pending[i]];
      answer = call_failed ? failure : std::move(answers[i]);
      if (!answer.retryable()) continue;
      again.push_back(pending[i]);
      if (failure.ok()) failure = answer;
    }
    if (again.empty()) return call_failed ? failure : OkStatus();
    pending = std::move(again);
    Status pause = backoff.Again(ctx, failure, fmt::format("delete {} keys", pending.size()));
    if (pause.ok()) continue;
    // Single keys that failed are told in `each`; the call as such worked.
    const bool stopped = pause.code() != failure.code();
    return call_failed || stopped ? pause : OkStatus();
  }
}

Status RetryingStorage::Copy(const Context& ctx, std::string_view from, std::string_view to) {
  return Repeat(ctx, policy_, NextSeed(), fmt::format("copy {} to {}", from, to),
                [&](const Context& attempt) { return inner().Copy(attempt, from, to); });
}

Result<UnfinishedPage> RetryingStorage::ListUnfinished(const Context& ctx, std::string_view prefix,
                                             std::string_view page_token) {
  return Repeat(ctx, policy_, NextSeed(), fmt::format("list unfinished uploads of {}", prefix),
                [&](const Context& attempt) { return inner().ListUnfinished(attempt, prefix, page_token); });
}

Status RetryingStorage::AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                              std::vector<Status>* each) {
  // Removing what is gone is a success, so the whole call may be repeated. What a single upload said stands.
  return Repeat(ctx, policy_, NextSeed(), fmt::format("abort {} unfinished uploads", uploads.size()),
                [&](const Context& attempt) { return inner().AbortUnfinished(attempt, uploads, each); });
}

}  // namespace walrig
