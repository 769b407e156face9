#include "plugins/storage/gcs/storage.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/common/http/text.h"
#include "plugins/storage/gcs/reader.h"

namespace walrig::gcs {
namespace {

using http::PercentEncode;

constexpr uint32_t kKeysMax = 1000;
constexpr int kRewriteStepsMax = 100'000;  // each copies at least a megabyte; a server that never ends is stopped

}  // namespace

Result<std::string> GcsStorage::NameOf(std::string_view key) const {
  WALRIG_TRY(CheckKey(client_->place().prefix, key));
  return client_->place().prefix + std::string(key);
}

Result<ObjectInfo> GcsStorage::Stat(const Context& ctx, std::string_view key) {
  WALRIG_TRY(sdk::PollStop(ctx));
  WALRIG_ASSIGN(const std::string name, NameOf(key));
  WALRIG_ASSIGN(const HttpRequest request, client_->Request(ctx, "GET", client_->ObjectUrl(name), Csek::kObject));
  const Result<HttpResponse> answer = client_->Send(ctx, request, "stat " + name);
  if (!answer.ok()) return client_->Missing(ctx, answer.status());
  WALRIG_ASSIGN(RemoteObject object, ParseObject(answer->body));
  if (object.info.key != name) return ProtocolError(fmt::format("stat {}: the server describes another object", name));
  object.info.key = key;
  return std::move(object.info);
}

Result<std::unique_ptr<Source>> GcsStorage::Get(const Context& ctx, std::string_view key, const GetOptions& options) {
  WALRIG_TRY(sdk::PollStop(ctx));
  WALRIG_ASSIGN(const std::string name, NameOf(key));
  return OpenReader(ctx, *client_, name, options);
}

Result<std::unique_ptr<Sink>> GcsStorage::Put(const Context& ctx, std::string_view key, const PutOptions& options) {
  WALRIG_TRY(sdk::PollStop(ctx));
  WALRIG_ASSIGN(const std::string name, NameOf(key));
  return NewWriter(ctx, *client_, name, options, writer_);
}

Result<ListPage> GcsStorage::List(const Context& ctx, const ListOptions& options) {
  WALRIG_TRY(sdk::PollStop(ctx));
  const std::string& prefix = client_->place().prefix;
  std::string query = fmt::format("prefix={}&maxResults={}&fields=items(name,size,updated,generation,crc32c),prefixes,nextPageToken",
                                  PercentEncode(prefix + options.prefix), std::clamp<uint32_t>(options.keys_max, 1, kKeysMax));
  if (!options.delimiter.empty()) query += "&delimiter=" + PercentEncode(options.delimiter);
  if (!options.start_after.empty()) query += "&startOffset=" + PercentEncode(prefix + options.start_after);
  if (!options.page_token.empty()) query += "&pageToken=" + PercentEncode(options.page_token);
  WALRIG_ASSIGN(RemotePage page, client_->List(ctx, query));

  ListPage out;
  out.next_page_token = std::move(page.next_page_token);
  for (RemoteObject& object : page.items) {
    std::string& name = object.info.key;
    if (!name.starts_with(prefix + options.prefix)) return ProtocolError(fmt::format("the list has {}, which was not asked for", PrintableLine(name)));
    name.erase(0, prefix.size());
    // What stands below the prefix and is no key of ours (folders that consoles make, pieces of uploads) is not shown.
    if (CheckKey(prefix, name).ok() && name > options.start_after) out.entries.push_back(std::move(object.info));
  }
  for (std::string& name : page.prefixes) {
    if (!name.starts_with(prefix)) return ProtocolError(fmt::format("the list has {}, which was not asked for", PrintableLine(name)));
    name.erase(0, prefix.size());
    if (IsPiece(name) || name <= options.start_after) continue;
    ObjectInfo info;
    info.key = std::move(name);
    info.is_prefix = true;
    out.entries.push_back(std::move(info));
  }
  std::sort(out.entries.begin(), out.entries.end(), [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; });
  return out;
}

Status GcsStorage::Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) {
  each->assign(keys.size(), OkStatus());
  WALRIG_TRY(sdk::PollStop(ctx));
  std::vector<std::string> names;
  std::vector<size_t> where;
  for (size_t i = 0; i < keys.size(); ++i) {
    Result<std::string> name = NameOf(keys[i]);
    if (!name.ok()) {
      (*each)[i] = name.status();
      continue;
    }
    names.push_back(std::move(*name));
    where.push_back(i);
  }
  if (names.empty()) return OkStatus();
  std::vector<Status> answers;
  WALRIG_TRY(client_->Delete(ctx, names, &answers));
  for (size_t i = 0; i < where.size(); ++i) (*each)[where[i]] = std::move(answers[i]);
  return OkStatus();
}

Status GcsStorage::Copy(const Context& ctx, std::string_view from, std::string_view to) {
  WALRIG_ASSIGN(const std::string from_name, NameOf(from));
  WALRIG_ASSIGN(const std::string to_name, NameOf(to));
  const std::string what = fmt::format("copy {} to {}", from_name, to_name);
  const std::string url = client_->RewriteUrl(from_name, to_name);
  std::string token;
  for (int step = 0; step < kRewriteStepsMax; ++step) {
    WALRIG_TRY(sdk::PollStop(ctx));
    WALRIG_ASSIGN(const HttpRequest request,
                  client_->Request(ctx, "POST", token.empty() ? url : url + "?rewriteToken=" + PercentEncode(token), Csek::kCopy));
    WALRIG_ASSIGN(const HttpResponse answer, client_->Send(ctx, request, what));
    WALRIG_ASSIGN(RewriteState state, ParseRewrite(answer.body));
    if (state.done) return OkStatus();
    token = std::move(state.token);
  }
  return ProtocolError(what + ": the server never ends it");
}

}  // namespace walrig::gcs
