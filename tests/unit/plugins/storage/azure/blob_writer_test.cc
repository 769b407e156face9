// Uploads against a scripted service that keeps blocks and lists as the real one does.
#include "plugins/storage/azure/blob_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "plugins/storage/azure/open.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"
#include "tests/unit/plugins/common/http/script_server.h"

namespace walrig::azure {
namespace {

using test::HasCode;
using test::IsOk;
using test::ScriptAnswer;
using test::ScriptRequest;
using test::ScriptServer;

constexpr size_t kBlock = 4096;

std::string Between(const std::string& text, std::string_view before, std::string_view after, size_t* at) {
  const size_t begin = text.find(before, *at);
  const size_t end = begin == std::string::npos ? begin : text.find(after, begin + before.size());
  if (end == std::string::npos) return "";
  *at = end;
  return text.substr(begin + before.size(), end - begin - before.size());
}

ScriptAnswer Error(int status, const std::string& name) { return ScriptAnswer::Of(status, "", {{"x-ms-error-code", name}}); }

ScriptAnswer Made() { return ScriptAnswer::Of(201, "", {{"ETag", "\"0x1\""}, {"x-ms-request-id", "1"}}); }

// One blob of the service. Called under the server's lock; to be read when no request is on its way.
struct Blob {
  std::map<std::string, std::string> uncommitted, committed;
  std::vector<std::string> taken;  // identifiers of blocks, as they were taken
  std::string bytes;
  int lists = 0, wholes = 0;

  ScriptAnswer Take(const ScriptRequest& request) {
    if (request.target.find("comp=blocklist") != std::string::npos) return TakeList(request.body);
    if (request.target.find("comp=block&") == std::string::npos) {
      ++wholes;
      bytes = request.body;
      return Made();
    }
    size_t at = 0;
    std::string id = Between(request.target + "&", "blockid=", "&", &at);
    for (size_t escape = id.find("%3D"); escape != std::string::npos; escape = id.find("%3D")) id.replace(escape, 3, "=");
    taken.push_back(id);
    uncommitted[id] = request.body;
    return Made();
  }
  ScriptAnswer TakeList(const std::string& list) {
    ++lists;
    const bool latest = list.find("<Latest>") != std::string::npos;
    std::map<std::string, std::string> found;
    std::string whole;
    size_t at = 0;
    while (true) {
      const std::string id = Between(list, latest ? "<Latest>" : "<Uncommitted>", "</", &at);
      if (id.empty()) break;
      auto block = uncommitted.find(id);
      if (block == uncommitted.end()) {
        block = committed.find(id);
        if (!latest || block == committed.end()) return Error(400, "InvalidBlockList");
      }
      found.insert(*block);
      whole += block->second;
    }
    committed = std::move(found);
    uncommitted.clear();
    bytes = std::move(whole);
    return Made();
  }
};

bool IsBlock(const ScriptRequest& request) { return request.target.find("comp=block&") != std::string::npos; }
bool IsList(const ScriptRequest& request) { return request.target.find("comp=blocklist") != std::string::npos; }

std::string Bytes(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& byte : bytes) byte = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  return bytes;
}

class BlobWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(HttpGlobalInit(), IsOk());
    context_.UseRealClock();
  }
  std::unique_ptr<Sink> Put(const ScriptServer& server, PutOptions options = {}) {
    Config config;
    config.prefix = "azure://container/p";
    config.account = "acme";
    config.endpoint = server.url("/acme");
    config.access_key = sdk::Secret({'a', '2', 'V', '5'});
    config.proxy = "-";
    config.block_bytes = kBlock;
    auto storage = OpenStorage(config);
    EXPECT_THAT(storage, IsOk());
    storage_ = *std::move(storage);
    auto sink = storage_->Put(context_, "k", options);
    EXPECT_THAT(sink, IsOk());
    return *std::move(sink);
  }
  // As the core goes on: the same call again, while it failed resumably.
  template <typename Call>
  Status Resume(const Call& call) {
    Status status = call();
    for (int tries = 0; status.resumable() && tries < 10; ++tries) {
      failures_.push_back(std::move(status));
      status = call();
    }
    return status;
  }
  Status WriteAll(Sink& sink, std::string_view bytes, size_t piece_bytes) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece_bytes, bytes.size()))) {
      const ByteSpan piece = AsBytes(bytes.substr(0, piece_bytes));
      WALRIG_TRY(Resume([&] { return sink.Write(context_, piece); }));
    }
    return OkStatus();
  }
  Status Commit(Sink& sink) {
    return Resume([&] { return sink.Commit(context_); });
  }

  test::TestContext context_;
  std::unique_ptr<Storage> storage_;
  std::vector<Status> failures_;  // after which Resume went on
};

TEST_F(BlobWriterTest, SendsABlockAndTheListAgainAndNoByteTwice) {
  const std::string bytes = Bytes(10 * kBlock + 77);
  for (const size_t piece_bytes : {size_t{1000}, 3 * kBlock, bytes.size()}) {
    Blob blob;
    int blocks = 0, lists = 0;
    ScriptServer server([&](const ScriptRequest& request) {
      if (IsBlock(request) && ++blocks == 3) return Error(503, "ServerBusy");
      if (IsList(request) && ++lists == 1) return Error(503, "ServerBusy");
      return blob.Take(request);
    });
    const auto sink = Put(server);
    failures_.clear();
    ASSERT_THAT(WriteAll(*sink, bytes, piece_bytes), IsOk());
    ASSERT_THAT(Commit(*sink), IsOk());
    EXPECT_EQ(failures_.size(), 2u);
    EXPECT_EQ(server.requests().size(), 11u + 1 + 2);
    EXPECT_TRUE(blob.bytes == bytes) << "in pieces of " << piece_bytes;
    EXPECT_EQ(blob.taken.size(), 11u);
    EXPECT_EQ(std::set<std::string>(blob.taken.begin(), blob.taken.end()).size(), 11u);
  }
}

