/* SPDX-License-Identifier: MIT-0 */
/* The door of a plugin: one exported function that returns a static table.
 *
 * The host opens the file with RTLD_NOW | RTLD_LOCAL, looks up WALRIG_ENTRY_SYMBOL and calls it. [any thread, any
 * number of times, before init] The function has no side effects and always returns the same pointer. The module and
 * everything it points to lives as long as the process: a plugin is never unloaded.
 *
 * Order of calls: entry, init (once, main thread, before the host has other threads), then create / use / destroy from
 * any thread, then shutdown (once, main thread, after the last destroy, before static destructors). A plugin may not
 * export another symbol, start threads or change process state (signals, locale, environment, umask, working
 * directory) at load; nor may it fork, write to stdout, or set handlers at any time. */
#ifndef WALRIG_ABI_ENTRY_H
#define WALRIG_ABI_ENTRY_H

#include "walrig/abi/host.h"
#include "walrig/abi/options.h"
#include "walrig/abi/status.h"
#include "walrig/abi/version.h"

#define WALRIG_KIND_STORAGE 1u
#define WALRIG_KIND_COMPRESSOR 2u
#define WALRIG_KIND_CIPHER 3u
#define WALRIG_KIND_TRANSPORT 4u

/* A maker of instances of one kind and name. A plugin may have several. */
typedef struct walrig_factory {
  uint32_t struct_size;
  uint32_t kind;                 /* WALRIG_KIND_*; a host skips factories of kinds that it does not know */
  const char *name;              /* what users type: "s3"; [a-z][a-z0-9_-]* */
  const char *const *aliases;    /* other names, also URL schemes; NULL-terminated or NULL */
  const char *const *extensions; /* compressors: endings of object names, the first one is written; or NULL */
  const char *description;       /* one line */
  uint64_t caps;                 /* WALRIG_CAP_* of the kind; each set bit is a promise */
  const walrig_option *options;
  uint32_t option_count;
  uint32_t option_stride; /* sizeof(walrig_option) as the plugin was compiled */

  /* [any thread] On success *self is an instance, to be given to destroy() once. CONFIG names a bad option.
   * May be slow (it may connect), honours `op`. */
  walrig_status (*create)(const struct walrig_factory *, const walrig_host *, const walrig_config *, const walrig_op *,
                          void **self, walrig_error *);
  /* [any thread] After the last handle of the instance was closed. Takes 5 s at the most, cannot fail. */
  void (*destroy)(void *self);
  /* [any thread] A table of functions by id: "walrig.storage/1", "walrig.transform/1"; NULL when unknown. */
  const void *(*iface)(void *self, const char *iface_id);
} walrig_factory;

typedef struct walrig_module {
  uint32_t struct_size;
  uint32_t magic;                /* WALRIG_ABI_MAGIC */
  uint16_t abi_major, abi_minor; /* compiled against */
  uint16_t min_host_minor;       /* the oldest host minor that will do */
  uint16_t reserved0;
  uint64_t flags; /* none defined in 1.0 */
  const char *id; /* reverse domain: "org.example.walrig-tape" */
  const char *version;     /* semantic version */
  const char *description; /* one line */
  const char *url, *vendor;
  const char *license; /* SPDX expression */
  const char *build;   /* compiler and bundled libraries; no dates, no host names */
  const walrig_factory *const *factories; /* NULL-terminated */
  walrig_status (*init)(const walrig_host *, walrig_error *); /* may be NULL */
  void (*shutdown)(void);                                     /* may be NULL */
} walrig_module;

typedef const walrig_module *(*walrig_plugin_entry_fn)(void);

/* Sizes of the tables as of ABI 1.0: what a host checks as the floor. Up to a member, not sizeof: tables grow. */
#define WALRIG_MODULE_SIZE_1_0 (offsetof(walrig_module, shutdown) + sizeof(void (*)(void)))
#define WALRIG_FACTORY_SIZE_1_0 (offsetof(walrig_factory, iface) + sizeof(void (*)(void)))

#endif
