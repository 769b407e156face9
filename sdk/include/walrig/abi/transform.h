/* SPDX-License-Identifier: MIT-0 */
/* "walrig.transform/1": push machines that turn bytes into other bytes: compressors and ciphers.
 *
 * `self` may be used by many threads at once, a stream by one at a time. No input or output, no threads, no log in the
 * hot path. A stream is right with buffers of one byte. */
#ifndef WALRIG_ABI_TRANSFORM_H
#define WALRIG_ABI_TRANSFORM_H

#include "walrig/abi/status.h"

#define WALRIG_IFACE_TRANSFORM_1 "walrig.transform/1"

#define WALRIG_CAP_TF_ENCODE (1ull << 0)
#define WALRIG_CAP_TF_DECODE (1ull << 1)
#define WALRIG_CAP_TF_CONCATENABLE (1ull << 2) /* streams in a row decode to their contents in a row */
#define WALRIG_CAP_TF_DETERMINISTIC (1ull << 3) /* same input, same options: same output */

#define WALRIG_ENCODE 0 /* compress, seal */
#define WALRIG_DECODE 1 /* decompress, open */

#define WALRIG_RUN 0
#define WALRIG_FLUSH 1
#define WALRIG_FINISH 2

typedef struct walrig_io {
  uint32_t struct_size;
  int32_t directive; /* WALRIG_RUN, _FLUSH, _FINISH */
  const uint8_t *in;
  size_t in_len, in_used; /* in_used is set by the callee */
  uint8_t *out;
  size_t out_cap, out_used; /* out_used is set by the callee */
} walrig_io;

typedef struct walrig_transform_v1 {
  uint32_t struct_size;
  uint32_t reserved0;

  /* UNSUPPORTED when the factory lacks the capability. */
  walrig_status (*open)(void *self, int32_t direction, void **stream, walrig_error *);

  /* NEED_INPUT: all input was taken and all output given (after FLUSH: everything can be decoded so far).
   * NEED_OUTPUT: out is full; call again with room. END: only after FINISH, the stream is complete.
   * A byte of input (or FINISH) and a byte of room always make progress. Decoders answer CORRUPT, TRUNCATED (FINISH in
   * mid-stream) or TOO_LARGE (beyond memory_bound); a cipher gives no byte before its piece was authenticated. */
  walrig_status (*process)(void *stream, walrig_io *, walrig_error *);

  /* Back to the state after open, keeping memory. */
  walrig_status (*reset)(void *stream, walrig_error *);

  /* Frees the stream; key material is zeroed. */
  void (*close)(void *stream);

  /* The most bytes one stream of this direction holds: a promise. */
  uint64_t (*memory_bound)(void *self, int32_t direction);
} walrig_transform_v1;
#define WALRIG_TRANSFORM_V1_SIZE_1_0 (offsetof(walrig_transform_v1, memory_bound) + sizeof(void (*)(void)))

#endif
