/* SPDX-License-Identifier: MIT-0 */
/* What the host offers a plugin. The table lives as long as the process. Members after those of ABI 1.0 are tested
 * with WALRIG_HAS. No function here throws or unwinds. */
#ifndef WALRIG_ABI_HOST_H
#define WALRIG_ABI_HOST_H

#include "walrig/abi/status.h"
#include "walrig/abi/version.h"

#define WALRIG_LOG_TRACE 0
#define WALRIG_LOG_DEBUG 1
#define WALRIG_LOG_INFO 2
#define WALRIG_LOG_WARNING 3
#define WALRIG_LOG_ERROR 4

/* One call of the host into the plugin: deadline, cancellation, attempt. Valid until that call returns. */
typedef struct walrig_op walrig_op;
/* The checked options of one create() call. Valid until it returns. */
typedef struct walrig_config walrig_config;

typedef struct walrig_host {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor;
  const char *name, *version; /* of the host, for User-Agent and logs */

  /* [any thread] */
  int32_t (*log_enabled)(const struct walrig_host *, int32_t level);
  void (*log)(const struct walrig_host *, int32_t level, const char *area, const char *utf8, size_t len);

  /* [during create] Canonical option values. NOT_FOUND: not set and no default. Text is not NUL-terminated and lives
   * until create() returns. cfg_secret copies into the plugin's buffer and answers TOO_LARGE with the size needed in
   * *len when `cap` is too small; the plugin zeroes its copy when done. */
  walrig_status (*cfg_str)(const walrig_config *, const char *name, const char **out, size_t *len);
  walrig_status (*cfg_i64)(const walrig_config *, const char *name, int64_t *out);
  walrig_status (*cfg_u64)(const walrig_config *, const char *name, uint64_t *out); /* also SIZE, TIME, BOOL */
  walrig_status (*cfg_f64)(const walrig_config *, const char *name, double *out);
  walrig_status (*cfg_secret)(const walrig_config *, const char *name, void *buf, size_t cap, size_t *len);

  /* [during a call, any thread] `op` may be NULL: then never cancelled, no deadline. */
  int32_t (*op_cancelled)(const walrig_op *);
  int32_t (*op_cancel_fd)(const walrig_op *);     /* readable once cancelled; -1 if none; neither read nor close it */
  uint64_t (*op_deadline_ns)(const walrig_op *);  /* CLOCK_MONOTONIC; 0 = none */
  uint32_t (*op_attempt)(const walrig_op *);      /* 1 for the first */
  /* Asks leave to move `bytes` (dir: 0 read, 1 write). May block; CANCELLED or TIMEOUT end the call. */
  walrig_status (*op_throttle)(const walrig_op *, uint32_t dir, uint64_t bytes);

  /* [any thread] Counters of the plugin's own. Intern an id once, add often. Id 0 is ignored. */
  uint32_t (*metric_id)(const struct walrig_host *, const char *name, uint32_t type);
  void (*metric_add)(const struct walrig_host *, uint32_t id, double v);

  /* [any thread] Anything newer, by id such as "walrig.host.tempfile/1"; NULL when the host has none. */
  const void *(*service)(const struct walrig_host *, const char *service_id);
} walrig_host;

#endif
