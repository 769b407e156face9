/* SPDX-License-Identifier: MIT-0 */
/* Small plugins for the tests of the plugin room. What a copy does is chosen when it is compiled: TEST_* below. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "walrig/abi/plugin.h"

#define TEST_REST "id=org.example.test;version=1.2.3;license=MIT-0;provides=compressor:copy,storage:one"
#if defined(TEST_MAJOR_NOTE)
#define TEST_NOTE "abi=2.0;min=0;" TEST_REST
#elif defined(TEST_OTHER_NOTE)
#define TEST_NOTE "abi=1.0;id=org.example.other;version=9"
#else
#define TEST_NOTE "abi=1.0;min=0;" TEST_REST
#endif
#ifndef TEST_MAJOR
#define TEST_MAJOR WALRIG_ABI_MAJOR
#endif
#ifndef TEST_MINOR
#define TEST_MINOR WALRIG_ABI_MINOR
#endif
#ifndef TEST_MIN_HOST
#define TEST_MIN_HOST 0
#endif
WALRIG_PLUGIN_NOTE(TEST_NOTE);

static walrig_status Fail(walrig_error *error, walrig_status code, const char *text) {
  error->code = code;
  strncpy(error->message, text, sizeof error->message - 1);
  return code;
}

/* A compressor that changes nothing; one stream is one byte of state. */
static walrig_status Open(void *self, int32_t direction, void **stream, walrig_error *error) {
  (void)self, (void)direction, (void)error;
  *stream = malloc(1);
  return WALRIG_OK;
}
static walrig_status Process(void *stream, walrig_io *io, walrig_error *error) {
  (void)stream;
  const size_t n = io->in_len < io->out_cap ? io->in_len : io->out_cap;
  if (n != 0 && io->in[0] == '!') return Fail(error, WALRIG_E_CORRUPT, "an exclamation mark");
  if (n != 0) memcpy(io->out, io->in, n);
  io->in_used = io->out_used = n;
  if (n < io->in_len) return WALRIG_NEED_OUTPUT;
  return io->directive == WALRIG_FINISH ? WALRIG_END : WALRIG_NEED_INPUT;
}
static walrig_status Reset(void *stream, walrig_error *error) {
  (void)stream, (void)error;
  return WALRIG_OK;
}
static uint64_t Bound(void *self, int32_t direction) {
  (void)self;
  return direction == WALRIG_ENCODE ? 11 : 22;
}
static const walrig_transform_v1 kTransform = {sizeof kTransform, 0, Open, Process, Reset, free, Bound};

/* A storage of one object, whose key is "one". */
typedef struct {
  char bytes[64];
  size_t length;
  int there;
} One;
typedef struct {
  One *store;
  char bytes[64];
  size_t length, at;
} Handle;

