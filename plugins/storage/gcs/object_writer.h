// ObjectWriter: one new object. What fits one piece goes up whole, in one request, at Commit; what is larger goes up piece
// by piece while it is written, by one session or as parts side by side (see uploads.h), and appears at Commit.
//
// A piece that broke stays in memory and the error is resumable(): the same call on the writer asks what arrived and sends
// the rest. One call is one attempt.
//
// OWNS: a few pieces of memory, within the budget. THREADS: as Sink; must not outlive the client.
#pragma once

#include <memory>
#include <string>

#include "plugins/storage/gcs/client.h"
#include "plugins/storage/gcs/upload.h"
#include "walrig/storage.h"

namespace walrig::gcs {

struct WriterOptions {
  uint64_t piece_bytes_max = 50u << 20;
  uint32_t parallel = 4;  // 1: a session, no temporary objects
};

// `name` is the whole name in the bucket.
Result<std::unique_ptr<Sink>> NewWriter(const Context& ctx, Client& client, const std::string& name, const PutOptions& put,
                                        const WriterOptions& options);

}  // namespace walrig::gcs
