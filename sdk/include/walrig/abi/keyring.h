/* SPDX-License-Identifier: MIT-0 */
/* "walrig.keyring/1": an optional interface of ciphers that make their own keys (walrig key).
 *
 * Works on the text of a key ring; files are the host's. C99. */
#ifndef WALRIG_ABI_KEYRING_H
#define WALRIG_ABI_KEYRING_H

#include <stddef.h>
#include <stdint.h>

#include "walrig/abi/status.h"

#define WALRIG_IFACE_KEYRING_1 "walrig.keyring/1"

#define WALRIG_KEYS_ADD 1    /* -> ring with one more key of the kind `argument` */
#define WALRIG_KEYS_ROTATE 2 /* -> ring with a new key to write with */
#define WALRIG_KEYS_LIST 3   /* -> lines "ID\tKIND\tCREATED\twrite|read" */
#define WALRIG_KEYS_PUBLIC 4 /* -> ring of the public halves */

typedef struct walrig_keyring_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* [instance: concurrent] Writes at most out_cap bytes and says in *out_len how many there are. E_TOO_LARGE with the
   * length that is needed; E_CONFIG for a ring or an argument that is wrong. No message holds a byte of a key. */
  walrig_status (*edit)(void *self, int32_t verb, const char *argument, const uint8_t *ring, size_t ring_len,
                        uint8_t *out, size_t out_cap, size_t *out_len, walrig_error *);
} walrig_keyring_v1;

#endif
