// The kit is judged too: the reference storage passes all of it, and storages with one fault each fail the check
// that names the fault.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "core/storage/memory.h"
#include "core/storage/wrapper.h"
#include "sdk/conformance/storage_suite.h"

namespace walrig::conformance {
namespace {

// One memory shared by all instances, as a real place is; `Faulty` wraps it.
template <typename Faulty>
StorageFixture FixtureOf(std::shared_ptr<MemoryStorage> memory) {
  StorageFixture fixture;
  fixture.list_keys = 300;
  fixture.open = [memory]() -> Result<std::unique_ptr<Storage>> { return std::unique_ptr<Storage>(new Faulty(*memory)); };
  return fixture;
}

std::string VerdictOn(const StorageFixture& fixture, const std::string& name) {
  for (const Check& check : StorageSuite(fixture)) {
    if (check.name != "storage/" + name) continue;
    Verdict verdict;
    check.run(verdict);
    return verdict.kind() == Verdict::Kind::kFail ? "fail: " + verdict.why() : "pass";
  }
  return "no such check";
}

class Sound : public Storage {
 public:
  explicit Sound(Storage& base) : base_(base) {}
  StorageCapabilities capabilities() const override { return base_.capabilities(); }
  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override { return base_.Stat(ctx, key); }
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override {
    return base_.Get(ctx, key, options);
  }
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    return base_.Put(ctx, key, options);
  }
  Result<ListPage> List(const Context& ctx, const ListOptions& options) override { return base_.List(ctx, options); }
  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override {
    return base_.Delete(ctx, keys, each);
  }
  Status Copy(const Context& ctx, std::string_view from, std::string_view to) override { return base_.Copy(ctx, from, to); }
  Result<UnfinishedPage> ListUnfinished(const Context& ctx, std::string_view prefix, std::string_view token) override {
    return base_.ListUnfinished(ctx, prefix, token);
  }
  Status AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                         std::vector<Status>* each) override {
    return base_.AbortUnfinished(ctx, uploads, each);
  }

 protected:
  Storage& base_;
};

class IgnoresIfAbsent : public Sound {
 public:
  using Sound::Sound;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    PutOptions changed = options;
    changed.only_if_absent = false;
    return base_.Put(ctx, key, changed);
  }
};

class IgnoresOffsets : public Sound {
 public:
  using Sound::Sound;
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override {
    GetOptions changed = options;
    changed.offset = 0;
    return base_.Get(ctx, key, changed);
  }
};

class ForgetsTheSecondPage : public Sound {
 public:
  using Sound::Sound;
  Result<ListPage> List(const Context& ctx, const ListOptions& options) override {
    auto page = base_.List(ctx, options);
    if (page.ok()) page->next_page_token.clear();
    return page;
  }
};

class FoldsNames : public Sound {
 public:
  using Sound::Sound;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    std::string changed(key);
    for (char& c : changed) c = c == ' ' ? '_' : c;
    return base_.Put(ctx, changed, options);
  }
};

class IgnoresTheEtag : public Sound {
 public:
  using Sound::Sound;
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override {
    GetOptions changed = options;
    changed.if_match_etag.clear();
    return base_.Get(ctx, key, changed);
  }
};

class RemovesNoUpload : public Sound {
 public:
  using Sound::Sound;
  Status AbortUnfinished(const Context&, std::span<const UnfinishedUpload> uploads,
                         std::vector<Status>* each) override {
    each->assign(uploads.size(), OkStatus());
    return OkStatus();
  }
};

