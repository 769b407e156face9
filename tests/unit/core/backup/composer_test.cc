#include "core/backup/composer.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::TempDir;
using test::TestContext;

class ComposerTest : public ::testing::Test {
 protected:
  void Walk() {
    Result<FileSet> walked = WalkDataDirectory(test_, data_.path(), "PG_15_202209061");
    ASSERT_OK(walked);
    files_ = *std::move(walked);
  }
  std::vector<TarUnit> Plan(const TarPlanner::Options& options) {
    TarPlanner planner(files_, options);
    std::vector<TarUnit> units;
    std::set<size_t> seen;
    while (std::optional<TarUnit> unit = planner.Next()) {
      for (size_t p = unit->begin; p < unit->end; ++p) EXPECT_TRUE(seen.insert(planner.Index(p)).second);
      units.push_back(*unit);
    }
    EXPECT_EQ(seen.size(), files_.size()) << "each file is planned exactly once";
    return units;
  }
  std::string Name(const TarPlanner& planner, size_t position) {
    return files_.MemberName(files_.entry(planner.Index(position)));
  }

  TestContext test_;
  TempDir data_;
  FileSet files_;
};

TEST_F(ComposerTest, PlansNothingTwiceAndForgetsNothing) {
  for (int i = 0; i < 100; ++i) data_.Write("f" + std::to_string(i), std::string(static_cast<size_t>(i) * 50, 'x'));
  Walk();
  const auto units = Plan({.unit_bytes = 10000});
  EXPECT_GT(units.size(), 10u);
}

TEST_F(ComposerTest, PutsManySmallFilesIntoOneUnit) {
  for (int i = 0; i < 100; ++i) data_.Write("f" + std::to_string(i), "x");
  Walk();
  EXPECT_EQ(Plan({.unit_bytes = 1 << 20}).size(), 1u);
}

TEST_F(ComposerTest, BoundsAUnitOfEmptyFilesByTheirHeaders) {
  for (int i = 0; i < 100; ++i) data_.Write("f" + std::to_string(i), "");
  Walk();
  EXPECT_GE(Plan({.unit_bytes = 5120}).size(), 10u);
}

TEST_F(ComposerTest, LeavesABigFileAlone) {
  data_.Write("a", "x");
  data_.Write("b", std::string(10001, 'x'));
  data_.Write("c", "x");
  Walk();
  const auto units = Plan({.unit_bytes = 10000});
  ASSERT_EQ(units.size(), 3u);
  EXPECT_TRUE(units[1].big);
  EXPECT_EQ(units[1].payload_bytes, 10001u);
  EXPECT_EQ(units[1].end - units[1].begin, 1u);
}

TEST_F(ComposerTest, EndsARunThatAloneFillsAPart) {
  for (int i = 0; i < 6; ++i) data_.Write("f" + std::to_string(i), std::string(1000, 'x'));
  Walk();
  for (const TarUnit& unit : Plan({.unit_bytes = 1 << 20, .part_bytes_max = 1500})) EXPECT_LE(unit.payload_bytes, 2000u);
}

TEST_F(ComposerTest, KeepsDatabasesApartWhenAskedTo) {
  data_.Write("base/1/100", "x");
  data_.Write("base/5/100", "x");
  data_.Write("base/5/200", "x");
  data_.Write("global/1262", "x");
  data_.Write("PG_VERSION", "15");
  Walk();
  const TarPlanner::Options options{.unit_bytes = 1 << 20, .composer = TarComposer::kDatabase};
  TarPlanner planner(files_, options);
  std::set<uint32_t> groups;
  while (std::optional<TarUnit> unit = planner.Next()) {
    EXPECT_TRUE(groups.insert(unit->group).second) << "a group is one run here";
    std::set<std::string> directories;
    for (size_t p = unit->begin; p < unit->end; ++p) {
      const std::string name = Name(planner, p);
      directories.insert(name.rfind("/base/", 0) == 0 && name.size() > 8 ? name.substr(0, 7) : "the rest");
    }
    EXPECT_EQ(directories.size(), 1u);
  }
  EXPECT_EQ(groups.size(), 3u);
}

}  // namespace
}  // namespace walrig
