#include "plugins/storage/azure/credential.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "plugins/common/http/digest.h"
#include "plugins/common/http/text.h"
#include "plugins/common/http/token.h"
#include "plugins/storage/azure/shared_key.h"
#include "walrig/sdk/config_reader.h"

namespace walrig::azure {
namespace {

constexpr int64_t kCopySasNs = 24ll * 3600 * 1'000'000'000;

class SharedKey final : public Credential {
 public:
  SharedKey(const Location& location, std::string raw) : location_(location), key_({raw.begin(), raw.end()}) {
    sdk::Secret::WipeBytes(raw.data(), raw.size());
  }

  Status Authorize(const Context& ctx, HttpRequest* request) override {
    request->headers.emplace_back("x-ms-date", http::HttpDate(ctx.clock->WallNs()));
    WALRIG_ASSIGN(const std::string text, StringToSign(*request, location_.account));
    request->headers.emplace_back(
        "Authorization", fmt::format("SharedKey {}:{}", location_.account, SignText(key_.bytes(), text)));
    return OkStatus();
  }

  Result<CopySource> SourceOf(const Context& ctx, std::string_view name) override {
    const std::string query = MakeReadSas(key_.bytes(), {.account = location_.account,
                                                         .container = location_.container,
                                                         .name = name,
                                                         .expires_ns = ctx.clock->WallNs() + kCopySasNs,
                                                         .https_only = location_.tls});
    return CopySource{location_.BlobUrl(name) + "?" + query, ""};
  }

 private:
  const Location location_;
  const sdk::Secret key_;
};

class Sas final : public Credential {
 public:
  Sas(const Location& location, std::string_view query) : location_(location), query_({query.begin(), query.end()}) {}

  Status Authorize(const Context&, HttpRequest* request) override {
    request->url += request->url.find('?') == std::string::npos ? '?' : '&';
    request->url += query_.bytes();
    return OkStatus();
  }

  Result<CopySource> SourceOf(const Context&, std::string_view name) override {
    return CopySource{fmt::format("{}?{}", location_.BlobUrl(name), query_.bytes()), ""};
  }

 private:
  const Location location_;
  const sdk::Secret query_;
};

class Bearer final : public Credential {
 public:
  Bearer(const Location& location, TokenFetch fetch) : location_(location), cache_(std::move(fetch)) {}

  Status Authorize(const Context& ctx, HttpRequest* request) override {
    WALRIG_ASSIGN(const auto token, Current(ctx));
    request->headers.emplace_back("x-ms-date", http::HttpDate(ctx.clock->WallNs()));
    request->headers.emplace_back("Authorization", "Bearer " + token->text);
    return OkStatus();
  }

  Result<CopySource> SourceOf(const Context& ctx, std::string_view name) override {
    WALRIG_ASSIGN(const auto token, Current(ctx));
    return CopySource{location_.BlobUrl(name), "Bearer " + token->text};
  }

  bool Refused(const HttpRequest& request) override {
    const std::string_view used = FindHeader(request.headers, "Authorization");
    const std::lock_guard lock(mutex_);
    if (current_ == nullptr || used != "Bearer " + current_->text) return true;  // there is a newer one already
    // A second token in a row that is refused lacks a role: a third would, too.
    if (refused_last_.exchange(true)) return false;
    cache_.Refused(std::exchange(current_, nullptr));
    return true;
  }

  void Accepted() override { refused_last_ = false; }

 private:
  Result<std::shared_ptr<const BearerToken>> Current(const Context& ctx) {
    WALRIG_ASSIGN(std::shared_ptr<const BearerToken> token, cache_.Get(ctx));
    const std::lock_guard lock(mutex_);
    current_ = token;
    return token;
  }

  const Location location_;
  TokenCache<BearerToken> cache_;
  std::atomic<bool> refused_last_{false};
  std::mutex mutex_;
  std::shared_ptr<const BearerToken> current_;  // guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<Credential>> SharedKeyCredential(const Location& location, std::string_view key) {
  Result<std::string> raw = http::Base64Decode(key);
  if (!raw.ok() || raw->empty()) {
    return ConfigError("the storage account's key is not base64").Hint("copy AZURE_STORAGE_ACCESS_KEY from the portal");
  }
  return std::unique_ptr<Credential>(std::make_unique<SharedKey>(location, std::move(raw).value()));
}

Result<std::unique_ptr<Credential>> SasCredential(const Location& location, std::string_view token) {
  if (token.starts_with('?')) token.remove_prefix(1);
  const bool clean = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~' && c != '#'; });
  if (!clean || (!token.starts_with("sig=") && token.find("&sig=") == std::string_view::npos)) {
    return ConfigError("the shared access signature is none: it has no sig=").Hint("see AZURE_STORAGE_SAS_TOKEN");
  }
  if (!location.tls && !location.loopback) {
    return ConfigError("a shared access signature would travel in clear text").Hint("use an https endpoint");
  }
  return std::unique_ptr<Credential>(std::make_unique<Sas>(location, token));
}

Result<std::unique_ptr<Credential>> TokenCredential(const Location& location, TokenFetch fetch) {
  if (!location.tls && !location.loopback) {
    return ConfigError("a token would travel in clear text").Hint("use an https endpoint");
  }
  return std::unique_ptr<Credential>(std::make_unique<Bearer>(location, std::move(fetch)));
}

}  // namespace walrig::azure
