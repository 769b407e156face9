/* SPDX-License-Identifier: MIT-0 */
/* All of the stable plugin ABI, for plugins written in C. C99; also C++. */
#ifndef WALRIG_ABI_PLUGIN_H
#define WALRIG_ABI_PLUGIN_H

#include "walrig/abi/entry.h"
#include "walrig/abi/host.h"
#include "walrig/abi/options.h"
#include "walrig/abi/seek.h"
#include "walrig/abi/status.h"
#include "walrig/abi/storage.h"
#include "walrig/abi/transform.h"
#include "walrig/abi/unfinished.h"
#include "walrig/abi/version.h"

/* WALRIG_PLUGIN_NOTE("abi=1.0;min=0;id=...;version=...;license=...;provides=storage:x") emits the ELF note by which a
 * plugin is known without running its code: section .note.walrig.plugin, owner "walrig-plugin", type 1. It survives
 * strip. Once per plugin, at file scope. */
#define WALRIG_NOTE_OWNER "walrig-plugin"
#define WALRIG_NOTE_TYPE 1u
#define WALRIG_PLUGIN_NOTE(text)                                                                       \
  static const struct {                                                                                \
    uint32_t namesz, descsz, type;                                                                     \
    char owner[16]; /* "walrig-plugin" and padding to a multiple of 4 */                               \
    char desc[(sizeof(text) + 3u) & ~3u];                                                              \
  } walrig_plugin_note_ __attribute__((used, aligned(4), section(".note.walrig.plugin"))) = {          \
      sizeof(WALRIG_NOTE_OWNER), sizeof(text), WALRIG_NOTE_TYPE, WALRIG_NOTE_OWNER, text}

#endif
