/* SPDX-License-Identifier: MIT-0 */
/* The options schema: what a factory can be told. The host parses, checks and completes what the user wrote and hands
 * over canonical text; a plugin reads it with walrig_host.cfg_* during create() and never parses user input. */
#ifndef WALRIG_ABI_OPTIONS_H
#define WALRIG_ABI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#define WALRIG_OPT_STRING 1u
#define WALRIG_OPT_BOOL 2u /* canonical "true" or "false" */
#define WALRIG_OPT_INT 3u
#define WALRIG_OPT_UINT 4u
#define WALRIG_OPT_FLOAT 5u
#define WALRIG_OPT_SIZE 6u /* "8MiB"; canonical: bytes, decimal */
#define WALRIG_OPT_TIME 7u /* "30s"; canonical: nanoseconds, decimal */
#define WALRIG_OPT_ENUM 8u /* one of choices */
#define WALRIG_OPT_PATH 9u
#define WALRIG_OPT_LIST 10u /* comma-separated */

#define WALRIG_OPTF_REQUIRED (1u << 0)
#define WALRIG_OPTF_SECRET (1u << 1) /* never logged, refused in argv, read with cfg_secret; has no default */
#define WALRIG_OPTF_ADVANCED (1u << 2)
#define WALRIG_OPTF_DEPRECATED (1u << 3)
#define WALRIG_OPTF_TEST_ONLY (1u << 4)

/* Lives as long as the module. Pointers may be NULL unless said otherwise; lists end with a NULL. */
typedef struct walrig_option {
  uint32_t struct_size;
  uint32_t type;  /* WALRIG_OPT_* */
  uint32_t flags; /* WALRIG_OPTF_* */
  uint32_t reserved0;
  const char *name;               /* never NULL; [a-z][a-z0-9_]* */
  const char *const *aliases;     /* other names the user may type */
  const char *const *settings;    /* settings that supply the value, first one set wins: "WALG_FILE_PREFIX" */
  const char *default_text;       /* NULL = no default */
  const char *const *choices;     /* for ENUM */
  const char *min_text;           /* in the syntax of a value */
  const char *max_text;
  const char *help;               /* never NULL; the first sentence stands alone */
  const char *group;
  const char *replaced_by;        /* with DEPRECATED */
} walrig_option;

#define WALRIG_OPTION_SIZE_1_0 (offsetof(walrig_option, replaced_by) + sizeof(const char *))

#endif
