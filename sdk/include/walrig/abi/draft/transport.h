/* SPDX-License-Identifier: MIT-0 */
/* DRAFT "walrig.x-draft.transport/1": connections with several byte streams. May change without notice until catchup
 * uses it; see walrig/abi/version.h for what stable tables promise.
 *
 * Channels of a connection are independent: one that is not read from must not stall the others. */
#ifndef WALRIG_ABI_DRAFT_TRANSPORT_H
#define WALRIG_ABI_DRAFT_TRANSPORT_H

#include "walrig/abi/host.h"
#include "walrig/abi/status.h"

#define WALRIG_IFACE_TRANSPORT_DRAFT_1 "walrig.x-draft.transport/1"

typedef struct walrig_transport_draft_v1 {
  uint32_t struct_size;
  uint32_t reserved0;
  walrig_status (*connect)(void *self, const walrig_op *, walrig_bytes endpoint, void **conn, walrig_error *);
  walrig_status (*listen)(void *self, const walrig_op *, walrig_bytes endpoint, void **listener, walrig_error *);
  walrig_status (*accept)(void *listener, const walrig_op *, void **conn, walrig_error *);
  walrig_status (*open_channel)(void *conn, const walrig_op *, walrig_bytes label, void **ch, walrig_error *);
  walrig_status (*accept_channel)(void *conn, const walrig_op *, void **ch, walrig_error *);
  walrig_status (*read)(void *ch, const walrig_op *, void *buf, size_t cap, size_t *got, walrig_error *);
  walrig_status (*write)(void *ch, const walrig_op *, const void *buf, size_t len, size_t *put, walrig_error *);
  walrig_status (*shutdown_write)(void *ch, const walrig_op *, walrig_error *);
  void (*close_channel)(void *ch);
  walrig_status (*close_conn)(void *conn, const walrig_op *, walrig_error *);
  void (*close_listener)(void *listener);
} walrig_transport_draft_v1;

#endif
