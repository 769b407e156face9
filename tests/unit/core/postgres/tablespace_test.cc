#include "core/postgres/tablespace.h"

#include <gmock/gmock.h>

#include "core/base/go_json.h"
#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;

constexpr char kSpec[] =
    R"({"16385":{"loc":"/var/ts1","link":"pg_tblspc/16385"},"16386":{"loc":"/var/ts one","link":"pg_tblspc/16386"},)"
    R"("base_prefix":"/pgdata","tablespaces":["16385","16386"]})";

TEST(TablespaceSpecTest, RoundTripsWhatWalgWrites) {
  ASSERT_OK_AND_ASSIGN(TablespaceSpec spec, TablespaceSpec::Parse(kSpec, "spec"));
  EXPECT_EQ(spec.base_prefix(), "/pgdata");
  ASSERT_EQ(spec.tablespaces().size(), 2u);
  EXPECT_EQ(spec.Find("16386")->location, "/var/ts one");
  EXPECT_EQ(GoJson(spec.ToJson(), true, false), kSpec);
}

TEST(TablespaceSpecTest, TakesASpecWithoutTablespaces) {
  for (const char* text : {R"({"base_prefix":"/p","tablespaces":[]})", R"({"base_prefix":"/p"})", R"({"base_prefix":"/p","tablespaces":null})"}) {
    ASSERT_OK_AND_ASSIGN(TablespaceSpec spec, TablespaceSpec::Parse(text, "spec"));
    EXPECT_TRUE(spec.empty());
  }
}

TEST(TablespaceSpecTest, RefusesHostileAndIncompleteSpecs) {
  for (const char* text :
       {"[]", "{}", R"({"base_prefix":1})", R"({"base_prefix":"/p","tablespaces":{}})", R"({"base_prefix":"/p","tablespaces":[1]})",
        R"({"base_prefix":"/p","tablespaces":["1"]})", R"({"base_prefix":"/p","tablespaces":["../x"],"../x":{"loc":"/a","link":"pg_tblspc/../x"}})",
        R"({"base_prefix":"/p","tablespaces":["1"],"1":{"loc":"a","link":"pg_tblspc/1"}})",
        R"({"base_prefix":"/p","tablespaces":["1"],"1":{"loc":"/a","link":"pg_tblspc/2"}})",
        R"({"base_prefix":"/p","tablespaces":["1"],"1":{"loc":"/a"}})", R"({"base_prefix":"/p","tablespaces":["01"],"01":{"loc":"/a","link":"pg_tblspc/01"}})",
        R"({"base_prefix":"/p","tablespaces":["1","1"],"1":{"loc":"/a","link":"pg_tblspc/1"}})",
        R"({"base_prefix":"/p","tablespaces":["1"],"1":{"loc":"/a\u0000","link":"pg_tblspc/1"}})"}) {
    EXPECT_THAT(TablespaceSpec::Parse(text, "spec"), HasCode(Code::kCorruption)) << text;
  }
}

TEST(TablespaceSpecTest, RemapsByPathAndByOid) {
  ASSERT_OK_AND_ASSIGN(TablespaceSpec spec, TablespaceSpec::Parse(kSpec, "spec"));
  EXPECT_OK(spec.Remap("/var/ts1/=/new/a"));
  EXPECT_OK(spec.Remap("16386=/new/with\\=sign/"));
  EXPECT_EQ(spec.Find("16385")->location, "/new/a");
  EXPECT_EQ(spec.Find("16386")->location, "/new/with=sign");
  EXPECT_THAT(spec.Remap("/nowhere=/x"), HasCode(Code::kNotFound));
  for (const char* mapping : {"", "=", "/new/a", "/new/a=", "=/x", "/new/a=relative", "/new/a=/b=/c"}) {
    EXPECT_THAT(spec.Remap(mapping), HasCode(Code::kInvalidArgument)) << mapping;
  }
}

TEST(TablespaceSpecTest, RefusesPlacesInOneAnother) {
  TablespaceSpec spec("/pgdata");
  ASSERT_OK(spec.Add("1", "/a"));
  ASSERT_OK(spec.Add("2", "/ab"));
  EXPECT_OK(spec.CheckPlaces("/pgdata"));
  EXPECT_THAT(spec.CheckPlaces("/a/data"), MessageHas("tablespace 1"));
  EXPECT_THAT(spec.CheckPlaces("/"), HasCode(Code::kInvalidArgument));
  ASSERT_OK(spec.Add("3", "/ab/"));
  EXPECT_THAT(spec.CheckPlaces("/pgdata"), MessageHas("tablespaces 2 and 3"));
  EXPECT_THAT(spec.Add("3", "/c"), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(spec.Add("x", "/c"), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(spec.Add("4", "c"), HasCode(Code::kInvalidArgument));
}

}  // namespace
}  // namespace walrig
