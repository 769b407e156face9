#include "core/metrics/exposition.h"

#include <gtest/gtest.h>

namespace walrig {
namespace {

TEST(PrometheusTextTest, GroupsSamplesByFamily) {
  EXPECT_EQ(PrometheusText({{"walrig_bytes_total", 12},
                            {"walrig_bytes_total_more", 1.5},
                            {"walrig_bytes_total{op=\"get\"}", 3},
                            {"walrig_bytes_total{op=\"put\"}", 4}}),
            "# TYPE walrig_bytes_total counter\n"
            "walrig_bytes_total 12\n"
            "walrig_bytes_total{op=\"get\"} 3\n"
            "walrig_bytes_total{op=\"put\"} 4\n"
            "# TYPE walrig_bytes_total_more counter\n"
            "walrig_bytes_total_more 1.5\n");
}

TEST(PrometheusTextTest, NothingIsEmpty) { EXPECT_EQ(PrometheusText({}), ""); }

TEST(PrometheusTextTest, HostileNamesCannotForgeLines) {
  EXPECT_EQ(PrometheusText({{"a b\nc", 1}, {"9lives", 2}}),
            "# TYPE _lives counter\n_lives 2\n# TYPE a_b_c counter\na_b_c 1\n");
  EXPECT_EQ(PrometheusText({{"a{x=\"1\"}\nevil 9\n{}", 1}, {"a{open", 1}, {"{x=\"1\"}", 1}}), "");
}

}  // namespace
}  // namespace walrig
