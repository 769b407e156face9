// Deleting in a bucket that keeps versions: everything wanted goes, nothing else does, in few requests.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>
#include <set>

#include "plugins/common/http/text.h"
#include "plugins/storage/s3/storage.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"
#include "tests/unit/plugins/common/http/script_server.h"

namespace walrig::s3 {
namespace {

using test::IsOk;
using test::ScriptAnswer;
using test::ScriptRequest;
using test::ScriptServer;

std::string Between(std::string_view text, std::string_view begin, std::string_view end, size_t* from) {
  const size_t at = text.find(begin, *from);
  if (at == text.npos) return *from = text.npos, "";
  const size_t first = at + begin.size();
  *from = text.find(end, first);
  return std::string(text.substr(first, *from - first));
}

// A bucket with versions, as S3 lists and deletes them.
struct Bucket {
  std::map<std::string, std::set<std::string>> versions;  // by key; an empty set never
  size_t page = 1000;
  bool sorted = true;
  int lists = 0, deletes = 0;
  std::set<std::string> protected_keys;

  void Fill(const std::string& key, int count) {
    for (int i = 0; i < count; ++i) versions[key].insert(fmt::format("v{:03}", i));
  }

  static std::string Parameter(const std::string& target, const std::string& name) {
    size_t at = 0;
    for (std::string mark : {"?" + name + "=", "&" + name + "="}) {
      at = 0;
      std::string value = Between(target + "&", mark, "&", &at);
      if (at != std::string::npos) return http::PercentDecode(value, true);
    }
    return "";
  }

  ScriptAnswer Answer(const ScriptRequest& request) {
    if (request.method == "POST") return Delete(request.body);
    return List(Parameter(request.target, "prefix"), Parameter(request.target, "key-marker"), Parameter(request.target, "version-id-marker"));
  }

  ScriptAnswer List(const std::string& prefix, const std::string& key_marker, const std::string& id_marker) {
    ++lists;
    std::vector<std::pair<std::string, std::string>> found;
    bool more = false;
    for (auto key = versions.lower_bound(prefix); key != versions.end() && key->first.starts_with(prefix) && !more; ++key) {
      if (key->first < key_marker || (key->first == key_marker && id_marker.empty() && !key_marker.empty())) continue;
      for (const std::string& id : key->second) {
        if (key->first == key_marker && id <= id_marker) continue;
        more = found.size() == page;
        if (more) break;
        found.emplace_back(key->first, id);
      }
    }
    std::string next = more ? fmt::format("<NextKeyMarker>{}</NextKeyMarker><NextVersionIdMarker>{}</NextVersionIdMarker>",
                                          found.back().first, found.back().second) : "";
    // A server that goes by an order of its own.
    if (!sorted && more) next = fmt::format("<NextKeyMarker>{}</NextKeyMarker><NextVersionIdMarker>{}</NextVersionIdMarker>", found.front().first, found.front().second);
    std::string body;
    for (const auto& [key, id] : found) {
      const char* what = id == "v000" ? "DeleteMarker" : "Version";
      body += fmt::format("<{0}><Key>{1}</Key><VersionId>{2}</VersionId></{0}>", what, key, id);
    }
    return ScriptAnswer::Of(200, fmt::format("<ListVersionsResult><IsTruncated>{}</IsTruncated>{}{}</ListVersionsResult>", more, next, body));
  }

