/* SPDX-License-Identifier: MIT-0 */
/* "walrig.storage.unfinished/1": what writers began and did not end. Optional: a storage that offers it sets
 * WALRIG_CAP_ST_UNFINISHED, and a host that does not know it never asks.
 *
 * An upload takes room and is no object: a multipart upload, a temporary object, blocks without a list. Those of
 * living writers are left out where the plugin can tell; where it cannot, the host judges by `started_ns`. */
#ifndef WALRIG_ABI_UNFINISHED_H
#define WALRIG_ABI_UNFINISHED_H

#include "walrig/abi/host.h"
#include "walrig/abi/status.h"
#include "walrig/abi/storage.h"

#define WALRIG_IFACE_UNFINISHED_1 "walrig.storage.unfinished/1"

typedef struct walrig_unfinished {
  uint32_t struct_size;
  uint32_t flags;   /* none defined */
  walrig_bytes key; /* what it would have become */
  walrig_bytes id;  /* opaque; with the key it names the upload */
  uint64_t size;    /* stored so far, or WALRIG_UNKNOWN_SIZE */
  int64_t started_ns; /* since 1970 UTC, or WALRIG_UNKNOWN_TIME */
} walrig_unfinished;
#define WALRIG_UNFINISHED_SIZE_1_0 (offsetof(walrig_unfinished, started_ns) + sizeof(int64_t))

/* As walrig_object_sink: on the calling thread, must not call the same instance. Nonzero: stop, no error. */
typedef int32_t (*walrig_unfinished_sink)(void *ctx, const walrig_unfinished *);

typedef struct walrig_unfinished_v1 {
  uint32_t struct_size;
  uint32_t reserved0;

  /* One page of the uploads whose keys begin with the prefix, in no order. The token as in walrig_storage_v1.list. */
  walrig_status (*list)(void *self, const walrig_op *, walrig_bytes prefix, walrig_bytes page_token,
                        walrig_unfinished_sink, void *ctx, void *token_buf, size_t token_cap, size_t *token_len,
                        walrig_error *);

  /* Removes n uploads by key and id; uploads[i] stands at i * stride bytes. each[i] gets OK (one that is gone counts
   * as removed) or the error of upload i; CONFLICT for one that is known to be a living writer's. */
  walrig_status (*abort)(void *self, const walrig_op *, const walrig_unfinished *uploads, size_t n, size_t stride,
                         walrig_status *each, walrig_error *);
} walrig_unfinished_v1;
#define WALRIG_UNFINISHED_V1_SIZE_1_0 (offsetof(walrig_unfinished_v1, abort) + sizeof(void (*)(void)))

#endif
