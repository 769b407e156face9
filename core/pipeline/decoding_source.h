// DecodingSource: the plain bytes of a stored object: storage source -> opener -> decoder.
//
// Reads fill the caller's buffer whole unless the data end; the decoder writes straight into it. Give it buffers of
// kIoBufferBytes. The end (0) is only told after the stored object was read to its end and the formats' checksums
// and tags held, so who stops early has proven nothing.
// OWNS: the stored source and the machines. Borrows the codec's compressor and cipher. THREADS: as Source.
#pragma once

#include <memory>
#include <string>

#include "core/pipeline/codec.h"
#include "core/pipeline/object_form.h"
#include "walrig/stream.h"

namespace walrig {

class DecodingSource : public Source {
 public:
  // `name` is the object's, for messages.
  static Result<std::unique_ptr<DecodingSource>> New(const Codec& codec, std::unique_ptr<Source> stored, std::string name);

  // The same through one machine of the caller's, which begins where `stored` does.
  static std::unique_ptr<DecodingSource> Through(std::unique_ptr<Transform> machine, std::unique_ptr<Source> stored,
                                                 std::string name);

  // FAILS WITH: what the stored source fails with; kTruncated (the object ends early, or is empty although the codec has a
  // compressor or a cipher), kCorruption, kPermission (a wrong or missing key; encrypted, and no cipher is configured);
  // each names the object. An object that is not what the codec says is told as what it begins like.
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override;

  // Bytes taken from the stored object so far.
  uint64_t stored_bytes() const { return stored_bytes_; }

 private:
  // One machine with the buffer that feeds it.
  struct Stage {
    std::unique_ptr<Transform> machine;
    Buffer buffer;
    size_t begin = 0, end = 0;   // unread part of the buffer
    bool input_ended = false;
    bool ended = false;
  };

  DecodingSource(const Codec& codec, std::unique_ptr<Source> stored, std::string name);
  // Reads the object's first bytes and decides whether they fit the codec.
  Status Look(const Context& ctx);
  void DropOpener();
  Status Explain(Status status) const;
  Result<size_t> ReadStored(const Context& ctx, MutableByteSpan buffer);
  Result<size_t> ReadStage(const Context& ctx, size_t level, MutableByteSpan buffer);
  Status Fill(const Context& ctx, size_t level);

  const Codec codec_;
  std::unique_ptr<Source> stored_;
  std::string name_;
  std::string head_;        // the first bytes of the object, until they are given on
  bool looked_ = false;
  bool stored_ended_ = false;
  ObjectForm form_ = ObjectForm::kUnknown;
  bool any_plain_ = false;  // the first machine has given bytes
  Stage stages_[2];      // in the order of the data: opener, decoder
  size_t stage_count_ = 0;
  uint64_t stored_bytes_ = 0;
};

}  // namespace walrig