  ScriptAnswer Delete(const std::string& body) {
    ++deletes;
    std::string errors;
    for (size_t at = 0;;) {
      const std::string key = Between(body, "<Key>", "</Key>", &at);
      if (at == std::string::npos) break;
      const std::string id = Between(body, "<VersionId>", "</VersionId>", &at);
      EXPECT_NE(at, std::string::npos) << "a key without a version only makes a mark";
      if (protected_keys.contains(key)) {
        errors += fmt::format("<Error><Key>{}</Key><Code>AccessDenied</Code><Message>locked</Message></Error>", key);
        continue;
      }
      if (const auto found = versions.find(key); found != versions.end()) {
        found->second.erase(id);
        if (found->second.empty()) versions.erase(found);
      }
    }
    return ScriptAnswer::Of(200, "<DeleteResult>" + errors + "</DeleteResult>");
  }
};

class S3VersionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(HttpGlobalInit(), IsOk());
    context_.UseRealClock();
  }
  std::vector<Status> Delete(const std::vector<std::string>& keys) {
    ScriptServer server([this](const ScriptRequest& request) { return bucket_.Answer(request); });
    Settings settings;
    settings.bucket = "bucket";
    settings.folder = "p/";
    settings.endpoint = server.url("");
    settings.proxy = "-";
    settings.versions = Versions::kAll;
    settings.credentials.access_key = "AKID";
    settings.credentials.secret_key = "secret";
    const auto storage = S3Storage::Open(std::move(settings));
    EXPECT_THAT(storage, IsOk());
    std::vector<Status> each;
    EXPECT_THAT((*storage)->Delete(context_, keys, &each), IsOk());
    EXPECT_EQ(each.size(), keys.size());
    return each;
  }
  static std::string Key(int number) { return fmt::format("wal_005/{:06}", number); }

  test::TestContext context_;
  Bucket bucket_;
};

TEST_F(S3VersionsTest, AThousandNeighboursGoInARequestForEachPage) {
  std::vector<std::string> keys;
  for (int i = 0; i < 1000; ++i) {
    bucket_.Fill("p/" + Key(i), 2);
    keys.push_back(Key(i));
  }
  bucket_.Fill("p/" + Key(1000), 2);
  bucket_.Fill("q/other", 1);
  for (const Status& status : Delete(keys)) EXPECT_THAT(status, IsOk());
  EXPECT_EQ(bucket_.versions.size(), 2u);
  EXPECT_LE(bucket_.lists, 4);
  EXPECT_LE(bucket_.deletes, 4);
}

// Every choice of keys, whatever lies between them and however the pages fall.
TEST_F(S3VersionsTest, ScatteredKeysGoAndTheirNeighboursStayWithPagesOfAnySize) {
  for (size_t page = 1; page <= 9; ++page) {
    for (const bool sorted : {true, false}) {
      bucket_ = {};
      bucket_.page = page;
      bucket_.sorted = sorted;
      for (int i = 0; i < 40; ++i) bucket_.Fill("p/" + Key(i), 1 + i % 4);
      bucket_.Fill("p/" + Key(7) + ".more", 2);  // begins like one that goes
      std::vector<std::string> keys = {Key(31), Key(7), Key(8), Key(39), Key(0), "never/there", Key(9)};
      for (const Status& status : Delete(keys)) EXPECT_THAT(status, IsOk()) << page << sorted;
      for (int i = 0; i < 40; ++i) {
        const bool goes = i == 0 || (i >= 7 && i <= 9) || i == 31 || i == 39;
        EXPECT_EQ(bucket_.versions.contains("p/" + Key(i)), !goes) << i << " page " << page << " sorted " << sorted;
        if (!goes) {
          EXPECT_EQ(bucket_.versions["p/" + Key(i)].size(), 1u + static_cast<size_t>(i % 4));
        }
      }
      EXPECT_EQ(bucket_.versions.size(), 40u - 6u + 1u);
    }
  }
}

TEST_F(S3VersionsTest, AFewKeysFarApartAreNotReachedThroughAllThatLiesBetween) {
  bucket_.page = 10;
  for (int i = 0; i < 5000; ++i) bucket_.Fill("p/" + Key(i), 1);
  Delete({Key(10), Key(2500), Key(4990)});
  EXPECT_EQ(bucket_.versions.size(), 4997u);
  EXPECT_LE(bucket_.lists, 6);
}

TEST_F(S3VersionsTest, AVersionThatMayNotGoIsItsKeysFailureAlone) {
  for (int i = 0; i < 5; ++i) bucket_.Fill("p/" + Key(i), 2);
  bucket_.protected_keys = {"p/" + Key(2)};
  const std::vector<Status> each = Delete({Key(0), Key(1), Key(2), Key(3)});
  for (size_t i = 0; i < each.size(); ++i) EXPECT_EQ(each[i].ok(), i != 2) << i;
  EXPECT_EQ(each[2].code(), Code::kPermission);
  EXPECT_EQ(bucket_.versions.size(), 2u);
}

}  // namespace
}  // namespace walrig::s3
