#include "core/pipeline/ordered_compressor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <new>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include "core/base/checksum.h"
#include "core/io/memory.h"
#include "core/pipeline/decoding_source.h"
#include "core/storage/memory.h"
#include "core/storage/objects.h"
#include "tests/support/fake_codec.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/memory.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig::test {
namespace {

// The codec and the number of workers.
struct Mode {
  const char* name;
  bool compressed;
  bool concatenable;
  bool sealed;
  size_t workers;
};
void PrintTo(const Mode& mode, std::ostream* out) { *out << mode.name; }

class OrderedCompressorTest : public ::testing::TestWithParam<Mode> {
 protected:
  OrderedCompressorTest() : compressor_(GetParam().concatenable) {}

  Codec TheCodec() {
    return {GetParam().compressed ? &compressor_ : nullptr, GetParam().sealed ? &cipher_ : nullptr};
  }
  std::unique_ptr<OrderedCompressor> Open(OrderedCompressorOptions options = {}) {
    options.workers = GetParam().workers;
    auto sink = storage_.Put(ctx_, "o", {});
    if (!sink.ok()) return nullptr;
    auto object = OrderedCompressor::New(TheCodec(), std::move(*sink), options);
    return object.ok() ? std::move(*object) : nullptr;
  }
  Result<std::string> StoredPlain() {
    WALRIG_ASSIGN(auto stored, memory_.Get(ctx_, "o", {}));
    WALRIG_ASSIGN(auto plain, DecodingSource::New(TheCodec(), std::move(stored), "o"));
    return Drain(ctx_, *plain, 10'000);
  }
  static Slice Text(std::string text) {
    return [text = std::move(text)](const Context&, const Emit& emit) -> Status {
      for (size_t i = 0; i < text.size(); i += 7'000) WALRIG_TRY(emit(AsBytes(std::string_view(text).substr(i, 7'000))));
      return OkStatus();
    };
  }
  // A text that tells its number, of a size that differs from slice to slice.
  static std::string Numbered(int i) {
    return "slice " + std::to_string(i) + ": " + NumberedBytes(static_cast<size_t>((i * 7919) % 170'000));
  }

  TestContext ctx_;
  FakeCompressor compressor_;
  FakeCipher cipher_;
  MemoryStorage memory_;
  FaultyStorage storage_{memory_};
};

TEST_P(OrderedCompressorTest, StoresSlicesInTheOrderOfSubmission) {
  auto object = Open();
  ASSERT_NE(object, nullptr);
  std::string expected;
  for (int i = 0; i < 40; i++) {
    ASSERT_OK(object->Submit(ctx_, Text(Numbered(i))));
    expected += Numbered(i);
  }
  ASSERT_OK(object->Finish(ctx_));
  ASSERT_OK_AND_ASSIGN(const std::string plain, StoredPlain());
  EXPECT_TRUE(plain == expected);
}

TEST_P(OrderedCompressorTest, TellsSizesAndHashOfWhatItStored) {
  auto object = Open();
  ASSERT_OK(object->Submit(ctx_, Text(Numbered(30))));
  ASSERT_OK(object->Submit(ctx_, Text(Numbered(31))));
  EXPECT_EQ(object->stats().xxh128, "");
  ASSERT_OK(object->Finish(ctx_));
  const ObjectStats stats = object->stats();
  ASSERT_OK_AND_ASSIGN(const std::string stored, ReadObject(ctx_, memory_, "o", 10 << 20));
  EXPECT_EQ(stats.plain_bytes, Numbered(30).size() + Numbered(31).size());
  EXPECT_EQ(stats.stored_bytes, stored.size());
  EXPECT_EQ(stats.xxh128, Xxh128Hex(AsBytes(stored)));
  EXPECT_EQ(stats.slices, 2u);
}

TEST_P(OrderedCompressorTest, MakesAnEmptyStreamOfNothing) {
  for (bool with_empty_slices : {false, true}) {
    auto object = Open();
    if (with_empty_slices) {
      ASSERT_OK(object->Submit(ctx_, Text("")));
      ASSERT_OK(object->Submit(ctx_, Text("")));
    }
    ASSERT_OK(object->Finish(ctx_));
    EXPECT_THAT(StoredPlain(), IsOkAndHolds(""));
  }
}

TEST_P(OrderedCompressorTest, LetsAnEmptySliceLeaveNoTraceBetweenOthers) {
  auto object = Open();
  for (const char* text : {"a", "", "b", "", ""}) ASSERT_OK(object->Submit(ctx_, Text(text)));
  ASSERT_OK(object->Finish(ctx_));
  EXPECT_THAT(StoredPlain(), IsOkAndHolds("ab"));
}

TEST_P(OrderedCompressorTest, StreamsSlicesThatOutgrowTheirBound) {
  auto object = Open({.slice_bytes_max = 150'000});
  std::string expected;
  for (int i = 0; i < 6; i++) {
    const std::string text = std::to_string(i) + NumberedBytes(900'000);
    ASSERT_OK(object->Submit(ctx_, Text(text)));
    expected += text;
  }
  ASSERT_OK(object->Finish(ctx_));
  ASSERT_OK_AND_ASSIGN(const std::string plain, StoredPlain());
  EXPECT_TRUE(plain == expected);
}

TEST_P(OrderedCompressorTest, ReportsASlicesErrorAndStoresNothing) {
  auto object = Open();
  (void)object->Submit(ctx_, Text(Numbered(3))).ok();
  (void)object->Submit(ctx_, [](const Context&, const Emit& emit) -> Status {
    WALRIG_TRY(emit(AsBytes("half")));
    return IoError("the disk is gone");
  }).ok();
  for (int i = 0; i < 10; i++) (void)object->Submit(ctx_, Text(Numbered(i))).ok();
  EXPECT_THAT(object->Finish(ctx_), MessageHas("the disk is gone"));
  EXPECT_THAT(object->Submit(ctx_, Text("x")), ::testing::Not(IsOk()));
  EXPECT_THAT(Exists(ctx_, memory_, "o"), IsOkAndHolds(false));
}

TEST_P(OrderedCompressorTest, TurnsAnExceptionOfASliceIntoAnError) {
  auto object = Open();
  (void)object->Submit(ctx_, [](const Context&, const Emit&) -> Status { throw std::runtime_error("oops"); }).ok();
  EXPECT_THAT(object->Finish(ctx_), MessageHas("oops"));
}

// Gets no memory in one of its calls.
class ThrowingSink final : public Sink {
 public:
  explicit ThrowingSink(bool in_commit) : in_commit_(in_commit) {}
  Status Write(const Context&, ByteSpan) override { return in_commit_ ? OkStatus() : throw std::bad_alloc(); }
  Status Commit(const Context&) override { throw std::bad_alloc(); }
  void Abort() noexcept override {}

 private:
  const bool in_commit_;
};

TEST_P(OrderedCompressorTest, NoMemoryInAnyCallOfTheSinkIsAnError) {
  for (const bool in_commit : {false, true}) {
    ASSERT_OK_AND_ASSIGN(const auto object, OrderedCompressor::New(TheCodec(), std::make_unique<ThrowingSink>(in_commit),
                                                                   {.workers = GetParam().workers}));
    for (int i = 0; i < 10; i++) (void)object->Submit(ctx_, Text(Numbered(i))).ok();
    const Status status = object->Finish(ctx_);
    EXPECT_THAT(status, HasCode(Code::kNoMemory));
    EXPECT_EQ(status.outcome_unknown(), in_commit);
  }
}

TEST_P(OrderedCompressorTest, ReportsTheSinksErrorWhicheverCallFails) {
  for (uint64_t n = 1;; n++) {
    storage_.Set({.fail_from = n, .failure = NoSpace("full")});
    auto object = Open();
    if (object == nullptr) continue;
    for (int i = 20; i < 24; i++) (void)object->Submit(ctx_, Text(Numbered(i))).ok();
    const Status status = object->Finish(ctx_);
    if (storage_.failed() == 0) {
      EXPECT_OK(status);
      EXPECT_GT(n, 4u);
      break;
    }
    EXPECT_THAT(status, HasCode(Code::kNoSpace)) << n;
    EXPECT_THAT(Exists(ctx_, memory_, "o"), IsOkAndHolds(false)) << n;
  }
}

TEST_P(OrderedCompressorTest, StopsWithCancelled) {
  auto object = Open();
  ASSERT_OK(object->Submit(ctx_, Text("begin")));
  ctx_.stop().RequestStop();
  (void)object->Submit(ctx_, Text(Numbered(9))).ok();
  EXPECT_THAT(object->Finish(ctx_), HasCode(Code::kCancelled));
  object.reset();
  EXPECT_EQ(memory_.capabilities().range, true);
}

TEST_P(OrderedCompressorTest, LeavesNothingWhenDroppedUnfinished) {
  {
    auto object = Open();
    for (int i = 0; i < 5; i++) ASSERT_OK(object->Submit(ctx_, Text(Numbered(i))));
  }
  EXPECT_THAT(Exists(ctx_, memory_, "o"), IsOkAndHolds(false));
}

TEST_P(OrderedCompressorTest, MayBeAbortedTwiceAndAfterFinish) {
  auto object = Open();
  ASSERT_OK(object->Submit(ctx_, Text("x")));
  ASSERT_OK(object->Finish(ctx_));
  object->Abort();
  EXPECT_THAT(StoredPlain(), IsOkAndHolds("x"));
  auto other = Open();
  other->Abort();
  other->Abort();
  EXPECT_THAT(other->Finish(ctx_), ::testing::Not(IsOk()));
}

TEST_P(OrderedCompressorTest, RefusesWorkAfterFinish) {
  auto object = Open();
  ASSERT_OK(object->Finish(ctx_));
  EXPECT_THAT(object->Submit(ctx_, Text("x")), HasCode(Code::kInternal));
  EXPECT_THAT(object->Finish(ctx_), HasCode(Code::kInternal));
}

INSTANTIATE_TEST_SUITE_P(
    Modes, OrderedCompressorTest,
    ::testing::Values(Mode{"ParallelFrames", true, true, false, 3}, Mode{"ParallelFramesSealed", true, true, true, 3},
                      Mode{"OneStream", true, false, false, 3}, Mode{"OneStreamSealed", true, false, true, 2},
                      Mode{"Plain", false, false, false, 3}, Mode{"PlainSealed", false, false, true, 3},
                      Mode{"InlineFrames", true, true, true, 1}, Mode{"InlineStream", true, false, false, 1},
                      Mode{"InlinePlain", false, false, false, 1}),
    [](const auto& instance) { return std::string(instance.param.name); });

class SliceWorkersTest : public ::testing::Test {
 protected:
  TestContext ctx_;
  FakeCompressor compressor_;
  Codec codec_{&compressor_, nullptr};
};

TEST_F(SliceWorkersTest, ServeSeveralObjectsAtOnceWithOneEncoderAWorker) {
  ASSERT_OK_AND_ASSIGN(auto workers, SliceWorkers::New(codec_, 2));
  MemoryStorage storage;
  std::vector<std::unique_ptr<OrderedCompressor>> objects;
  for (int i = 0; i < 4; i++) {
    ASSERT_OK_AND_ASSIGN(auto sink, storage.Put(ctx_, std::to_string(i), {}));
    ASSERT_OK_AND_ASSIGN(auto object, OrderedCompressor::New(*workers, std::move(sink), {}));
    objects.push_back(std::move(object));
  }
  for (int round = 0; round < 25; round++) {
    for (int i = 0; i < 4; i++) {
      ASSERT_OK(objects[static_cast<size_t>(i)]->Submit(ctx_, [i, round](const Context&, const Emit& emit) {
        return emit(AsBytes(std::to_string(i) + "/" + std::to_string(round) + ";"));
      }));
    }
  }
  for (int i = 0; i < 4; i++) {
    ASSERT_OK(objects[static_cast<size_t>(i)]->Finish(ctx_));
    ASSERT_OK_AND_ASSIGN(auto stored, storage.Get(ctx_, std::to_string(i), {}));
    ASSERT_OK_AND_ASSIGN(auto plain, DecodingSource::New(codec_, std::move(stored), "o"));
    std::string expected;
    for (int round = 0; round < 25; round++) expected += std::to_string(i) + "/" + std::to_string(round) + ";";
    EXPECT_THAT(Drain(ctx_, *plain), IsOkAndHolds(expected));
  }
  EXPECT_LE(compressor_.encoders_made(), 2);
}

TEST_F(SliceWorkersTest, RunSlicesAtTheSameTime) {
  ASSERT_OK_AND_ASSIGN(auto object, OrderedCompressor::New(codec_, std::make_unique<MemorySink>(), {.workers = 2}));
  std::latch both(2);  // opens only when two slices run at once
  for (int i = 0; i < 2; i++) {
    ASSERT_OK(object->Submit(ctx_, [&both](const Context&, const Emit& emit) {
      both.arrive_and_wait();
      return emit(AsBytes("x"));
    }));
  }
  EXPECT_OK(object->Finish(ctx_));
}

TEST_F(SliceWorkersTest, HoldSubmitBackAtPendingMax) {
  ASSERT_OK_AND_ASSIGN(auto object, OrderedCompressor::New(codec_, std::make_unique<MemorySink>(),
                                                           {.workers = 2, .pending_max = 2}));
  std::binary_semaphore gate(0);
  std::atomic<int> begun{0};
  const Slice first = [&](const Context&, const Emit& emit) {
    gate.acquire();
    return emit(AsBytes("1"));
  };
  const Slice next = [&](const Context&, const Emit& emit) {
    begun++;
    return emit(AsBytes("2"));
  };
  ASSERT_OK(object->Submit(ctx_, first));
  ASSERT_OK(object->Submit(ctx_, next));
  // The third finds two unwritten slices; a stop ends its waiting.
  TestContext stopped;
  stopped.stop().RequestStop();
  EXPECT_THAT(object->Submit(stopped, next), HasCode(Code::kCancelled));
  gate.release();
  ASSERT_OK(object->Submit(ctx_, next));
  EXPECT_OK(object->Finish(ctx_));
  EXPECT_EQ(begun, 2);
}

TEST_F(SliceWorkersTest, RefuseACompressorThatOnlyReads) {
  compressor_.mutable_traits().encode = false;
  EXPECT_THAT(SliceWorkers::New(codec_, 2), HasCode(Code::kNotSupported));
}

TEST_F(SliceWorkersTest, AbortFromAnotherThreadEndsARunningObject) {
  ASSERT_OK_AND_ASSIGN(auto object, OrderedCompressor::New(codec_, std::make_unique<MemorySink>(), {.workers = 2}));
  std::latch running(1);
  ASSERT_OK(object->Submit(ctx_, [&running](const Context&, const Emit& emit) {
    running.count_down();
    Status status;
    while (status.ok()) status = emit(AsBytes("more"));
    return status;
  }));
  running.wait();
  std::jthread aborter([&] { object->Abort(); });
  EXPECT_THAT(object->Finish(ctx_), HasCode(Code::kCancelled));
}

TEST_F(SliceWorkersTest, FinishAndSubmitAfterAbortSayThatTheObjectWasGivenUp) {
  ASSERT_OK_AND_ASSIGN(auto object, OrderedCompressor::New(codec_, std::make_unique<MemorySink>(), {.workers = 2}));
  object->Abort();
  EXPECT_THAT(object->Submit(ctx_, [](const Context&, const Emit&) { return OkStatus(); }), HasCode(Code::kCancelled));
  EXPECT_THAT(object->Finish(ctx_), HasCode(Code::kCancelled));
}

}  // namespace
}  // namespace walrig::test
