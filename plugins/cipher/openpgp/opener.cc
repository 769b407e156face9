#include "plugins/cipher/openpgp/opener.h"

#include <rnp/rnp_err.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "plugins/cipher/openpgp/borrowed_ring.h"
#include "plugins/cipher/openpgp/framing.h"
#include "plugins/cipher/openpgp/library_thread.h"

namespace walrig::openpgp {
namespace {

bool ReadSealed(void* thread, void* to, size_t size_bytes, size_t* got) {
  return static_cast<LibraryThread*>(thread)->Read(to, size_bytes, got);
}
bool WritePlain(void* thread, const void* from, size_t size_bytes) {
  return static_cast<LibraryThread*>(thread)->Write(from, size_bytes);
}

// What librnp's verdict means for the object. Its codes tell little: most damage is RNP_ERROR_BAD_FORMAT or BAD_STATE.
Status Verdict(rnp_result_t code, rnp_op_verify_t op) {
  char* raw_mode = nullptr;
  char* raw_cipher = nullptr;
  bool valid = false;
  const rnp_result_t asked = rnp_op_verify_get_protection_info(op, &raw_mode, &raw_cipher, &valid);
  const RnpText mode_owner(raw_mode), cipher_owner(raw_cipher);
  const std::string_view mode = asked == RNP_SUCCESS && raw_mode != nullptr ? raw_mode : "none";
  const bool has_tag = mode == "cfb-mdc" || mode.starts_with("aead");
  if (code == RNP_SUCCESS && has_tag && valid) return OkStatus();
  switch (code) {
    case RNP_SUCCESS:
      return Corruption("openpgp: the object was changed: its integrity check (" + std::string(mode) +
                        ") does not hold");
    case RNP_ERROR_OUT_OF_MEMORY:
      return OutOfMemory("openpgp");
    case RNP_ERROR_NO_SUITABLE_KEY:
    case RNP_ERROR_DECRYPT_FAILED:
    case RNP_ERROR_BAD_PASSWORD:
    case RNP_ERROR_KEY_NOT_FOUND:
      return Corruption("openpgp: the key that the object names does not open it: the object is damaged");
    default:
      break;
  }
  const std::string why = std::string(" (") + rnp_result_to_string(code) + ")";
  if (has_tag && !valid) return Corruption("openpgp: the object was changed: its integrity check does not hold" + why);
  return Corruption("openpgp: the object is damaged" + why);
}

Status OpenMessage(const KeyRing& ring, LibraryThread& thread) {
  rnp_input_t raw_input = nullptr;
  WALRIG_TRY(RnpStatus(rnp_input_from_callback(&raw_input, ReadSealed, nullptr, &thread), "the input"));
  const RnpInput input(raw_input);
  rnp_output_t raw_output = nullptr;
  WALRIG_TRY(RnpStatus(rnp_output_to_callback(&raw_output, WritePlain, nullptr, &thread), "the output"));
  const RnpOutput output(raw_output);
  rnp_op_verify_t op = nullptr;
  WALRIG_TRY(RnpStatus(rnp_op_verify_create(&op, ring.session(), raw_input, raw_output), "a message"));
  const RnpVerify owner(op);
  // A signature inside proves nothing that the configuration asks for, and its key need not be here.
  WALRIG_TRY(RnpStatus(rnp_op_verify_set_flags(op, RNP_VERIFY_IGNORE_SIGS_ON_DECRYPT), "the signatures"));
  return Verdict(rnp_op_verify_execute(op), op);
}

class Opener final : public Transform {
 public:
  Opener(BorrowedRing ring, size_t hold_back_bytes) : ring_(std::move(ring)), hold_back_bytes_(hold_back_bytes) {
    Begin();
  }

  Result<Progress> Process(TransformIo& io, Directive directive) override {
    while (true) {
      if (releasing_) {
        io.out_used += thread_->Take(io.out.subspan(io.out_used));
        if (thread_->waiting() > 0) return Progress::kNeedOutput;
        if (input_ended_ && library_ended_) return Progress::kEnd;
        releasing_ = false;
      }
      WALRIG_TRY(TakeInput(io));
      const bool all_taken = io.in_used == io.in.size();
      const bool last = directive == Directive::kFinish && all_taken;
      if (all_taken && !last) return Progress::kNeedInput;
      if (last && !input_ended_) {
        WALRIG_TRY(framing_.End());
        input_ended_ = true;
      }
      if (!library_ended_) WALRIG_TRY(RunLibrary(last));
      if (library_ended_ && input_ended_) releasing_ = true;
    }
  }

  Status Reset() override {
    Begin();
    return OkStatus();
  }

 private:
  void Begin() {
    framing_ = MessageFraming();
    known_ = releasing_ = library_ended_ = input_ended_ = false;
    thread_.reset();  // gives the ring free before the next one uses it
    thread_ = std::make_unique<LibraryThread>([this](LibraryThread& thread) { return OpenMessage(*ring_, thread); },
                                              hold_back_bytes_);
  }

  // When the library has its message, what follows is only looked at.
  Status TakeInput(TransformIo& io) {
    ByteSpan rest = io.in.subspan(io.in_used);
    if (!library_ended_) rest = rest.first(std::min(rest.size(), thread_->room()));
    WALRIG_TRY(framing_.See(rest));
    if (!known_ && framing_.data_begun()) WALRIG_TRY(FindKey());
    if (!library_ended_) thread_->Give(rest);
    io.in_used += rest.size();
    return OkStatus();
  }

  Status FindKey() {
    known_ = true;
    if (ring_->CanOpen(framing_.recipients())) return OkStatus();
    std::string needed;
    if (std::all_of(framing_.recipients().begin(), framing_.recipients().end(), [](KeyId id) { return id == 0; })) {
      return NotSupported(
                 "openpgp: the object hides for which key it is encrypted, and librnp of this system tries none")
          .Hint("decrypt it with gpg, and store it anew without --throw-keyids or --hidden-recipient");
    }
    for (const KeyId id : framing_.recipients()) needed += (needed.empty() ? "" : " or ") + KeyIdText(id);
    return PermissionDenied("openpgp: the object is encrypted for key " + needed + ", and there are only " +
                            ring_->SecretKeyIds())
        .Hint("configure the secret key with that id, by WALG_PGP_KEY_PATH or WALG_PGP_KEY");
  }

  Status RunLibrary(bool last) {
    WALRIG_ASSIGN(const LibraryThread::Turn turn, thread_->Run(last));
    if (turn == LibraryThread::Turn::kHasOutput) releasing_ = true;
    if (turn != LibraryThread::Turn::kEnded) return OkStatus();
    library_ended_ = true;
    return thread_->outcome();
  }

  const BorrowedRing ring_;  // outlives the thread
  const size_t hold_back_bytes_;
  std::unique_ptr<LibraryThread> thread_;
  MessageFraming framing_;
  bool known_ = false;          // a key that opens it is there
  bool releasing_ = false;      // what waits may be given out
  bool library_ended_ = false;  // and its verdict was good
  bool input_ended_ = false;    // and the message was whole
};

}  // namespace

Result<std::unique_ptr<Transform>> NewOpener(std::shared_ptr<KeyRings> rings, size_t hold_back_bytes) {
  WALRIG_ASSIGN(BorrowedRing ring, BorrowedRing::Take(std::move(rings), true));
  return std::unique_ptr<Transform>(std::make_unique<Opener>(std::move(ring), hold_back_bytes));
}

}  // namespace walrig::openpgp
