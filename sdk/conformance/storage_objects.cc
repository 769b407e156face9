// SPDX-License-Identifier: MIT-0
// Checks of reading and writing single objects.
#include <atomic>
#include <thread>

#include "sdk/conformance/storage_bench.h"

namespace walrig::conformance {
namespace {

void ObjectRoundTrips(Verdict& verdict, StorageBench& bench) {
  for (const size_t size : {0, 1, 511, 4096, 131'071, 131'072, 131'073, 1'048'576, 6'000'011}) {
    for (const size_t piece : {size_t{7'919}, size_t{1} << 20}) {
      const std::string bytes = MakeBytes(size, size, false);
      KIT_OK(bench.Put("object", bytes, {.size_bytes = piece == 7'919 ? kUnknownSize : size}, piece));
      KIT_ASSIGN(const std::string back, bench.Get("object"));
      KIT_EXPECT(back == bytes, std::to_string(size) + " bytes came back different");
      KIT_ASSIGN(const ObjectInfo info, bench.storage().Stat(bench.ctx(), bench.Key("object")));
      KIT_EXPECT(info.size_bytes == size,
                 "Stat says " + std::to_string(info.size_bytes) + " bytes, stored were " + std::to_string(size));
      KIT_EXPECT(info.key == bench.Key("object"), "Stat answers another key: " + info.key);
    }
  }
}

void MissingIsNotFound(Verdict& verdict, StorageBench& bench) {
  KIT_EXPECT(bench.storage().Stat(bench.ctx(), bench.Key("none")).status().code() == Code::kNotFound,
             "Stat of a missing object is not not_found");
  const auto source = bench.storage().Get(bench.ctx(), bench.Key("none"), {});
  KIT_EXPECT(source.status().code() == Code::kNotFound, "Get of a missing object is not not_found at once");
  KIT_EXPECT(!source.status().retryable(), "a missing object is retryable");
  KIT_OK(bench.Put("dir/object", "x"));
  KIT_EXPECT(bench.storage().Get(bench.ctx(), bench.Key("dir"), {}).status().code() == Code::kNotFound,
             "a folder can be read as an object");
  KIT_EXPECT(bench.storage().Stat(bench.ctx(), bench.Key("dir")).status().code() == Code::kNotFound,
             "a folder is an object for Stat");
}

void NothingIsVisibleBeforeCommit(Verdict& verdict, StorageBench& bench) {
  KIT_ASSIGN(auto sink, bench.storage().Put(bench.ctx(), bench.Key("a/object"), {}));
  KIT_OK(sink->Write(bench.ctx(), AsBytes(MakeBytes(3'000'000, 1, false))));
  KIT_EXPECT(!bench.Has("a/object"), "an object is visible before Commit");
  KIT_ASSIGN(const auto names, bench.Names());
  KIT_EXPECT(names.empty(), "List shows " + names[0] + " before Commit");
  KIT_OK(sink->Commit(bench.ctx()));
  KIT_EXPECT(bench.Has("a/object"), "an object is not visible after Commit");
}

void AbortLeavesNothing(Verdict& verdict, StorageBench& bench) {
  for (const bool by_destructor : {false, true}) {
    KIT_ASSIGN(auto sink, bench.storage().Put(bench.ctx(), bench.Key("object"), {}));
    KIT_OK(sink->Write(bench.ctx(), AsBytes(MakeBytes(500'000, 1, false))));
    if (!by_destructor) sink->Abort();
    sink.reset();
    KIT_EXPECT(!bench.Has("object"), "an aborted object is there");
    KIT_ASSIGN(const auto names, bench.Names());
    KIT_EXPECT(names.empty(), "an abort left " + names[0]);
  }
  // An abort does not harm what is there.
  KIT_OK(bench.Put("object", "old"));
  KIT_ASSIGN(auto sink, bench.storage().Put(bench.ctx(), bench.Key("object"), {}));
  KIT_OK(sink->Write(bench.ctx(), AsBytes("new")));
  sink->Abort();
  sink.reset();
  KIT_ASSIGN(const std::string back, bench.Get("object"));
  KIT_EXPECT(back == "old", "an aborted overwrite changed the object");
}

void WrongLengthIsRefused(Verdict& verdict, StorageBench& bench) {
  for (const uint64_t said : {uint64_t{9}, uint64_t{11}}) {
    const Status status = bench.Put("object", "ten bytes.", {.size_bytes = said});
    KIT_EXPECT(!status.ok(), "10 bytes are stored where " + std::to_string(said) + " were announced");
    KIT_EXPECT(!bench.Has("object"), "a refused object is there");
  }
}

void OverwriteReplaces(Verdict& verdict, StorageBench& bench) {
  KIT_OK(bench.Put("object", MakeBytes(200'000, 1, false)));
  KIT_OK(bench.Put("object", "short"));
  KIT_ASSIGN(const std::string back, bench.Get("object"));
  KIT_EXPECT(back == "short", "an overwrite did not replace");
  KIT_ASSIGN(const auto names, bench.Names());
  KIT_EXPECT(names.size() == 1, "an overwrite made a second object");
}

// Readers see the old or the new content, never a mixture and never nothing.
void OverwriteIsAtomic(Verdict& verdict, StorageBench& bench) {
  constexpr size_t kSize = 400'000;
  KIT_OK(bench.Put("object", std::string(kSize, 'a')));
  std::atomic<bool> done{false};
  std::atomic<int> mixed{0}, missing{0}, reads{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        auto back = bench.Get("object");
        if (!back.ok()) {
          missing += back.status().code() == Code::kNotFound;
          continue;
        }
        ++reads;
        mixed += back->size() != kSize || back->find_first_not_of((*back)[0]) != std::string::npos;
      }
    });
  }
  Status status;
  for (int i = 0; i < 60 && status.ok(); ++i)
    status = bench.Put("object", std::string(kSize, static_cast<char>('b' + i % 20)));
  done = true;
  readers.clear();
  KIT_OK(std::move(status));
  KIT_EXPECT(mixed == 0,
             std::to_string(mixed) + " of " + std::to_string(reads) + " reads saw a mixture of two versions");
  KIT_EXPECT(missing == 0, std::to_string(missing) + " reads did not find an object that is only replaced");
}

void PutIfAbsentKeepsTheFirst(Verdict& verdict, StorageBench& bench) {
  if (!bench.can().put_if_absent) return verdict.Skip("put_if_absent is not claimed");
  KIT_OK(bench.Put("object", "first", {.only_if_absent = true}));
  const Status second = bench.Put("object", "second", {.only_if_absent = true});
  KIT_EXPECT(second.code() == Code::kAlreadyExists, "the second put-if-absent: " + second.ToString());
  KIT_ASSIGN(const std::string back, bench.Get("object"));
  KIT_EXPECT(back == "first", "the first object was changed");
}

void PutIfAbsentHasOneWinner(Verdict& verdict, StorageBench& bench) {
  if (!bench.can().put_if_absent) return verdict.Skip("put_if_absent is not claimed");
  for (int round = 0; round < 20; ++round) {
    const std::string name = "race-" + std::to_string(round);
    std::atomic<int> winners{0}, others{0};
    std::atomic<int> winner{-1};
    std::vector<std::jthread> writers;
    for (int i = 0; i < 16; ++i) {
      writers.emplace_back([&, i] {
        const Status status = bench.Put(name, "writer " + std::to_string(i), {.only_if_absent = true});
        if (status.ok()) ++winners, winner = i;
        others += !status.ok() && status.code() != Code::kAlreadyExists;
      });
    }
    writers.clear();
    KIT_EXPECT(winners == 1, std::to_string(winners) + " of 16 writers won");
    KIT_EXPECT(others == 0, "a loser did not get already_exists");
    KIT_ASSIGN(const std::string back, bench.Get(name));
    KIT_EXPECT(back == "writer " + std::to_string(winner), "the object is not the winner's");
  }
}

void RangesAreExact(Verdict& verdict, StorageBench& bench) {
  if (!bench.can().range) return verdict.Skip("range is not claimed");
  const std::string bytes = MakeBytes(300'000, 5, false);
  KIT_OK(bench.Put("object", bytes));
  struct Range {
    uint64_t offset, length;
  };
  for (const Range range : {Range{0, 1}, Range{0, 300'000}, Range{1, 131'072}, Range{299'999, 1}, Range{299'999, 50},
                            Range{100'000, kUnknownSize}, Range{5, 0}, Range{300'000, 10}, Range{300'000, kUnknownSize},
                            Range{0, UINT64_MAX - 1}}) {
    KIT_ASSIGN(const std::string back,
               bench.Get("object", {.offset = range.offset, .length = range.length, .if_match_etag = ""}));
    const std::string_view want = std::string_view(bytes).substr(range.offset, range.length);
    KIT_EXPECT(back == want, "range " + std::to_string(range.offset) + "+" + std::to_string(range.length) + " gave " +
                                 std::to_string(back.size()) + " bytes");
  }
  const auto beyond = bench.Get("object", {.offset = 400'000, .length = 10, .if_match_etag = ""});
  KIT_EXPECT(!beyond.ok() || beyond->empty(), "a range beyond the end gives bytes");
}

void EtagGuardsAReplacedObject(Verdict& verdict, StorageBench& bench) {
  KIT_OK(bench.Put("object", "first content"));
  KIT_ASSIGN(const ObjectInfo first, bench.storage().Stat(bench.ctx(), bench.Key("object")));
  if (first.etag.empty()) return verdict.Warn("objects have no etag: a resumed read cannot tell a replaced object");
  KIT_ASSIGN(const std::string same,
             bench.Get("object", {.offset = 6, .length = kUnknownSize, .if_match_etag = first.etag}));
  KIT_EXPECT(same == "content", "a guarded read of the same object gave something else");
  KIT_OK(bench.Put("object", "other content"));
  const auto other = bench.Get("object", {.offset = 6, .length = kUnknownSize, .if_match_etag = first.etag});
  KIT_EXPECT(other.status().code() == Code::kPreconditionFailed,
             "a read guarded by the old etag: " + (other.ok() ? "gave the new object" : other.status().ToString()));
}

void WritesAreReadAtOnce(Verdict& verdict, StorageBench& bench) {
  if (!bench.can().read_your_writes) return verdict.Skip("read_your_writes is not claimed");
  KIT_ASSIGN(auto other, bench.fixture().open());
  for (int i = 0; i < 300; ++i) {
    const std::string name = "object-" + std::to_string(i);
    KIT_OK(bench.Put(name, name));
    KIT_ASSIGN(const std::string back, GetBytes(bench.ctx(), *other, bench.Key(name)));
    KIT_EXPECT(back == name, "another instance reads \"" + back + "\" of an object that holds \"" + name + "\"");
    if (bench.can().list_your_writes && i % 10 == 0) {
      KIT_ASSIGN(const auto names, bench.Names(name));
      KIT_EXPECT(!names.empty(), name + " is not listed after Commit");
    }
  }
}

void TimesArePlausible(Verdict& verdict, StorageBench& bench) {
  KIT_OK(bench.Put("object", "x"));
  KIT_ASSIGN(const ObjectInfo info, bench.storage().Stat(bench.ctx(), bench.Key("object")));
  if (info.mtime_ns == kUnknownTime) return verdict.Fail("no modification time: LATEST cannot be told");
  const int64_t difference_s = (bench.ctx().clock->WallNs() - info.mtime_ns) / 1'000'000'000;
  KIT_EXPECT(std::abs(difference_s) < 24 * 3600, "the modification time is " + std::to_string(difference_s) + " s off");
}

}  // namespace

std::vector<StorageCheck> StorageObjectChecks() {
  return {
      {"round_trips", 1, ObjectRoundTrips},
      {"missing_is_not_found", 1, MissingIsNotFound},
      {"nothing_is_visible_before_commit", 1, NothingIsVisibleBeforeCommit},
      {"abort_leaves_nothing", 1, AbortLeavesNothing},
      {"wrong_length_is_refused", 1, WrongLengthIsRefused},
      {"overwrite_replaces", 1, OverwriteReplaces},
      {"overwrite_is_atomic", 1, OverwriteIsAtomic},
      {"put_if_absent_keeps_the_first", 1, PutIfAbsentKeepsTheFirst},
      {"put_if_absent_has_one_winner", 1, PutIfAbsentHasOneWinner},
      {"ranges_are_exact", 1, RangesAreExact},
      {"etag_guards_a_replaced_object", 1, EtagGuardsAReplacedObject},
      {"writes_are_read_at_once", 1, WritesAreReadAtOnce},
      {"times_are_plausible", 1, TimesArePlausible},
  };
}

}  // namespace walrig::conformance
