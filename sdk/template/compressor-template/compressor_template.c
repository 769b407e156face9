/* SPDX-License-Identifier: MIT-0 */
/* A whole compressor plugin in C99: run-length coding with a CRC-32 of the plain bytes.
 *
 *   stream = "RLE1" pair* 00 crc32        pair = count (1 to 255), byte; the CRC is little endian
 *
 * Streams may follow one another. The machines below take and give single bytes, so they are right with any buffer
 * size; a real compressor would work on spans. */
#include <stdlib.h>
#include <string.h>

#include "walrig/abi/plugin.h"

enum { MAGIC_BYTES = 4, CRC_BYTES = 4, RUN_MAX = 255, PENDING_MAX = 8 };
static const uint8_t kMagic[MAGIC_BYTES] = {'R', 'L', 'E', '1'};

typedef enum { AT_MAGIC, AT_COUNT, AT_BYTE, AT_CRC } place;

typedef struct {
  int32_t direction;
  uint32_t crc;
  /* encoder: the run so far; decoder: the run being given */
  uint8_t run_byte;
  unsigned run_count;
  /* encoder */
  int begun, ended;
  uint8_t pending[PENDING_MAX];
  unsigned pending_begin, pending_end;
  /* decoder */
  place at;
  unsigned have; /* bytes of magic or CRC that came */
  uint32_t crc_read;
  int complete; /* a stream was read to its end */
} machine;

static uint32_t Crc32(uint32_t crc, uint8_t byte) {
  crc = ~crc ^ byte;
  for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
  return ~crc;
}

static walrig_status Fail(walrig_error *error, walrig_status code, const char *message) {
  if (error != NULL && error->struct_size >= sizeof *error) {
    error->code = code;
    strncpy(error->message, message, sizeof error->message - 1);
  }
  return code;
}

static void Put(machine *m, uint8_t byte) { m->pending[m->pending_end++] = byte; }

static void PutRun(machine *m) {
  if (m->run_count == 0) return;
  Put(m, (uint8_t)m->run_count);
  Put(m, m->run_byte);
  m->run_count = 0;
}

/* True when all pending bytes found room. */
static int Drain(machine *m, walrig_io *io) {
  while (m->pending_begin < m->pending_end && io->out_used < io->out_cap) {
    io->out[io->out_used++] = m->pending[m->pending_begin++];
  }
  if (m->pending_begin < m->pending_end) return 0;
  m->pending_begin = m->pending_end = 0;
  return 1;
}

static void Begin(machine *m) {
  for (int i = 0; i < MAGIC_BYTES; ++i) Put(m, kMagic[i]);
  m->begun = 1;
}

static walrig_status Encode(machine *m, walrig_io *io, walrig_error *error) {
  if (m->ended && io->in_len != 0) return Fail(error, WALRIG_E_INVALID_ARG, "input after the end");
  if (!m->begun) Begin(m);
  for (;;) {
    if (!Drain(m, io)) return WALRIG_NEED_OUTPUT;
    if (io->in_used == io->in_len) break;
    const uint8_t byte = io->in[io->in_used++];
    if (m->run_count != 0 && (byte != m->run_byte || m->run_count == RUN_MAX)) PutRun(m);
    m->run_byte = byte;
    ++m->run_count;
    m->crc = Crc32(m->crc, byte);
  }
  if (io->directive == WALRIG_RUN) return WALRIG_NEED_INPUT;
  PutRun(m);
  if (io->directive == WALRIG_FINISH && !m->ended) {
    Put(m, 0);
    for (int i = 0; i < CRC_BYTES; ++i) Put(m, (uint8_t)(m->crc >> (8 * i)));
    m->ended = 1;
  }
  if (!Drain(m, io)) return WALRIG_NEED_OUTPUT;
  return m->ended ? WALRIG_END : WALRIG_NEED_INPUT;
}

static walrig_status DecodeByte(machine *m, uint8_t byte, walrig_error *error) {
  switch (m->at) {
    case AT_MAGIC:
      if (byte != kMagic[m->have]) return Fail(error, WALRIG_E_CORRUPT, "not a stream of this format");
      if (++m->have == MAGIC_BYTES) m->at = AT_COUNT;
      return WALRIG_OK;
    case AT_COUNT:
      m->have = 0;
      m->run_count = byte;
      m->at = byte != 0 ? AT_BYTE : AT_CRC;
      return WALRIG_OK;
    case AT_BYTE:
      m->run_byte = byte;
      m->at = AT_COUNT;
      for (unsigned i = 0; i < m->run_count; ++i) m->crc = Crc32(m->crc, byte);
      return WALRIG_OK;
    case AT_CRC:
      m->crc_read |= (uint32_t)byte << (8 * m->have);
      if (++m->have < CRC_BYTES) return WALRIG_OK;
      if (m->crc_read != m->crc) return Fail(error, WALRIG_E_CORRUPT, "the checksum does not hold");
      m->have = 0;
      m->crc = m->crc_read = 0;
      m->at = AT_MAGIC;
      m->complete = 1;
      return WALRIG_OK;
  }
  return Fail(error, WALRIG_E_INTERNAL, "impossible place");
}