// Counts in 32 bits: what lies beyond 4 GiB is read from the beginning.
class CountsIn32Bits : public Sound {
 public:
  using Sound::Sound;
  Result<std::unique_ptr<Sink>> Put(const Context&, std::string_view, const PutOptions&) override {
    class Counter : public Sink {
     public:
      explicit Counter(uint64_t* bytes) : bytes_(bytes) {}
      Status Write(const Context&, ByteSpan bytes) override {
        *bytes_ += bytes.size();
        return OkStatus();
      }
      Status Commit(const Context&) override { return OkStatus(); }
      void Abort() noexcept override {}

     private:
      uint64_t* bytes_;
    };
    return std::unique_ptr<Sink>(new Counter(&bytes_));
  }
  Result<ObjectInfo> Stat(const Context&, std::string_view key) override {
    ObjectInfo info;
    info.key = key;
    info.size_bytes = bytes_;
    return info;
  }
  Result<std::unique_ptr<Source>> Get(const Context&, std::string_view, const GetOptions&) override {
    class Blocks : public Source {
     public:
      explicit Blocks(uint64_t bytes) : bytes_(bytes) {}
      Result<size_t> Read(const Context&, MutableByteSpan buffer) override {
        const size_t n = static_cast<size_t>(std::min<uint64_t>(buffer.size(), bytes_ - at_));
        std::fill_n(buffer.begin(), n, uint8_t{0});
        const uint64_t number = static_cast<uint32_t>(at_) >> 20;
        if (at_ % (1u << 20) == 0 && n >= sizeof number) std::memcpy(buffer.data(), &number, sizeof number);
        at_ += n;
        return n;
      }

     private:
      uint64_t bytes_, at_ = 0;
    };
    return std::unique_ptr<Source>(new Blocks(bytes_));
  }

 private:
  uint64_t bytes_ = 0;
};

TEST(ConformanceKitTest, FindsOffsetsThatWrapAtFourGib) {
  const std::string verdict = VerdictOn(FixtureOf<CountsIn32Bits>(std::make_shared<MemoryStorage>()), "six_gib_in_bounded_memory");
  EXPECT_NE(verdict.find("block 4096 came back different"), std::string::npos) << verdict;
}

TEST(ConformanceKitTest, FindsUploadsThatAreNotRemoved) {
  auto memory = std::make_shared<MemoryStorage>();
  EXPECT_NE(VerdictOn(FixtureOf<RemovesNoUpload>(memory), "an_upload_without_an_end_is_found_and_removed"), "pass");
}

TEST(ConformanceKitTest, TheReferenceStoragePassesEveryCheck) {
  auto memory = std::make_shared<MemoryStorage>();
  for (const Check& check : StorageSuite(FixtureOf<Sound>(memory))) {
    if (check.name == "storage/the_memory_budget_is_kept" || check.level > 2) continue;  // it keeps objects in memory, that is its nature
    Verdict verdict;
    check.run(verdict);
    EXPECT_NE(verdict.kind(), Verdict::Kind::kFail) << check.name << ": " << verdict.why();
  }
}

TEST(ConformanceKitTest, FindsPutIfAbsentThatOverwrites) {
  auto memory = std::make_shared<MemoryStorage>();
  EXPECT_NE(VerdictOn(FixtureOf<IgnoresIfAbsent>(memory), "put_if_absent_keeps_the_first"), "pass");
  EXPECT_NE(VerdictOn(FixtureOf<IgnoresIfAbsent>(memory), "put_if_absent_has_one_winner"), "pass");
}

TEST(ConformanceKitTest, FindsRangesThatAreIgnored) {
  EXPECT_NE(VerdictOn(FixtureOf<IgnoresOffsets>(std::make_shared<MemoryStorage>()), "ranges_are_exact"), "pass");
}

TEST(ConformanceKitTest, FindsListsThatEndAfterOnePage) {
  EXPECT_NE(VerdictOn(FixtureOf<ForgetsTheSecondPage>(std::make_shared<MemoryStorage>()), "every_key_is_listed_once"), "pass");
}

TEST(ConformanceKitTest, FindsNamesThatAreChanged) {
  EXPECT_NE(VerdictOn(FixtureOf<FoldsNames>(std::make_shared<MemoryStorage>()), "nasty_names_are_held_or_refused"), "pass");
}

TEST(ConformanceKitTest, FindsEtagsThatGuardNothing) {
  EXPECT_NE(VerdictOn(FixtureOf<IgnoresTheEtag>(std::make_shared<MemoryStorage>()), "etag_guards_a_replaced_object"), "pass");
}

}  // namespace
}  // namespace walrig::conformance
