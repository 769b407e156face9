// Client: requests to one bucket, with their authorization, and answers as values or as errors that say what they mean.
//
// One call is one exchange. OWNS: connections and tokens. THREADS: any.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/http/client.h"
#include "plugins/common/http/response.h"
#include "plugins/storage/gcs/answers.h"
#include "plugins/storage/gcs/place.h"
#include "plugins/storage/gcs/tokens.h"

namespace walrig::gcs {

struct ClientOptions {
  Place place;
  std::string endpoint;    // "https://storage.googleapis.com"
  std::string csek_base64;  // AES-256 key that the server forgets; "" for none
  std::string user_project;  // who pays; "" for the credentials' quota project
};

enum class Csek { kNone, kObject, kCopy };

class Client {
 public:
  static Result<std::unique_ptr<Client>> New(ClientOptions options, Credentials credentials, HttpOptions http);
  ~Client();

  const Place& place() const { return options_.place; }
  HttpClient& http() { return *http_; }
  bool has_csek() const { return !options_.csek_base64.empty(); }

  // ".../o/NAME", NAME being the whole name in the bucket.
  std::string ObjectUrl(std::string_view name) const;
  std::string BucketUrl() const;   // ".../storage/v1/b/BUCKET"
  std::string UploadUrl() const;   // ".../upload/storage/v1/b/BUCKET/o"
  std::string BatchUrl() const;
  std::string RewriteUrl(std::string_view from, std::string_view to) const;
  // The path of an object for a batch.
  std::string ObjectPath(std::string_view name) const;
  // Where an upload goes on: the path of the Location that the server named, always at our endpoint: a token never goes
  // to another host, and a proxy in between stays there. FAILS WITH: kProtocol.
  Result<std::string> SessionUrl(std::string_view location) const;

  // With Authorization, x-goog-user-project and the key.
  Result<HttpRequest> Request(const Context& ctx, std::string_view method, std::string url, Csek csek);
  // `what` begins the message: "stat wal_005/x". A status that is not 2xx is an error.
  Result<HttpResponse> Send(const Context& ctx, const HttpRequest& request, std::string_view what);
  // As HttpStatusError, with what the API says in its body.
  Status ErrorOf(const HttpRequest& request, int status, const HttpHeaders& headers, std::string_view body, std::string_view what);

  // A bucket that is missing answers for its objects as if they were: what was kNotFound is kConfig then.
  Status Missing(const Context& ctx, Status status);

  // Removes by whole names; each[i] is OK also when there was none. The status is of the call as such.
  Status Delete(const Context& ctx, std::span<const std::string> names, std::vector<Status>* each);
  Result<RemotePage> List(const Context& ctx, std::string_view query);

  // Uploads of writers of ours that live, by the names of their folders: they are not unfinished.
  void UploadBegan(const std::string& folder);
  void UploadEnded(const std::string& folder);
  bool UploadLives(const std::string& folder);

 private:
  Client(ClientOptions options, std::unique_ptr<HttpClient> http);
  Status DeleteBatch(const Context& ctx, std::span<const std::string> names, std::span<Status> each);
  Status DeleteOne(const Context& ctx, const std::string& name);

  const ClientOptions options_;
  std::string csek_sha256_;
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<Tokens> tokens_;
  std::mutex mutex_;
  std::shared_ptr<const Token> last_;  // guarded by mutex_, as below: what the last request carried
  std::set<std::string> living_;
  std::atomic<bool> bucket_seen_{false};
};


}  // namespace walrig::gcs
