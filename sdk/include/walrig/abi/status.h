/* SPDX-License-Identifier: MIT-0 */
/* Status codes and the error record of the walrig plugin ABI, major 1.
 *
 * A function of the ABI returns a walrig_status: 0, a small positive value that steers the flow, or a negative error.
 * Details go into a walrig_error that the caller allocates; it holds no pointers, so nothing has to be freed. A code
 * that the host does not know counts as WALRIG_E_INTERNAL; only WALRIG_EF_RETRYABLE permits a retry, so codes may be
 * added in a minor version. One call is one attempt: the host retries, a plugin never does. */
#ifndef WALRIG_ABI_STATUS_H
#define WALRIG_ABI_STATUS_H

#include <stddef.h>
#include <stdint.h>

typedef int32_t walrig_status; /* never an enum: its size is not fixed */

#define WALRIG_OK 0
#define WALRIG_END 1         /* read: end of the data; transform: the stream is complete */
#define WALRIG_NEED_INPUT 2  /* transform only */
#define WALRIG_NEED_OUTPUT 3 /* transform only */

#define WALRIG_E_INTERNAL (-1)
#define WALRIG_E_CANCELLED (-2)
#define WALRIG_E_TIMEOUT (-3)
#define WALRIG_E_NOT_FOUND (-4)
#define WALRIG_E_EXISTS (-5)       /* put-if-absent lost */
#define WALRIG_E_PRECONDITION (-6) /* etag or generation differs */
#define WALRIG_E_PERMISSION (-7)
#define WALRIG_E_UNAUTHENTICATED (-8)
#define WALRIG_E_INVALID_ARG (-9)
#define WALRIG_E_CONFIG (-10) /* the message names the option */
#define WALRIG_E_UNSUPPORTED (-11)
#define WALRIG_E_UNAVAILABLE (-12)
#define WALRIG_E_THROTTLED (-13)
#define WALRIG_E_NO_SPACE (-14)
#define WALRIG_E_CORRUPT (-15) /* a checksum or an authentication tag does not hold */
#define WALRIG_E_TOO_LARGE (-16)
#define WALRIG_E_CONFLICT (-17)
#define WALRIG_E_READ_ONLY (-18)
#define WALRIG_E_NAME_INVALID (-19)
#define WALRIG_E_NO_MEMORY (-20)
#define WALRIG_E_IO (-21)
#define WALRIG_E_PROTOCOL (-22)
#define WALRIG_E_TRUNCATED (-23)

#define WALRIG_EF_RETRYABLE (1u << 0)       /* the same call may succeed later */
#define WALRIG_EF_OUTCOME_UNKNOWN (1u << 1) /* the effect may have happened */
#define WALRIG_EF_RECREATE (1u << 2)        /* the instance is broken: destroy it and create another */
#define WALRIG_EF_AUTH_REFRESH (1u << 3)    /* credentials have to be fetched anew */
#define WALRIG_EF_RESUMABLE (1u << 4)       /* write, commit: the same call on the same writer goes on where it failed;
                                             * only together with RETRYABLE */

/* Caller sets struct_size and zeroes the rest; callee writes at most struct_size bytes, and only on failure. */
typedef struct walrig_error {
  uint32_t struct_size;
  walrig_status code;
  uint32_t flags;          /* WALRIG_EF_* */
  uint32_t retry_after_ms; /* what the other side asked for; 0 = nothing */
  int32_t os_errno;
  int32_t native_code;   /* HTTP status or a library's code */
  char native_name[64];  /* NUL-terminated, "SlowDown" */
  char request_id[128];  /* NUL-terminated */
  char message[512];     /* NUL-terminated UTF-8, lower case, no full stop, never a secret */
} walrig_error;

/* Bytes owned by somebody else. `ptr` may be NULL when `len` is 0. */
typedef struct walrig_bytes {
  const void *ptr;
  size_t len;
} walrig_bytes;

#endif
