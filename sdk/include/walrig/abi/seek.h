/* SPDX-License-Identifier: MIT-0 */
/* "walrig.transform.seek/1": an optional interface of ciphers whose objects can be opened from the middle.
 *
 * C99. */
#ifndef WALRIG_ABI_SEEK_H
#define WALRIG_ABI_SEEK_H

#include <stddef.h>
#include <stdint.h>

#include "walrig/abi/status.h"

#define WALRIG_IFACE_SEEK_1 "walrig.transform.seek/1"

#define WALRIG_SEEK_HEAD_BYTES 4096u /* the host gives so many bytes of an object's beginning, or all it has */

typedef struct walrig_sealed_range {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t offset, length; /* in the stored object; may reach beyond its end */
  uint64_t skip;           /* of what the stream gives, so many bytes lie before what was asked for */
} walrig_sealed_range;

typedef struct walrig_seek_v1 {
  uint32_t struct_size;
  uint32_t reserved;
  /* [instance: concurrent] A stream that takes the stored bytes of *range, or as many as the object has of them, and gives
   * the plain bytes from `offset` on, `length` at least unless the object ends before; it is used and closed by the functions
   * of "walrig.transform/1". As there, no byte is given before its piece was authenticated, and an object that was cut
   * within the range is TRUNCATED or CORRUPT; what lies behind the range stays unproven. UNSUPPORTED, PERMISSION, CORRUPT and
   * TRUNCATED (of the head) as opening a whole object. */
  walrig_status (*open_range)(void *self, const uint8_t *head, size_t head_len, uint64_t offset, uint64_t length,
                              walrig_sealed_range *range, void **stream, walrig_error *);
} walrig_seek_v1;
#define WALRIG_SEEK_V1_SIZE_1_0 (offsetof(walrig_seek_v1, open_range) + sizeof(void (*)(void)))

#endif
