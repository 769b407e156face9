// Exchange: one request on one handle of libcurl, and what has come back so far. Internal to plugins/common/http.
//
// OWNS: nothing of libcurl but the list of headers; the lane owns the handle. THREADS: one at a time.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstdint>
#include <string>

#include "plugins/common/http/client.h"
#include "plugins/common/http/request.h"

namespace walrig {

class Exchange {
 public:
  Exchange(HttpRequest request, const HttpOptions& options, size_t body_bytes_max);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Sets all that the request says on a handle that was reset. FAILS WITH: kInvalidArgument, kNoMemory.
  Status Prepare(CURL* easy, const HttpOptions& options);
  // The transfer ended in libcurl's eyes. The answer's Status is in outcome().
  void End(CURLcode code);
  void Fail(Status status);

  CURL* easy() const noexcept { return easy_; }
  bool done() const noexcept { return done_; }
  const Status& outcome() const noexcept { return outcome_; }
  const HttpRequest& request() const noexcept { return request_; }
  HttpResponse& response() noexcept { return response_; }
  uint64_t stall_ns() const noexcept { return stall_ns_; }
  bool headers_done() const noexcept { return headers_done_; }
  // Changes whenever bytes move.
  uint64_t moved() const noexcept { return moved_; }

  // Streaming: bodies go to the buffer of the present Read, the rest waits here.
  void StreamBody() noexcept { streaming_ = true; }
  size_t TakeSpilled(MutableByteSpan buffer);
  // From now on bytes go straight into `buffer`, and the handle runs again if it was paused.
  void SetTarget(MutableByteSpan buffer);
  size_t EndTarget();
  size_t target_used() const noexcept { return target_used_; }

  uint64_t seen_moved = 0;    // the lane's notes for stalls
  uint64_t progress_ns = 0;

 private:
  static size_t OnHeader(char* bytes, size_t size, size_t count, void* self);
  static size_t OnBody(char* bytes, size_t size, size_t count, void* self);
  static size_t OnRead(char* buffer, size_t size, size_t count, void* self);
  static int OnSeek(void* self, curl_off_t offset, int origin);
  void Header(std::string_view line);
  size_t Body(ByteSpan bytes);
  size_t GiveUpload(MutableByteSpan buffer);
  Status SetHeaders(const HttpOptions& options);
  void SetMethod();
  Status FailureOf(CURLcode code);
  bool SentWhole() const;

  const HttpRequest request_;
  const size_t body_bytes_max_;
  const uint64_t stall_ns_;
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  HttpResponse response_;
  bool headers_done_ = false;
  bool done_ = false;
  Status outcome_;
  Status callback_failure_;
  uint64_t moved_ = 0;
  size_t piece_ = 0;         // of the body to send
  size_t piece_offset_ = 0;
  uint64_t sent_ = 0;
  bool streaming_ = false;
  bool paused_ = false;
  MutableByteSpan target_;
  size_t target_used_ = 0;
  std::string spill_;
  size_t spill_used_ = 0;
};

}  // namespace walrig
