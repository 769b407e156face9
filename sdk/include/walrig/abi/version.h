/* SPDX-License-Identifier: MIT-0 */
/* Version of the walrig plugin ABI, and how its tables grow.
 *
 * Tables grow at their end only, in minor versions; a member is never moved, retyped, removed or given another
 * meaning. Whoever reads a table asks WALRIG_HAS for members younger than 1.0. Larger additions are named interfaces
 * ("walrig.storage.multipart/1"). A new major has a new entry symbol and a plugin directory of its own. */
#ifndef WALRIG_ABI_VERSION_H
#define WALRIG_ABI_VERSION_H

#include <stddef.h>
#include <stdint.h>

#define WALRIG_ABI_MAJOR 1u
#define WALRIG_ABI_MINOR 0u
#define WALRIG_ABI_MAGIC 0x57524947u /* "WRIG" */
#define WALRIG_ENTRY_SYMBOL "walrig_plugin_entry_v1"

/* True when the table at p is long enough to have member m, and m is set. */
#define WALRIG_HAS(p, type, m) \
  ((p) != NULL && (size_t)(p)->struct_size >= offsetof(type, m) + sizeof((p)->m) && (p)->m)

#if defined(__GNUC__)
#define WALRIG_EXPORT __attribute__((visibility("default")))
#else
#define WALRIG_EXPORT
#endif

#endif
