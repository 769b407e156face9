// RealS3: the storage on a real server, which tests/integration/test_s3.py starts and names in the environment. Skipped
// without it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "plugins/storage/s3/storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig::s3 {
namespace {

using test::HasCode;
using test::IsOk;

constexpr uint64_t kPart = 5u << 20;

std::string Named(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? std::string() : std::string(value);
}

class RealS3 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Named("WALRIG_TEST_S3_ENDPOINT").empty()) GTEST_SKIP() << "no server is named";
    ASSERT_THAT(HttpGlobalInit(), IsOk());
    context_.UseRealClock();
    bytes_.resize(2 * kPart + 4321);
    uint32_t x = 1;
    for (char& c : bytes_) c = static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
    settings_.bucket = Named("WALRIG_TEST_S3_BUCKET");
    settings_.folder = std::string("real/") + ::testing::UnitTest::GetInstance()->current_test_info()->name() + "/";
    settings_.endpoint = Named("WALRIG_TEST_S3_ENDPOINT");
    settings_.ca_file = Named("WALRIG_TEST_S3_CA");
    settings_.proxy = "-";
    settings_.copy_part_bytes = kPart;
    settings_.credentials.access_key = Named("WALRIG_TEST_S3_KEY");
    settings_.credentials.secret_key = Named("WALRIG_TEST_S3_SECRET");
    OpenAnew();
  }
  void OpenAnew() {
    auto storage = S3Storage::Open(settings_);
    ASSERT_THAT(storage, IsOk());
    storage_ = *std::move(storage);
  }
  std::unique_ptr<Sink> Begin(std::string_view key, const PutOptions& options = {.memory_budget_bytes = kPart}) {
    auto sink = storage_->Put(context_, key, options);
    EXPECT_THAT(sink, IsOk());
    return *std::move(sink);
  }
  Status PutBytes(std::string_view key, std::string_view bytes, const PutOptions& options = {.memory_budget_bytes = kPart}) {
    auto sink = Begin(key, options);
    WALRIG_TRY(sink->Write(context_, AsBytes(bytes)));
    return sink->Commit(context_);
  }
  std::string Content(std::string_view key) {
    auto source = storage_->Get(context_, key, {});
    EXPECT_THAT(source, IsOk());
    std::string all;
    Buffer buffer(1u << 20);
    while (source.ok()) {
      const Result<size_t> n = (*source)->Read(context_, buffer.span());
      EXPECT_THAT(n, IsOk());
      if (!n.ok() || *n == 0) break;
      all.append(reinterpret_cast<const char*>(buffer.data()), *n);
    }
    return all;
  }
  std::vector<std::string> Unfinished(std::string_view prefix = "") {
    const auto page = storage_->ListUnfinished(context_, prefix, "");
    EXPECT_THAT(page, IsOk());
    std::vector<std::string> keys;
    if (page.ok()) {
      for (const UnfinishedUpload& upload : page->entries) keys.push_back(upload.key);
    }
    return keys;
  }
  // An ETag of a multipart upload ends with the number of its parts.
  void CopyAndCompare() {
    ASSERT_THAT(PutBytes("from", bytes_), IsOk());
    ASSERT_THAT(storage_->Copy(context_, "from", "to"), IsOk());
    EXPECT_TRUE(Content("to") == bytes_);
    const auto info = storage_->Stat(context_, "to");
    ASSERT_THAT(info, IsOk());
    EXPECT_TRUE(info->etag.find("-3\"") != std::string::npos) << info->etag;
    EXPECT_TRUE(Unfinished().empty());
  }

  test::TestContext context_;
  Settings settings_;
  std::unique_ptr<Storage> storage_;
  std::string bytes_;
};

TEST_F(RealS3, CopiesInPartsAtOnce) { CopyAndCompare(); }

TEST_F(RealS3, CopiesInPartsOneByOne) {
  settings_.concurrency = 1;
  OpenAnew();
  CopyAndCompare();
}

TEST_F(RealS3, CopiesInPartsWithACustomersKey) {
  settings_.sse_c_key = "0123456789abcdef0123456789ABCDEF";
  OpenAnew();
  CopyAndCompare();
}

TEST_F(RealS3, CopiesASmallOneWholeAlsoWithACustomersKey) {
  settings_.sse_c_key = "0123456789abcdef0123456789ABCDEF";
  settings_.tags = "a=b";
  OpenAnew();
  ASSERT_THAT(PutBytes("from", "small"), IsOk());
  ASSERT_THAT(storage_->Copy(context_, "from", "to"), IsOk());
  EXPECT_EQ(Content("to"), "small");
}

TEST_F(RealS3, LeavesNoUploadOfAWriterThatIsDropped) {
  {
    auto sink = Begin("dropped");
    ASSERT_THAT(sink->Write(context_, AsBytes(bytes_)), IsOk());
    EXPECT_EQ(Unfinished(), std::vector<std::string>{"dropped"});
  }
  EXPECT_TRUE(Unfinished().empty());
  EXPECT_THAT(storage_->Stat(context_, "dropped"), HasCode(Code::kNotFound));
}

TEST_F(RealS3, FindsAnUploadByPartOfItsNameAndRemovesIt) {
  auto sink = Begin("base/name");
  ASSERT_THAT(sink->Write(context_, AsBytes(bytes_)), IsOk());
  EXPECT_EQ(Unfinished("base/"), std::vector<std::string>{"base/name"});
  EXPECT_TRUE(Unfinished("other/").empty());
  const auto page = storage_->ListUnfinished(context_, "base/", "");
  ASSERT_THAT(page, IsOk());
  std::vector<Status> each;
  ASSERT_THAT(storage_->AbortUnfinished(context_, page->entries, &each), IsOk());
  EXPECT_THAT(each.at(0), IsOk());
  EXPECT_TRUE(Unfinished().empty());
}

TEST_F(RealS3, MakesAnObjectOnlyOnce) {
  ASSERT_THAT(PutBytes("one", "first", {.only_if_absent = true}), IsOk());
  EXPECT_THAT(PutBytes("one", "second", {.only_if_absent = true}), HasCode(Code::kAlreadyExists));
  const PutOptions parts{.only_if_absent = true, .memory_budget_bytes = kPart};
  EXPECT_THAT(PutBytes("one", bytes_, parts), HasCode(Code::kAlreadyExists));
  EXPECT_EQ(Content("one"), "first");
  EXPECT_THAT(PutBytes("many", bytes_, parts), IsOk());
  EXPECT_TRUE(Unfinished().empty());
}

}  // namespace
}  // namespace walrig::s3
