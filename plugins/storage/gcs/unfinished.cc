// Uploads that were begun and not ended: what stands below `*_chunks/`, ours and WAL-G's. Sessions cannot be listed; they
// end by themselves after a week and cost nothing.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "plugins/common/http/text.h"
#include "plugins/storage/gcs/storage.h"

namespace walrig::gcs {
namespace {

constexpr int kPagesMax = 100'000;

std::string FolderOf(std::string_view root, std::string_view key, std::string_view upload) {
  return fmt::format("{}{}{}{}{}", root, key, kChunksMark, upload, upload.empty() ? "" : "/");
}

}  // namespace

Result<UnfinishedPage> GcsStorage::ListUnfinished(const Context& ctx, std::string_view prefix, std::string_view page_token) {
  WALRIG_TRY(sdk::PollStop(ctx));
  const std::string& root = client_->place().prefix;
  std::string query = fmt::format("prefix={}&fields=items(name,size,updated,generation),nextPageToken",
                                  http::PercentEncode(root + std::string(prefix)));
  if (!page_token.empty()) query += "&pageToken=" + http::PercentEncode(page_token);
  WALRIG_ASSIGN(RemotePage page, client_->List(ctx, query));

  UnfinishedPage out;
  out.next_page_token = std::move(page.next_page_token);
  std::map<std::pair<std::string, std::string>, size_t> known;
  for (const RemoteObject& object : page.items) {
    if (!object.info.key.starts_with(root)) return ProtocolError("the list has what was not asked for");
    const std::string_view name = std::string_view(object.info.key).substr(root.size());
    if (!IsPiece(name)) continue;
    const PieceName piece = SplitPiece(name);
    if (client_->UploadLives(FolderOf(root, piece.key, piece.upload))) continue;
    const auto [at, fresh] = known.try_emplace({std::string(piece.key), std::string(piece.upload)}, out.entries.size());
    if (fresh) {
      out.entries.push_back({.key = std::string(piece.key), .id = std::string(piece.upload),
                             .started_ns = UploadStartNs(piece.upload), .size_bytes = 0});
    }
    UnfinishedUpload& upload = out.entries[at->second];
    upload.size_bytes += object.info.size_bytes;
    const int64_t time = object.info.mtime_ns;
    if (UploadStartNs(piece.upload) == kUnknownTime && (upload.started_ns == kUnknownTime || time < upload.started_ns)) upload.started_ns = time;
  }
  return out;
}

Status GcsStorage::AbortOne(const Context& ctx, const UnfinishedUpload& upload) {
  const std::string& root = client_->place().prefix;
  WALRIG_TRY(CheckKey(root, upload.key));
  if (!upload.id.empty()) WALRIG_TRY(CheckKey(root, upload.id));
  const std::string folder = FolderOf(root, upload.key, upload.id);
  if (client_->UploadLives(folder)) return Unavailable(fmt::format("the upload of {} is still written", upload.key));
  for (int pages = 0; pages < kPagesMax; ++pages) {
    WALRIG_TRY(sdk::PollStop(ctx));
    // Always from the beginning: what was listed is gone then. WAL-G's pieces stand beside the folders of ours.
    const std::string query = fmt::format("prefix={}&fields=items(name,size,updated,generation),nextPageToken{}", http::PercentEncode(folder),
                                          upload.id.empty() ? "&delimiter=%2F" : "");
    WALRIG_ASSIGN(const RemotePage page, client_->List(ctx, query));
    if (page.items.empty()) return OkStatus();
    std::vector<std::string> names;
    for (const RemoteObject& object : page.items) {
      if (!object.info.key.starts_with(folder)) return ProtocolError("the list has what was not asked for");
      names.push_back(object.info.key);
    }
    std::vector<Status> each;
    WALRIG_TRY(client_->Delete(ctx, names, &each));
    for (const Status& status : each) WALRIG_TRY(status);
    if (page.next_page_token.empty()) return OkStatus();
  }
  return ProtocolError("the list of pieces never ends");
}

Status GcsStorage::AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads, std::vector<Status>* each) {
  each->assign(uploads.size(), OkStatus());
  for (size_t i = 0; i < uploads.size(); ++i) (*each)[i] = AbortOne(ctx, uploads[i]);
  return OkStatus();
}

}  // namespace walrig::gcs
