// SPDX-License-Identifier: MIT-0
// TransformDoor: a walrig::Compressor or walrig::Cipher as the C table "walrig.transform/1".
//
// THREADS: as the table says; an instance by many, a stream by one at a time.
#pragma once

#include <memory>
#include <utility>

#include "walrig/abi/entry.h"
#include "walrig/abi/keyring.h"
#include "walrig/abi/seek.h"
#include "walrig/abi/transform.h"
#include "walrig/abi_status.h"
#include "walrig/cipher.h"
#include "walrig/compressor.h"
#include "walrig/sdk/guard.h"

namespace walrig::sdk {

// The values of Progress are those of the ABI, so a result crosses as it is.
static_assert(static_cast<int>(Progress::kEnd) == WALRIG_END);
static_assert(static_cast<int>(Progress::kNeedInput) == WALRIG_NEED_INPUT);
static_assert(static_cast<int>(Progress::kNeedOutput) == WALRIG_NEED_OUTPUT);
static_assert(static_cast<int>(Directive::kFinish) == WALRIG_FINISH);

// How the two kinds differ: what makes a machine of a direction, and what it may hold.
struct CompressorMaker {
  using Kind = Compressor;
  static Result<std::unique_ptr<Transform>> Make(Compressor& c, bool encode) {
    return encode ? c.NewEncoder() : c.NewDecoder();
  }
  static uint64_t MemoryBytes(const Compressor& c, bool encode) {
    return encode ? c.encoder_memory_bytes() : c.decoder_memory_bytes();
  }
};
struct CipherMaker {
  using Kind = Cipher;
  static Result<std::unique_ptr<Transform>> Make(Cipher& c, bool encode) {
    return encode ? c.NewSealer() : c.NewOpener();
  }
  static uint64_t MemoryBytes(const Cipher& c, bool) { return c.memory_bytes(); }
};

template <typename Maker>
class TransformDoor {
 public:
  struct Instance {
    std::unique_ptr<typename Maker::Kind> kind;
  };

  static const walrig_transform_v1* Table() noexcept {
    static constexpr walrig_transform_v1 kTable = {sizeof(walrig_transform_v1), 0, Open, Process, Reset, Close,
                                                   MemoryBound};
    return &kTable;
  }

 private:
  static typename Maker::Kind& Of(void* self) { return *static_cast<Instance*>(self)->kind; }

  static walrig_status Open(void* self, int32_t direction, void** stream, walrig_error* error) noexcept {
    return Guard(error, [&] {
      Result<std::unique_ptr<Transform>> machine = Maker::Make(Of(self), direction == WALRIG_ENCODE);
      if (!machine.ok()) return ToAbi(machine.status(), error);
      *stream = std::move(machine).value().release();
      return WALRIG_OK;
    });
  }

  static walrig_status Process(void* stream, walrig_io* io, walrig_error* error) noexcept {
    return Guard(error, [&]() -> walrig_status {
      io->in_used = 0;
      io->out_used = 0;
      if (io->directive < WALRIG_RUN || io->directive > WALRIG_FINISH) {
        return FillAbiError(error, Code::kInvalidArgument, "unknown directive");
      }
      TransformIo step{.in = {io->in, io->in_len}, .out = {io->out, io->out_cap}};
      Result<Progress> progress =
          static_cast<Transform*>(stream)->Process(step, static_cast<Directive>(io->directive));
      if (!progress.ok()) return ToAbi(progress.status(), error);
      io->in_used = step.in_used;
      io->out_used = step.out_used;
      return static_cast<walrig_status>(*progress);
    });
  }

  static walrig_status Reset(void* stream, walrig_error* error) noexcept {
    return Guard(error, [&] { return ToAbi(static_cast<Transform*>(stream)->Reset(), error); });
  }

  static void Close(void* stream) noexcept {
    GuardSilently([&] { delete static_cast<Transform*>(stream); });
  }

  static uint64_t MemoryBound(void* self, int32_t direction) noexcept {
    uint64_t bytes = 0;
    GuardSilently([&] { bytes = Maker::MemoryBytes(Of(self), direction == WALRIG_ENCODE); });
    return bytes;
  }
};

// The ranges of a walrig::Cipher as the C table "walrig.transform.seek/1".
class SeekDoor {
 public:
  static const walrig_seek_v1* Table() noexcept {
    static constexpr walrig_seek_v1 kTable = {sizeof(walrig_seek_v1), 0, OpenRange};
    return &kTable;
  }

 private:
  static_assert(kRangeHeadBytes == WALRIG_SEEK_HEAD_BYTES);

  static walrig_status OpenRange(void* self, const uint8_t* head, size_t head_len, uint64_t offset, uint64_t length,
                                 walrig_sealed_range* range, void** stream, walrig_error* error) noexcept {
    return Guard(error, [&] {
      Cipher& cipher = *static_cast<TransformDoor<CipherMaker>::Instance*>(self)->kind;
      SealedRange sealed;
      Result<std::unique_ptr<Transform>> machine = cipher.NewRangeOpener({head, head_len}, offset, length, &sealed);
      if (!machine.ok()) return ToAbi(machine.status(), error);
      range->offset = sealed.offset;
      range->length = sealed.length;
      range->skip = sealed.skip;
      *stream = std::move(machine).value().release();
      return WALRIG_OK;
    });
  }
};

// The keys of a walrig::Cipher as the C table "walrig.keyring/1".
class KeyringDoor {
 public:
  static const walrig_keyring_v1* Table() noexcept {
    static constexpr walrig_keyring_v1 kTable = {sizeof(walrig_keyring_v1), 0, Edit};
    return &kTable;
  }

 private:
  static walrig_status Edit(void* self, int32_t verb, const char* argument, const uint8_t* ring, size_t ring_len,
                            uint8_t* out, size_t out_cap, size_t* out_len, walrig_error* error) noexcept {
    return Guard(error, [&] {
      Cipher& cipher = *static_cast<TransformDoor<CipherMaker>::Instance*>(self)->kind;
      *out_len = 0;
      return ToAbi(cipher.EditKeys(static_cast<KeyVerb>(verb), argument, {ring, ring_len}, {out, out_cap}, out_len), error);
    });
  }
};

}  // namespace walrig::sdk
