/* SPDX-License-Identifier: MIT-0 */
/* "walrig.storage/1": a flat map from names to immutable objects.
 *
 * Every call is one attempt. Keys are bytes, parts separated by '/', relative to the instance's prefix; a key that
 * cannot be held is NAME_INVALID, never changed in silence. `self` may be used by many threads at once, a reader or a
 * writer by one at a time. Calls that take an op return CANCELLED within a second of cancellation. */
#ifndef WALRIG_ABI_STORAGE_H
#define WALRIG_ABI_STORAGE_H

#include "walrig/abi/host.h"
#include "walrig/abi/status.h"

#define WALRIG_IFACE_STORAGE_1 "walrig.storage/1"
#define WALRIG_UNKNOWN_SIZE UINT64_MAX
#define WALRIG_UNKNOWN_TIME INT64_MIN

#define WALRIG_CAP_ST_RANGE (1ull << 0)
#define WALRIG_CAP_ST_PUT_ABSENT (1ull << 1) /* WALRIG_PUT_IF_ABSENT is atomic among all writers */
#define WALRIG_CAP_ST_COPY (1ull << 2)
#define WALRIG_CAP_ST_DELIMITER (1ull << 3)
#define WALRIG_CAP_ST_LIST_SORTED (1ull << 4)
#define WALRIG_CAP_ST_READ_YOUR_WRITES (1ull << 5)
#define WALRIG_CAP_ST_LIST_YOUR_WRITES (1ull << 6)
#define WALRIG_CAP_ST_UNFINISHED (1ull << 7) /* offers "walrig.storage.unfinished/1", abi/unfinished.h */

#define WALRIG_OBJECT_PREFIX (1u << 0) /* a common prefix of a delimited list, not an object */

/* Given to a sink; everything in it lives until the sink returns. */
typedef struct walrig_object {
  uint32_t struct_size;
  uint32_t flags; /* WALRIG_OBJECT_* */
  walrig_bytes key;
  walrig_bytes etag; /* opaque; empty if none */
  uint64_t size;
  int64_t mtime_ns; /* since 1970 UTC, or WALRIG_UNKNOWN_TIME */
} walrig_object;
#define WALRIG_OBJECT_SIZE_1_0 (offsetof(walrig_object, mtime_ns) + sizeof(int64_t))

/* Called by the plugin on the calling thread; must not call the same instance. Nonzero: stop, no error. */
typedef int32_t (*walrig_object_sink)(void *ctx, const walrig_object *);

#define WALRIG_PUT_IF_ABSENT (1u << 0)

typedef struct walrig_put_opts {
  uint32_t struct_size;
  uint32_t flags;         /* WALRIG_PUT_* */
  uint64_t size;          /* or WALRIG_UNKNOWN_SIZE; a commit after another count is INVALID_ARG */
  uint64_t memory_budget; /* bytes the writer may buffer */
} walrig_put_opts;

typedef struct walrig_list_opts {
  uint32_t struct_size;
  uint32_t max_keys; /* a page; fewer is fine */
  walrig_bytes prefix, delimiter, start_after, page_token;
} walrig_list_opts;

typedef struct walrig_storage_v1 {
  uint32_t struct_size;
  uint32_t reserved0;

  /* One object to the sink, or NOT_FOUND. */
  walrig_status (*stat)(void *self, const walrig_op *, walrig_bytes key, walrig_object_sink, void *ctx,
                        walrig_error *);

  /* Opens [off, off+len), cut to the object; len WALRIG_UNKNOWN_SIZE reads to the end. NOT_FOUND comes from here.
   * if_match_etag, when not empty: PRECONDITION if the object has another etag by now. */
  walrig_status (*open_read)(void *self, const walrig_op *, walrig_bytes key, uint64_t off, uint64_t len,
                             walrig_bytes if_match_etag, void **reader, walrig_error *);
  /* OK with *got >= 1, or END with *got == 0 once the range was delivered whole. Short reads are fine. */
  walrig_status (*read)(void *reader, const walrig_op *, void *buf, size_t cap, size_t *got, walrig_error *);
  void (*close_read)(void *reader);

  /* Nothing is visible before commit returns OK; then the object is whole, durable, and replaced atomically. */
  walrig_status (*open_write)(void *self, const walrig_op *, walrig_bytes key, const walrig_put_opts *, void **writer,
                              walrig_error *);
  /* Takes all of it, or fails. */
  walrig_status (*write)(void *writer, const walrig_op *, const void *buf, size_t len, walrig_error *);
  walrig_status (*commit)(void *writer, const walrig_op *, walrig_error *);
  /* Frees the writer, always, also after commit; leaves nothing of what was not committed. */
  void (*close_write)(void *writer);

  /* One page to the sink. *token_len = 0: last page; else the token for the next one is in token_buf (capacity
   * token_cap; at least 2048 is given). An absent prefix is an empty page. */
  walrig_status (*list)(void *self, const walrig_op *, const walrig_list_opts *, walrig_object_sink, void *ctx,
                        void *token_buf, size_t token_cap, size_t *token_len, walrig_error *);

  /* Deletes n keys; each[i] gets OK (missing counts as deleted) or the error of key i. The returned status is of the
   * call as a whole. */
  walrig_status (*remove)(void *self, const walrig_op *, const walrig_bytes *keys, size_t n, walrig_status *each,
                          walrig_error *);

  /* May be NULL without WALRIG_CAP_ST_COPY. */
  walrig_status (*copy)(void *self, const walrig_op *, walrig_bytes src, walrig_bytes dst, walrig_error *);

  /* What this instance can do, of what its factory claims: WALRIG_CAP_ST_*. For what depends on options. Asked once, after
   * create. NULL, or a table that ends before it: all that the factory claims. */
  uint64_t (*caps)(void *self);
} walrig_storage_v1;
#define WALRIG_STORAGE_V1_SIZE_1_0 (offsetof(walrig_storage_v1, copy) + sizeof(void (*)(void)))

#endif