TEST_F(BlobWriterTest, GoesOnAfterEveryBlockFailedOnce) {
  const std::string bytes = Bytes(6 * kBlock + 1);
  Blob blob;
  std::set<std::string> met;
  ScriptServer server([&](const ScriptRequest& request) {
    if (IsBlock(request) && met.insert(request.target).second) return Error(500, "InternalError");
    return blob.Take(request);
  });
  const auto sink = Put(server);
  ASSERT_THAT(WriteAll(*sink, bytes, 700), IsOk());
  ASSERT_THAT(Commit(*sink), IsOk());
  EXPECT_EQ(server.requests().size(), 14u + 1);
  EXPECT_EQ(blob.taken.size(), 7u);
  EXPECT_TRUE(blob.bytes == bytes);
}

TEST_F(BlobWriterTest, ALostAnswerToABlockLeavesNothingUnknownAndOneToTheListDoes) {
  const std::string bytes = Bytes(3 * kBlock);
  Blob blob;
  int blocks = 0, lists = 0;
  ScriptServer server([&](const ScriptRequest& request) {
    ScriptAnswer answer = blob.Take(request);
    if ((IsBlock(request) && ++blocks == 1) || (IsList(request) && ++lists == 1)) return ScriptAnswer{"", ScriptAnswer::Then::kReset};
    return answer;
  });
  const auto sink = Put(server);
  ASSERT_THAT(WriteAll(*sink, bytes, bytes.size()), IsOk());
  ASSERT_THAT(Commit(*sink), IsOk());
  ASSERT_EQ(failures_.size(), 2u);
  EXPECT_FALSE(failures_[0].outcome_unknown());
  EXPECT_TRUE(failures_[1].outcome_unknown());
  // The second list came when the blocks were the blob's already.
  EXPECT_EQ(server.requests().size(), 3u + 1 + 2);
  EXPECT_EQ(blob.lists, 2);
  EXPECT_TRUE(blob.bytes == bytes);
}

// A page for maintenance, a portal: everything is answered with 200.
TEST_F(BlobWriterTest, AnAnswerOfAnybodyIsNoStoredBlob) {
  for (const size_t size : {size_t{10}, 3 * kBlock}) {
    ScriptServer server([](const ScriptRequest&) { return ScriptAnswer::Of(200, "<html>", {{"ETag", "\"x\""}}); });
    const auto sink = Put(server);
    const std::string bytes = Bytes(size);
    Status status = sink->Write(context_, AsBytes(bytes));
    if (status.ok()) status = sink->Commit(context_);
    EXPECT_THAT(status, HasCode(Code::kProtocol)) << size;
    EXPECT_TRUE(status.retryable());
  }
}

TEST_F(BlobWriterTest, SendsAPutBlobAgain) {
  Blob blob;
  int wholes = 0;
  ScriptServer server([&](const ScriptRequest& request) { return ++wholes == 1 ? Error(503, "ServerBusy") : blob.Take(request); });
  const auto sink = Put(server);
  ASSERT_THAT(WriteAll(*sink, "hello", 2), IsOk());
  ASSERT_THAT(Commit(*sink), IsOk());
  EXPECT_EQ(failures_.size(), 1u);
  EXPECT_EQ(blob.bytes, "hello");
}

TEST_F(BlobWriterTest, DoesNotGoOnWithoutItsBlocksOrItsRights) {
  const std::string bytes = Bytes(3 * kBlock);
  Blob blob;
  ScriptServer server([&](const ScriptRequest& request) {
    if (IsList(request)) blob.uncommitted.clear();  // as another commit of that name does
    return blob.Take(request);
  });
  const auto sink = Put(server);
  ASSERT_THAT(WriteAll(*sink, bytes, 1000), IsOk());
  const Status status = sink->Commit(context_);
  EXPECT_THAT(status, HasCode(Code::kConflict));
  EXPECT_TRUE(status.retryable());
  EXPECT_FALSE(status.resumable());
  EXPECT_THAT(sink->Commit(context_), HasCode(Code::kInternal));

  ScriptServer refuses([](const ScriptRequest&) { return Error(403, "AuthorizationFailure"); });
  const auto refused = Put(refuses);
  ASSERT_THAT(WriteAll(*refused, std::string_view(bytes).substr(0, kBlock), kBlock), IsOk());
  Status denied = refused->Write(context_, AsBytes("x"));
  if (denied.ok()) denied = refused->Commit(context_);
  EXPECT_THAT(denied, HasCode(Code::kUnauthenticated));
  EXPECT_FALSE(denied.resumable());
  EXPECT_THAT(refused->Commit(context_), HasCode(Code::kInternal));
}

TEST_F(BlobWriterTest, SaysAlreadyExistsWhenTheConditionFails) {
  ScriptServer server([](const ScriptRequest& request) { return IsList(request) ? Error(412, "ConditionNotMet") : Made(); });
  const auto sink = Put(server, {.only_if_absent = true});
  ASSERT_THAT(WriteAll(*sink, Bytes(3 * kBlock), kBlock), IsOk());
  const Status status = sink->Commit(context_);
  EXPECT_THAT(status, HasCode(Code::kAlreadyExists));
  EXPECT_FALSE(status.resumable());
}

}  // namespace
}  // namespace walrig::azure
