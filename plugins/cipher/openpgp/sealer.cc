#include "plugins/cipher/openpgp/sealer.h"

#include <rnp/rnp_err.h>

#include <utility>
#include <vector>

#include "plugins/cipher/openpgp/borrowed_ring.h"
#include "plugins/cipher/openpgp/library_thread.h"

namespace walrig::openpgp {
namespace {

bool ReadPlain(void* thread, void* to, size_t size_bytes, size_t* got) {
  return static_cast<LibraryThread*>(thread)->Read(to, size_bytes, got);
}
bool WriteSealed(void* thread, const void* from, size_t size_bytes) {
  return static_cast<LibraryThread*>(thread)->Write(from, size_bytes);
}

Status SealMessage(const KeyRing& ring, LibraryThread& thread) {
  WALRIG_ASSIGN(const std::vector<RnpKey> recipients, ring.Recipients());
  rnp_input_t raw_input = nullptr;
  WALRIG_TRY(RnpStatus(rnp_input_from_callback(&raw_input, ReadPlain, nullptr, &thread), "the input"));
  const RnpInput input(raw_input);
  rnp_output_t raw_output = nullptr;
  WALRIG_TRY(RnpStatus(rnp_output_to_callback(&raw_output, WriteSealed, nullptr, &thread), "the output"));
  const RnpOutput output(raw_output);
  rnp_op_encrypt_t op = nullptr;
  WALRIG_TRY(RnpStatus(rnp_op_encrypt_create(&op, ring.session(), raw_input, raw_output), "a message"));
  const RnpEncrypt owner(op);
  for (const RnpKey& key : recipients) {
    WALRIG_TRY(RnpStatus(rnp_op_encrypt_add_recipient(op, key.get()), "a recipient"));
  }
  // AEAD packets would be unreadable to WAL-G.
  WALRIG_TRY(RnpStatus(rnp_op_encrypt_set_aead(op, "None"), "the kind of protection"));
  WALRIG_TRY(RnpStatus(rnp_op_encrypt_set_cipher(op, RNP_ALGNAME_AES_256), "the cipher"));
  WALRIG_TRY(RnpStatus(rnp_op_encrypt_set_compression(op, "Uncompressed", 0), "the compression"));
  WALRIG_TRY(RnpStatus(rnp_op_encrypt_set_file_name(op, ""), "the file name"));
  WALRIG_TRY(RnpStatus(rnp_op_encrypt_set_file_mtime(op, 0), "the file time"));
  return RnpStatus(rnp_op_encrypt_execute(op), "encryption");
}

class Sealer final : public Transform {
 public:
  explicit Sealer(BorrowedRing ring) : ring_(std::move(ring)) { Begin(); }

  Result<Progress> Process(TransformIo& io, Directive directive) override {
    while (true) {
      io.out_used += thread_->Take(io.out.subspan(io.out_used));
      if (thread_->waiting() > 0) return Progress::kNeedOutput;
      ByteSpan rest = io.in.subspan(io.in_used);
      if (ended_ && !thread_->outcome().ok()) return thread_->outcome();
      if (ended_ && !rest.empty()) return InvalidArgument("openpgp: input after the end");
      if (ended_) return Progress::kEnd;
      const size_t given = thread_->Give(rest);
      io.in_used += given;
      rest = rest.subspan(given);
      const bool last = directive == Directive::kFinish && rest.empty();
      if (rest.empty() && !last) return Progress::kNeedInput;
      WALRIG_ASSIGN(const LibraryThread::Turn turn, thread_->Run(last));
      ended_ = turn == LibraryThread::Turn::kEnded;
    }
  }

  Status Reset() override {
    Begin();
    return OkStatus();
  }

 private:
  void Begin() {
    ended_ = false;
    thread_.reset();  // gives the ring free before the next one uses it
    thread_ = std::make_unique<LibraryThread>([this](LibraryThread& thread) { return SealMessage(*ring_, thread); },
                                              LibraryThread::kInBytes);
  }

  const BorrowedRing ring_;  // outlives the thread
  std::unique_ptr<LibraryThread> thread_;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<Transform>> NewSealer(std::shared_ptr<KeyRings> rings) {
  WALRIG_TRY(rings->MayWrite());
  WALRIG_ASSIGN(BorrowedRing ring, BorrowedRing::Take(std::move(rings), false));
  // Before the first byte: a key that has expired is not found out by half an object.
  WALRIG_ASSIGN(const std::vector<RnpKey> recipients, ring->Recipients());
  return std::unique_ptr<Transform>(std::make_unique<Sealer>(std::move(ring)));
}

}  // namespace walrig::openpgp
