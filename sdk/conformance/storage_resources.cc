// SPDX-License-Identifier: MIT-0
// Level 2: what a storage takes, leaks and changes, and whether it stops when told.
#include <atomic>
#include <thread>

#include "sdk/conformance/storage_bench.h"

namespace walrig::conformance {
namespace {

Status OneCycle(StorageBench& bench, const std::string& name) {
  WALRIG_TRY(bench.Put(name, "some content"));
  WALRIG_TRY(bench.Get(name).status());
  WALRIG_TRY(bench.storage().Stat(bench.ctx(), bench.Key(name)).status());
  auto aborted = bench.storage().Put(bench.ctx(), bench.Key(name + "-aborted"), {});
  WALRIG_TRY(aborted.ok() ? (*aborted)->Write(bench.ctx(), AsBytes("x")) : aborted.status());
  auto unread = bench.storage().Get(bench.ctx(), bench.Key(name), {});
  WALRIG_TRY(unread.status());
  if (bench.storage().Get(bench.ctx(), bench.Key("missing"), {}).ok()) return Internal("a missing object was opened");
  std::vector<Status> each;
  return bench.storage().Delete(bench.ctx(), std::vector<std::string>{bench.Key(name)}, &each);
}

void AThousandCyclesLeakNothing(Verdict& verdict, StorageBench& bench) {
  for (int i = 0; i < 100; ++i) KIT_OK(OneCycle(bench, "warm"));
  const ProcessState before = LookAtProcess();
  for (int i = 0; i < 1000; ++i) KIT_OK(OneCycle(bench, "cycle-" + std::to_string(i % 10)));
  const ProcessState after = LookAtProcess();
  KIT_EXPECT(after.fds == before.fds,
             "file descriptors went from " + std::to_string(before.fds) + " to " + std::to_string(after.fds));
  KIT_EXPECT(after.threads == before.threads,
             "threads went from " + std::to_string(before.threads) + " to " + std::to_string(after.threads));
  KIT_EXPECT(after.rss_kib < before.rss_kib + 4096,
             "memory grew by " + std::to_string(after.rss_kib - before.rss_kib) + " KiB");
}

void TheProcessIsLeftAsItWas(Verdict& verdict, StorageBench& bench) {
  const ProcessState before = LookAtProcess();
  {
    KIT_ASSIGN(auto another, bench.fixture().open());
    KIT_OK(PutBytes(bench.ctx(), *another, bench.Key("object"), "x"));
    KIT_OK(bench.Names().status());
  }
  const ProcessState after = LookAtProcess();
  KIT_EXPECT(before.working_directory == after.working_directory, "the working directory was changed");
  KIT_EXPECT(before.locale == after.locale, "the locale was changed to " + after.locale);
  KIT_EXPECT(before.environment == after.environment, "the environment was changed");
  KIT_EXPECT(before.dispositions == after.dispositions, "signal dispositions or masks were changed");
  KIT_EXPECT(before.umask_bits == after.umask_bits, "the umask was changed");
  KIT_EXPECT(before.fds == after.fds, "a destroyed instance left file descriptors");
  KIT_EXPECT(before.threads == after.threads, "a destroyed instance left threads");
}

void SixtyFourOperationsAtOnce(Verdict& verdict, StorageBench& bench) {
  std::atomic<int> wrong{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&bench, &wrong, i] {
      const std::string name = "object-" + std::to_string(i);
      const std::string bytes = MakeBytes(300'000, static_cast<uint64_t>(i), false);
      if (!bench.Put(name, bytes).ok()) {
        ++wrong;
        return;
      }
      auto back = bench.Get(name);
      wrong += !back.ok() || *back != bytes;
    });
  }
  threads.clear();
  KIT_EXPECT(wrong == 0, std::to_string(wrong) + " of 64 objects were not stored or came back different");
}

void TheMemoryBudgetIsKept(Verdict& verdict, StorageBench& bench) {
  constexpr uint64_t kBudget = 8u << 20;
  constexpr uint64_t kSlackKib = 16 * 1024;
  const std::string piece = MakeBytes(1 << 20, 1, false);
  const uint64_t before = LookAtProcess().rss_peak_kib;
  KIT_ASSIGN(auto sink, bench.storage().Put(bench.ctx(), bench.Key("large"), {.memory_budget_bytes = kBudget}));
  for (int i = 0; i < 192; ++i) KIT_OK(sink->Write(bench.ctx(), AsBytes(piece)));
  KIT_OK(sink->Commit(bench.ctx()));
  KIT_ASSIGN(auto source, bench.storage().Get(bench.ctx(), bench.Key("large"), {}));
  Buffer buffer(1 << 17);
  uint64_t total = 0;
  for (;;) {
    KIT_ASSIGN(const size_t got, source->Read(bench.ctx(), buffer.span()));
    if (got == 0) break;
    total += got;
  }
  KIT_EXPECT(total == 192u << 20, "192 MiB came back as " + std::to_string(total) + " bytes");
  const uint64_t grown = LookAtProcess().rss_peak_kib - before;
  KIT_EXPECT(grown < kBudget / 1024 + kSlackKib,
             "192 MiB with a budget of 8 MiB took " + std::to_string(grown / 1024) + " MiB");
}

// After a stop no call goes on for long, and no object appears.
void AStopEndsAWrite(Verdict& verdict, StorageBench& bench) {
  KIT_ASSIGN(auto sink, bench.storage().Put(bench.ctx(), bench.Key("object"), {}));
  KIT_OK(sink->Write(bench.ctx(), AsBytes("beginning")));
  bench.context().RequestStop();
  const uint64_t start = bench.ctx().clock->MonotonicNs();
  Status status;
  for (int i = 0; i < 64 && status.ok(); ++i) status = sink->Write(bench.ctx(), AsBytes(MakeBytes(100'000, 1, true)));
  if (status.ok()) status = sink->Commit(bench.ctx());
  const uint64_t took_ms = (bench.ctx().clock->MonotonicNs() - start) / 1'000'000;
  sink.reset();
  KIT_EXPECT(status.code() == Code::kCancelled, "a stopped write ended with " + status.ToString());
  KIT_EXPECT(took_ms < 2000, "it took " + std::to_string(took_ms) + " ms to stop");
  KitContext fresh;
  KIT_EXPECT(bench.storage().Stat(fresh, bench.Key("object")).status().code() == Code::kNotFound,
             "a stopped write left an object");
}

}  // namespace

std::vector<StorageCheck> StorageResourceChecks() {
  return {
      {"a_thousand_cycles_leak_nothing", 2, AThousandCyclesLeakNothing},
      {"the_process_is_left_as_it_was", 2, TheProcessIsLeftAsItWas},
      {"sixty_four_operations_at_once", 2, SixtyFourOperationsAtOnce},
      {"the_memory_budget_is_kept", 2, TheMemoryBudgetIsKept},
      {"a_stop_ends_a_write", 2, AStopEndsAWrite},
  };
}

}  // namespace walrig::conformance
