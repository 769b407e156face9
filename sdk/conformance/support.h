// SPDX-License-Identifier: MIT-0
// What the suites share: a context, test data, a look at the process.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/storage.h"
#include "walrig/transform.h"

namespace walrig::conformance {

// A context with a silent log, the real clock and a stop of its own. Must outlive what it is given to.
class KitContext {
 public:
  KitContext();
  ~KitContext();
  KitContext(const KitContext&) = delete;
  KitContext& operator=(const KitContext&) = delete;
  const Context& ctx() const { return context_; }
  operator const Context&() const { return context_; }
  void RequestStop();

 private:
  StopState stop_;
  Context context_;
};

// Bytes by seed: `compressible` repeats words, else noise.
std::string MakeBytes(size_t size_bytes, uint64_t seed, bool compressible);

Status PutBytes(const Context& ctx, Storage& storage, const std::string& key, std::string_view bytes,
                PutOptions options = {}, size_t piece_bytes = 100'000);
Result<std::string> GetBytes(const Context& ctx, Storage& storage, const std::string& key,
                             const GetOptions& options = {}, size_t piece_bytes = 65'536);
// All keys below a prefix, by pages of `keys_max`; every page is asked for once.
Result<std::vector<ObjectInfo>> ListKeys(const Context& ctx, Storage& storage, ListOptions options);

// Runs a transform over all of `in`, in pieces of at most in_piece and out_piece bytes. *out gets what came, also on
// failure.
Status RunTransform(Transform& transform, std::string_view in, std::string* out, size_t in_piece = 1 << 16,
                    size_t out_piece = 1 << 16, size_t out_max = SIZE_MAX);

// Of this process, from /proc: what a plugin must not change or leak.
struct ProcessState {
  size_t fds = 0;
  size_t threads = 0;
  uint64_t rss_kib = 0;       // now
  uint64_t rss_peak_kib = 0;  // highest
  std::string working_directory, locale, environment, dispositions;
  unsigned umask_bits = 0;
};
ProcessState LookAtProcess();

}  // namespace walrig::conformance