static int IsOne(walrig_bytes key) { return key.len == 3 && memcmp(key.ptr, "one", 3) == 0; }
static walrig_status Stat(void *self, const walrig_op *op, walrig_bytes key, walrig_object_sink sink, void *ctx,
                          walrig_error *error) {
  One *store = self;
  (void)op;
  if (!IsOne(key) || !store->there) return Fail(error, WALRIG_E_NOT_FOUND, "no such object");
  walrig_object object;
  memset(&object, 0, sizeof object);
#ifdef TEST_LIES
  object.struct_size = 8;
#else
  object.struct_size = sizeof object;
#endif
  object.key = key;
#ifdef TEST_HUGE
  object.key.len = SIZE_MAX;
#endif
  object.size = store->length;
  object.mtime_ns = 77;
  sink(ctx, &object);
  return WALRIG_OK;
}
static walrig_status OpenRead(void *self, const walrig_op *op, walrig_bytes key, uint64_t off, uint64_t len,
                              walrig_bytes etag, void **reader, walrig_error *error) {
  One *store = self;
  (void)op, (void)len, (void)etag;
  if (!IsOne(key) || !store->there) return Fail(error, WALRIG_E_NOT_FOUND, "no such object");
  Handle *handle = calloc(1, sizeof *handle);
  memcpy(handle->bytes, store->bytes, store->length);
  handle->length = store->length;
  handle->at = (size_t)off;
  *reader = handle;
  return WALRIG_OK;
}
static walrig_status Read(void *reader, const walrig_op *op, void *buf, size_t cap, size_t *got, walrig_error *error) {
  Handle *handle = reader;
  (void)op, (void)error;
  if (handle->at >= handle->length) return WALRIG_END;
  *got = handle->length - handle->at < cap ? handle->length - handle->at : cap;
  memcpy(buf, handle->bytes + handle->at, *got);
  handle->at += *got;
#ifdef TEST_LIES
  return WALRIG_END;
#else
  return WALRIG_OK;
#endif
}
static walrig_status OpenWrite(void *self, const walrig_op *op, walrig_bytes key, const walrig_put_opts *opts,
                               void **writer, walrig_error *error) {
  One *store = self;
  (void)op;
  if (!IsOne(key)) return Fail(error, WALRIG_E_NAME_INVALID, "there is only one");
  if (store->there && (opts->flags & WALRIG_PUT_IF_ABSENT) != 0) return Fail(error, WALRIG_E_EXISTS, "it is there");
  Handle *handle = calloc(1, sizeof *handle);
  handle->store = store;
  *writer = handle;
  return WALRIG_OK;
}
static walrig_status Write(void *writer, const walrig_op *op, const void *buf, size_t len, walrig_error *error) {
  Handle *handle = writer;
  (void)op;
  if (handle->length + len > sizeof handle->bytes) {
    error->flags = WALRIG_EF_RETRYABLE | WALRIG_EF_OUTCOME_UNKNOWN;
    error->retry_after_ms = 250;
    error->native_code = 507;
    return Fail(error, WALRIG_E_NO_SPACE, "more than 64 bytes; hint: write less");
  }
  memcpy(handle->bytes + handle->length, buf, len);
  handle->length += len;
  return WALRIG_OK;
}
static walrig_status Commit(void *writer, const walrig_op *op, walrig_error *error) {
  Handle *handle = writer;
  (void)op, (void)error;
  memcpy(handle->store->bytes, handle->bytes, handle->length);
  handle->store->length = handle->length;
  handle->store->there = 1;
  return WALRIG_OK;
}
static walrig_status List(void *self, const walrig_op *op, const walrig_list_opts *opts, walrig_object_sink sink,
                          void *ctx, void *token, size_t cap, size_t *token_len, walrig_error *error) {
  One *store = self;
  (void)token, (void)cap, (void)opts;
  *token_len = 0;
  if (!store->there) return WALRIG_OK;
  walrig_bytes key = {"one", 3};
  return Stat(store, op, key, sink, ctx, error);
}
static walrig_status Remove(void *self, const walrig_op *op, const walrig_bytes *keys, size_t n, walrig_status *each,
                            walrig_error *error) {
  One *store = self;
  (void)op;
  for (size_t i = 0; i < n; ++i) {
    each[i] = keys[i].len == 3 && memcmp(keys[i].ptr, "bad", 3) == 0 ? Fail(error, WALRIG_E_PERMISSION, "not this one")
                                                                     : WALRIG_OK;
    if (IsOne(keys[i])) store->there = 0;
  }
  return WALRIG_OK;
}
/* Less than the factory claims, and a bit that it does not claim. */
static uint64_t Caps(void *self) {
  (void)self;
  return WALRIG_CAP_ST_RANGE | WALRIG_CAP_ST_LIST_SORTED;
}
static const walrig_storage_v1 kStorage = {
    sizeof kStorage, 0, Stat, OpenRead, Read, free, OpenWrite, Write, Commit, free, List, Remove, NULL, Caps};

