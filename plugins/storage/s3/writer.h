// S3Writer: an object being written: one PUT when it is small, else a multipart upload with parts in parallel.
//
// Bytes wait in blocks within the memory budget until their part is stored. Parts move while the caller is in Write or
// Commit. A part that fails retryably is kept: the error is resumable, and the next call sends it again. Nothing is
// visible before Commit; Abort, or a writer that was not committed, removes the upload.
//
// A part begins at a quarter of the budget (at least 5 MiB, at most max_part_size) and grows as there are more, so that
// 10 000 are enough.
// OWNS: blocks and connections. THREADS: one at a time; the client must outlive it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/common/http/digest.h"
#include "plugins/storage/s3/blocks.h"
#include "plugins/storage/s3/client.h"
#include "walrig/storage.h"

namespace walrig::s3 {

inline constexpr uint64_t kPartsMax = 10'000;
inline constexpr uint64_t kPartBytesMin = 5u << 20;
// For removing an upload that failed, whatever the deadline of its call was.
inline constexpr uint64_t kAbortNs = 5'000'000'000;

// How large part `number` (from 1) is to be.
uint64_t PartBytes(uint64_t number, uint64_t size_bytes, uint64_t budget_bytes, uint64_t part_bytes_max);

// Headers of a new object: storage class, encryption, tags, retention. `copy_source` adds the customer's key of the
// source of a copy; `part`: only what each part needs.
HttpHeaders ObjectHeaders(const Settings& settings, int64_t wall_ns);
HttpHeaders CustomerKeyHeaders(const Settings& settings, bool copy_source = false);

class S3Writer final : public Sink {
 public:
  S3Writer(S3Client& client, std::string key, const PutOptions& options);
  ~S3Writer() override;
  Status Write(const Context& ctx, ByteSpan bytes) override;
  Status Commit(const Context& ctx) override;
  void Abort() noexcept override;

 private:
  struct Part {
    uint64_t number = 0;
    uint64_t size_bytes = 0;
    std::vector<uint8_t*> blocks;
    uint32_t crc = 0;
    std::string sha256;  // hex, over plain HTTP
    std::string etag, checksum;
    bool running = false, stored = false;
    std::vector<ByteSpan> Pieces() const;
  };

  Status TakeBytes(const Context& ctx, ByteSpan* bytes);
  Status EndPart(const Context& ctx);
  void CloseCurrent();
  Status Create(const Context& ctx);
  Status StartPart(const Context& ctx, Part& part);
  Status RestartFailed(const Context& ctx);
  Status Pump(const Context& ctx, bool wait);
  Status Stored(const Context& ctx, Part& part, const HttpResponse& response);
  Status CheckStored(const HttpResponse& response, uint32_t crc, const std::string& what) const;
  static Status Gone(Status status);
  Status PutWhole(const Context& ctx);
  Status Complete(const Context& ctx);
  std::string CompleteBody() const;
  size_t RunningMax() const;
  Status Final(Status status);
  HttpHeaders ChecksumHeader(uint32_t crc) const;

  S3Client& client_;
  const std::string key_;
  const PutOptions options_;
  const bool hashes_;   // SHA-256 is wanted, since the payload is signed
  Blocks blocks_;
  std::map<uint64_t, Part> parts_;
  Part current_;
  uint64_t current_max_ = 0;
  size_t block_used_ = 0;
  std::optional<http::Digester> sha256_;
  std::unique_ptr<HttpBatch> batch_;
  std::string upload_id_;
  bool full_object_crc_ = false;
  uint32_t crc_ = 0;
  uint64_t written_bytes_ = 0;
  size_t taken_of_call_ = 0;  // by a call that failed resumably
  bool complete_unknown_ = false;
  bool ended_ = false;
};

}  // namespace walrig::s3
