// A session against a scripted server that claims what cannot be.
#include <gtest/gtest.h>

#include <cstring>

#include "plugins/storage/gcs/upload.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"
#include "tests/unit/plugins/common/http/script_server.h"

namespace walrig::gcs {
namespace {

TEST(SessionUploadTest, NeverLeavesOutWhatTheServerOnlyClaimsToHave) {
  ASSERT_TRUE(HttpGlobalInit().ok());
  test::TestContext context;
  context.UseRealClock();
  test::ScriptServer server([](const test::ScriptRequest& r) {
    if (r.method == "POST") return test::ScriptAnswer::Of(200, "", {{"Location", "http://h/upload/s?id=1"}});
    return test::ScriptAnswer::Of(308, "", {{"Range", "bytes=0-524287"}});
  });
  HttpOptions options;
  options.proxy = "-";
  ClientOptions place;
  place.place = {"bucket", ""};
  place.endpoint = server.url("");
  auto client = Client::New(std::move(place), Credentials(), std::move(options));
  ASSERT_TRUE(client.ok());
  const auto upload = NewSessionUpload(**client, {.name = "k", .what = "put k"}, kPieceUnit);
  auto room = upload->Room(context);
  ASSERT_TRUE(room.ok());
  std::memset(*room, 'x', kPieceUnit);
  EXPECT_THAT(upload->Ship(context, kPieceUnit), test::HasCode(Code::kConflict));
}

}  // namespace
}  // namespace walrig::gcs