static const char *const kLevelAliases[] = {"l", NULL};
static const char *const kLevelSettings[] = {"TEST_LEVEL", NULL};
static const char *const kKeySettings[] = {"TEST_KEY", NULL};
/* With TEST_GROWN the tables are those of a later minor: longer options, and a factory of a kind that is not known. */
#ifdef TEST_GROWN
typedef struct {
  walrig_option known;
  const char *newer;
} Option;
#define KNOWN(...) {.known = {.struct_size = sizeof(Option), __VA_ARGS__}, .newer = "newer"}
#else
typedef walrig_option Option;
#define KNOWN(...) {.struct_size = sizeof(Option), __VA_ARGS__}
#endif
static const Option kOptions[] = {
    KNOWN(.type = WALRIG_OPT_UINT, .name = "level", .aliases = kLevelAliases, .settings = kLevelSettings,
          .default_text = "3", .min_text = "1", .max_text = "9", .help = "How hard to try."),
    KNOWN(.type = WALRIG_OPT_STRING, .flags = WALRIG_OPTF_SECRET, .name = "key", .settings = kKeySettings,
          .help = "A secret."),
};
static walrig_status Create(const walrig_factory *factory, const walrig_host *host, const walrig_config *config,
                            const walrig_op *op, void **self, walrig_error *error) {
  (void)op;
  if (factory->kind == WALRIG_KIND_STORAGE) {
    *self = calloc(1, sizeof(One));
    return WALRIG_OK;
  }
  uint64_t level = 0;
  char key[16];
  const char *text;
  size_t length = 0;
  if (host->cfg_u64(config, "level", &level) != WALRIG_OK) return Fail(error, WALRIG_E_CONFIG, "option level: none");
  if (level == 9) return Fail(error, WALRIG_E_CONFIG, "option level: 9 is too much today");
  if (host->cfg_str(config, "key", &text, &length) == WALRIG_OK) return Fail(error, WALRIG_E_CONFIG, "leaked");
  if (host->cfg_secret(config, "key", key, 2, &length) == WALRIG_E_TOO_LARGE && length == 6 &&
      host->cfg_secret(config, "key", key, sizeof key, &length) == WALRIG_OK && memcmp(key, "secret", 6) == 0) {
    host->log(host, WALRIG_LOG_INFO, "", "the key is right", 16);
  }
  *self = malloc(1);
  return WALRIG_OK;
}
static const void *Iface(void *self, const char *id) {
  (void)self;
  if (strcmp(id, WALRIG_IFACE_STORAGE_1) == 0) return &kStorage;
  return strcmp(id, WALRIG_IFACE_TRANSFORM_1) == 0 ? (const void *)&kTransform : NULL;
}

static const char *const kAliases[] = {"cp", NULL};
static const char *const kExtensions[] = {"cpy", NULL};
static const walrig_factory kCopy = {.struct_size = sizeof kCopy, .kind = WALRIG_KIND_COMPRESSOR, .name = "copy",
                                     .aliases = kAliases, .extensions = kExtensions, .description = "Changes nothing",
                                     .caps = WALRIG_CAP_TF_ENCODE | WALRIG_CAP_TF_DECODE | WALRIG_CAP_TF_CONCATENABLE,
                                     .options = (const walrig_option *)kOptions, .option_count = 2,
                                     .option_stride = sizeof(Option),
                                     .create = Create, .destroy = free, .iface = Iface};
static const walrig_factory kOne = {.struct_size = sizeof kOne, .kind = WALRIG_KIND_STORAGE, .name = "one",
                                    .caps = WALRIG_CAP_ST_RANGE | WALRIG_CAP_ST_COPY | WALRIG_CAP_ST_PUT_ABSENT, .create = Create,
                                    .destroy = free, .iface = Iface};
#ifdef TEST_GROWN
static const walrig_factory kLater = {.struct_size = sizeof kLater + 64, .kind = 99, .name = "copy"};
static const walrig_factory *const kFactories[] = {&kLater, &kCopy, &kOne, NULL};
#else
static const walrig_factory *const kFactories[] = {&kCopy, &kOne, NULL};
#endif

static walrig_status Init(const walrig_host *host, walrig_error *error) {
  (void)error;
  host->log(host, WALRIG_LOG_INFO, NULL, "init", 4);
  return WALRIG_OK;
}

static const walrig_module kModule = {.struct_size = sizeof kModule, .magic = WALRIG_ABI_MAGIC,
                                      .abi_major = TEST_MAJOR, .abi_minor = TEST_MINOR,
                                      .min_host_minor = TEST_MIN_HOST, .id = "org.example.test", .version = "1.2.3",
                                      .license = "MIT-0", .factories = kFactories, .init = Init};

#ifdef TEST_NEEDS
extern int walrig_test_gone(void);
#endif

#ifdef TEST_NO_ENTRY
const walrig_module *walrig_test_module(void);
const walrig_module *walrig_test_module(void) { return &kModule; }
#else
WALRIG_EXPORT const walrig_module *walrig_plugin_entry_v1(void);
WALRIG_EXPORT const walrig_module *walrig_plugin_entry_v1(void) {
#ifdef TEST_CRASH
  abort();
#endif
#ifdef TEST_HANG
  for (;;) pause();
#endif
#ifdef TEST_MUTE
  for (int fd = 0; fd < 64; ++fd) close(fd);
  for (;;) pause();
#endif
#ifdef TEST_EXIT
  _exit(0);
#endif
#ifdef TEST_NEEDS
  if (walrig_test_gone() != 0) return NULL;
#endif
  return &kModule;
}
#endif
