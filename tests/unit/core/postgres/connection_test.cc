#include "core/postgres/connection.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;
using test::TempDir;
using test::TestContext;

class ConnectionTest : public ::testing::Test {
 protected:
  ConnectionTest() {
    test_.UseRealClock();
    for (const char* name : {"PGHOST", "PGPORT", "PGHOSTADDR", "PGSERVICE", "PGDATABASE"}) unsetenv(name);
  }
  TestContext test_;
  TempDir dir_;
};

TEST_F(ConnectionTest, SaysWhatToSetWhenNobodyListens) {
  ConnectOptions options;
  options.parameters = {{"host", dir_.path()}, {"port", "5999"}};
  Result<std::unique_ptr<Connection>> opened = Connection::Open(test_, options);
  EXPECT_THAT(opened, HasCode(Code::kUnavailable));
  EXPECT_THAT(opened, MessageHas(dir_.path()));
  EXPECT_THAT(opened, MessageHas("PGHOST"));
}

TEST_F(ConnectionTest, LooksForTheServerWherePostmasterPidSays) {
  dir_.Write("postmaster.pid", "1\n/data\n1700000000\n5998\n" + dir_.path() + "\n*\n  1  2\nready\n");
  ConnectOptions options;
  options.data_directory = dir_.path();
  EXPECT_THAT(Connection::Open(test_, options), MessageHas(dir_.path() + "/.s.PGSQL.5998"));
}

TEST_F(ConnectionTest, TakesThePathOfTheSocketForAHostAsWalgDoes) {
  const std::string path = dir_.path() + "/.s.PGSQL.5998";
  setenv("PGPORT", "5997", 1);  // the path says more
  setenv("PGHOST", path.c_str(), 1);
  const auto opened = Connection::Open(test_, {});
  unsetenv("PGHOST");
  EXPECT_THAT(opened, MessageHas("\"" + path + "\""));
  ConnectOptions options;
  options.parameters = {{"host", path}};
  EXPECT_THAT(Connection::Open(test_, options), MessageHas("\"" + path + "\""));
  unsetenv("PGPORT");
}

TEST_F(ConnectionTest, IsCancelledByAStop) {
  test_.stop().RequestStop();
  ConnectOptions options;
  options.parameters = {{"host", dir_.path()}};
  EXPECT_THAT(Connection::Open(test_, options), HasCode(Code::kCancelled));
}

TEST(QueryResultTest, ReadsNumbersAndTruthAndRefusesTheRest) {
  const QueryResult rows(4, {{false, "-7"}, {false, "t"}, {true, ""}, {false, "x"}});
  EXPECT_EQ(rows.rows(), 1u);
  EXPECT_THAT(rows.Int(0, 0), test::IsOkAndHolds(-7));
  EXPECT_THAT(rows.Uint(0, 0), HasCode(Code::kProtocol));
  EXPECT_THAT(rows.Bool(0, 1), test::IsOkAndHolds(true));
  EXPECT_THAT(rows.Int(0, 2), HasCode(Code::kProtocol));
  EXPECT_THAT(rows.Bool(0, 3), HasCode(Code::kProtocol));
}

}  // namespace
}  // namespace walrig
