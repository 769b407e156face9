// SPDX-License-Identifier: MIT-0
// Level 3: what takes minutes.
#include <algorithm>
#include <cstring>
#include <optional>

#include "sdk/conformance/storage_bench.h"

namespace walrig::conformance {
namespace {

// More than 32 bits of offset hold, and more than 5 GiB, the most that S3 takes in one request.
constexpr uint64_t kBlocks = 6144;
constexpr size_t kBlockBytes = 1u << 20;
constexpr uint64_t kHugeBudget = 32u << 20;
constexpr uint64_t kHugeSlackKib = 24 * 1024;

// A block of zeros that begins with its number.
void Number(std::string& block, uint64_t number) { std::memcpy(block.data(), &number, sizeof number); }

// What is wrong with `source`, which is to give `blocks` blocks from the number `first` on.
std::optional<std::string> Wrong(const Context& ctx, Source& source, uint64_t first, uint64_t blocks) {
  std::string want(kBlockBytes, '\0');
  Buffer buffer(1 << 17);
  uint64_t at = 0;
  for (;;) {
    const Result<size_t> got = source.Read(ctx, buffer.span());
    if (!got.ok()) return got.status().ToString();
    if (*got == 0) break;
    for (size_t done = 0; done < *got;) {
      const size_t offset = static_cast<size_t>(at % kBlockBytes);
      if (offset == 0) Number(want, first + at / kBlockBytes);
      const size_t n = std::min(*got - done, kBlockBytes - offset);
      if (std::memcmp(buffer.span().data() + done, want.data() + offset, n) != 0) {
        return "block " + std::to_string(first + at / kBlockBytes) + " came back different";
      }
      done += n;
      at += n;
    }
  }
  if (at != blocks * kBlockBytes) return std::to_string(at) + " bytes came instead of " + std::to_string(blocks * kBlockBytes);
  return std::nullopt;
}

void SixGibInBoundedMemory(Verdict& verdict, StorageBench& bench) {
  std::string block(kBlockBytes, '\0');
  const uint64_t before = LookAtProcess().rss_peak_kib;
  KIT_ASSIGN(auto sink, bench.storage().Put(bench.ctx(), bench.Key("huge"), {.memory_budget_bytes = kHugeBudget}));
  for (uint64_t number = 0; number < kBlocks; ++number) {
    Number(block, number);
    KIT_OK(sink->Write(bench.ctx(), AsBytes(block)));
  }
  KIT_OK(sink->Commit(bench.ctx()));
  KIT_ASSIGN(const ObjectInfo stored, bench.storage().Stat(bench.ctx(), bench.Key("huge")));
  KIT_EXPECT(stored.size_bytes == kBlocks * kBlockBytes, "6 GiB are " + std::to_string(stored.size_bytes) + " bytes long");

  KIT_ASSIGN(auto whole, bench.storage().Get(bench.ctx(), bench.Key("huge"), {}));
  const std::optional<std::string> wrong = Wrong(bench.ctx(), *whole, 0, kBlocks);
  KIT_EXPECT(!wrong, "the whole: " + *wrong);
  constexpr uint64_t kFar = 5000;
  GetOptions range;
  range.offset = kFar * kBlockBytes;
  range.length = 3 * kBlockBytes;
  KIT_ASSIGN(auto part, bench.storage().Get(bench.ctx(), bench.Key("huge"), range));
  const std::optional<std::string> wrong_part = Wrong(bench.ctx(), *part, kFar, 3);
  KIT_EXPECT(!wrong_part, "a range beyond 4 GiB: " + *wrong_part);

  const uint64_t grown = LookAtProcess().rss_peak_kib - before;
  KIT_EXPECT(grown < kHugeBudget / 1024 + kHugeSlackKib,
             "6 GiB with a budget of 32 MiB took " + std::to_string(grown / 1024) + " MiB");
}

}  // namespace

std::vector<StorageCheck> StorageLongChecks() { return {{"six_gib_in_bounded_memory", 3, SixGibInBoundedMemory}}; }

}  // namespace walrig::conformance
