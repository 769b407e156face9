// Service: the blob service as one container of it: builds requests, sends them, says what went wrong.
//
// OWNS: HTTP client and credential. THREADS: any.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/common/http/client.h"
#include "plugins/storage/azure/credential.h"
#include "plugins/storage/azure/location.h"

namespace walrig::azure {

struct ServiceOptions {
  std::string api_version = "2021-12-02";
  std::string access_tier;                  // "" leaves it to the account
  bool md5 = false;                         // send Content-MD5 instead of a CRC-64
  uint64_t block_bytes = 8u << 20;          // AZURE_BUFFER_SIZE
  uint32_t buffers_max = 4;                 // AZURE_MAX_BUFFERS
  uint32_t try_timeout_ms = 5 * 60'000;     // AZURE_TRY_TIMEOUT
};

using Query = std::vector<std::pair<std::string_view, std::string_view>>;

class Service {
 public:
  Service(Location location, ServiceOptions options, std::unique_ptr<HttpClient> client)
      : location_(std::move(location)), options_(std::move(options)), client_(std::move(client)) {}

  // Before any request; apart since some credentials ask through the same client.
  void Use(std::unique_ptr<Credential> credential) { credential_ = std::move(credential); }

  const Location& location() const noexcept { return location_; }
  const ServiceOptions& options() const noexcept { return options_; }
  HttpClient& client() noexcept { return *client_; }
  Credential& credential() noexcept { return *credential_; }

  // A blob's name from a key: the name is checked, and goes after the prefix. FAILS WITH: kNameInvalid.
  Result<std::string> NameOf(std::string_view key) const;

  HttpRequest BlobRequest(std::string_view method, std::string_view name, const Query& query = {}) const;
  HttpRequest ContainerRequest(std::string_view method, const Query& query) const;

  // Adds the headers that say "these bytes": a checksum that the service compares.
  void AddChecksum(ByteSpan body, HttpRequest* request) const;

  // Authorises, sends, and turns all but 2xx into a Status. `what` begins messages.
  Result<HttpResponse> Send(const Context& ctx, HttpRequest request, std::string_view what, size_t body_bytes_max = 1u << 20);
  // The same for an answer that came another way, whose request is known.
  Status ErrorOf(const HttpRequest& request, const HttpResponse& response, std::string_view what);
  Status Authorize(const Context& ctx, HttpRequest* request) { return credential_->Authorize(ctx, request); }

 private:
  HttpRequest NewRequest(std::string_view method, std::string url, const Query& query) const;

  const Location location_;
  const ServiceOptions options_;
  const std::unique_ptr<HttpClient> client_;
  std::unique_ptr<Credential> credential_;  // after the client, which it may borrow
};

}  // namespace walrig::azure
