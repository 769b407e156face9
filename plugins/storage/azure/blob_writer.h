// BlobWriter: one object on its way up.
//
// What fits one block goes by Put Blob at Commit. More goes by Put Block, several at once, and Put Block List at Commit
// makes it one blob. Blocks that no list names are no object: nobody sees them, and the service drops them after a week;
// hence Abort has nothing to remove. Another commit of the same name meanwhile throws our blocks away: then Commit fails
// with kConflict, retryable.
//
// What fails and may be tried again fails resumably: a block that the service did not take is kept, and the repeated
// call sends it again under its number; so it goes with the list and with Put Blob. Not after kConflict.
//
// OWNS: buffers, and requests in flight. Borrows the service. THREADS: one at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugins/storage/azure/block_id.h"
#include "plugins/storage/azure/block_plan.h"
#include "plugins/storage/azure/service.h"
#include "walrig/storage.h"

namespace walrig::azure {

class BlobWriter final : public Sink {
 public:
  // FAILS WITH: kTooLarge.
  static Result<std::unique_ptr<Sink>> Open(const Context& ctx, Service& service, std::string name,
                                            const PutOptions& options);
  ~BlobWriter() override;

  Status Write(const Context& ctx, ByteSpan bytes) override;
  Status Commit(const Context& ctx) override;
  void Abort() noexcept override;

 private:
  // One that the service has not said to have.
  struct Block {
    Buffer bytes;
    size_t size_bytes = 0;
    std::string checksum;  // of what was sent, as the header has it
    HttpRequest request;   // without the body: to understand a refusal
    bool running = false;  // false: it failed
  };

  BlobWriter(Service& service, std::string name, const PutOptions& options, BlockPlan plan, WriterId id)
      : service_(service), name_(std::move(name)), options_(options), plan_(plan), id_(id) {}

  // Ends the upload with an error after which it cannot go on.
  Status Final(Status status);
  Status Take(const Context& ctx, ByteSpan bytes);
  // Makes current_ a buffer for the next block, once there is room for one.
  Status NextBuffer(const Context& ctx);
  // Sends what is in the buffer as the next block.
  Status EndBlock(const Context& ctx);
  Status StartBlock(const Context& ctx, uint32_t number, Block& block);
  Status StartFailed(const Context& ctx);
  // Waits until at most `running_max` blocks are in flight, or one failed.
  Status WaitUntil(const Context& ctx, size_t running_max);
  Status Landed(HttpBatch::Done done);
  Status BlockOutcome(const Block& block, Result<HttpResponse> response);
  // All blocks, the last one included, are stored when this succeeds.
  Status SendRest(const Context& ctx);
  Status CommitOnce(const Context& ctx);
  Status PutWhole(const Context& ctx);
  Status PutList(const Context& ctx);
  void AddObjectHeaders(HttpRequest* request) const;
  // What a failed commit means: for put-if-absent, and whether it can be repeated.
  Status CommitError(Status status) const;
  std::string What(std::string_view verb) const { return std::string(verb) + " " + name_; }

  Service& service_;
  const std::string name_;
  const PutOptions options_;
  const BlockPlan plan_;
  const WriterId id_;
  Buffer current_;
  size_t filled_ = 0;
  uint64_t written_bytes_ = 0;
  size_t taken_of_call_ = 0;  // by a Write that failed resumably, and is to be repeated with the same bytes
  uint32_t blocks_ = 0;
  std::unique_ptr<HttpBatch> batch_;
  std::map<uint32_t, Block> unstored_;  // by number; must outlive what batch_ has of it
  std::vector<Buffer> spare_;
  bool list_unknown_ = false;  // a Put Block List ended with outcome_unknown
  bool ended_ = false;
};

}  // namespace walrig::azure