static walrig_status Decode(machine *m, walrig_io *io, walrig_error *error) {
  for (;;) {
    /* A run is given once both of its bytes came. */
    while (m->at == AT_COUNT && m->run_count > 0) {
      if (io->out_used == io->out_cap) return WALRIG_NEED_OUTPUT;
      io->out[io->out_used++] = m->run_byte;
      --m->run_count;
    }
    if (io->in_used == io->in_len) break;
    const walrig_status status = DecodeByte(m, io->in[io->in_used++], error);
    if (status != WALRIG_OK) return status;
  }
  if (io->directive != WALRIG_FINISH) return WALRIG_NEED_INPUT;
  if (m->complete && m->at == AT_MAGIC && m->have == 0) return WALRIG_END;
  return Fail(error, WALRIG_E_TRUNCATED, "the stream ends early");
}

static walrig_status Open(void *self, int32_t direction, void **stream, walrig_error *error) {
  (void)self;
  machine *m = calloc(1, sizeof *m);
  if (m == NULL) return Fail(error, WALRIG_E_NO_MEMORY, "out of memory");
  m->direction = direction;
  *stream = m;
  return WALRIG_OK;
}

static walrig_status Process(void *stream, walrig_io *io, walrig_error *error) {
  machine *m = stream;
  io->in_used = io->out_used = 0;
  return m->direction == WALRIG_ENCODE ? Encode(m, io, error) : Decode(m, io, error);
}

static walrig_status Reset(void *stream, walrig_error *error) {
  (void)error;
  machine *m = stream;
  const int32_t direction = m->direction;
  memset(m, 0, sizeof *m);
  m->direction = direction;
  return WALRIG_OK;
}

static void Close(void *stream) { free(stream); }

static uint64_t MemoryBound(void *self, int32_t direction) {
  (void)self;
  (void)direction;
  return sizeof(machine);
}

static const walrig_transform_v1 kTransform = {
    sizeof(walrig_transform_v1), 0, Open, Process, Reset, Close, MemoryBound,
};

/* An instance holds nothing here; its address only has to be somebody's. */
static char instance;

static walrig_status Create(const walrig_factory *factory, const walrig_host *host, const walrig_config *config,
                            const walrig_op *op, void **self, walrig_error *error) {
  (void)factory, (void)host, (void)config, (void)op, (void)error;
  *self = &instance;
  return WALRIG_OK;
}

static void Destroy(void *self) { (void)self; }

static const void *Interface(void *self, const char *id) {
  (void)self;
  return strcmp(id, WALRIG_IFACE_TRANSFORM_1) == 0 ? &kTransform : NULL;
}

static const char *const kExtensions[] = {"rle", NULL};
static const walrig_factory kFactory = {
    .struct_size = sizeof(walrig_factory),
    .kind = WALRIG_KIND_COMPRESSOR,
    .name = "template",
    .extensions = kExtensions,
    .description = "Run-length coding, a template",
    .caps = WALRIG_CAP_TF_ENCODE | WALRIG_CAP_TF_DECODE | WALRIG_CAP_TF_CONCATENABLE | WALRIG_CAP_TF_DETERMINISTIC,
    .option_stride = sizeof(walrig_option),
    .create = Create,
    .destroy = Destroy,
    .iface = Interface,
};
static const walrig_factory *const kFactories[] = {&kFactory, NULL};
static const walrig_module kModule = {
    .struct_size = sizeof(walrig_module),
    .magic = WALRIG_ABI_MAGIC,
    .abi_major = WALRIG_ABI_MAJOR,
    .abi_minor = WALRIG_ABI_MINOR,
    .id = "org.walrig.compressor-template",
    .version = WALRIG_PLUGIN_VERSION,
    .description = "Run-length coding, a template",
    .license = "MIT-0",
    .factories = kFactories,
};

WALRIG_PLUGIN_NOTE("abi=1.0;min=0;id=org.walrig.compressor-template;version=" WALRIG_PLUGIN_VERSION
                   ";license=MIT-0;provides=compressor:template");

WALRIG_EXPORT const walrig_module *walrig_plugin_entry_v1(void);
WALRIG_EXPORT const walrig_module *walrig_plugin_entry_v1(void) { return &kModule; }
