#include "core/metrics/registry.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>
#include <vector>

namespace walrig {
namespace {

TEST(MetricsRegistryTest, AddsUpByName) {
  MetricsRegistry registry;
  registry.Add("a", 1);
  registry.Add("a", 2.5);
  registry.Add("b", 0);
  EXPECT_EQ(registry.Value("a"), 3.5);
  EXPECT_EQ(registry.Value("none"), 0);
  EXPECT_EQ(registry.Snapshot(), (std::map<std::string, double>{{"a", 3.5}, {"b", 0}}));
}

TEST(MetricsRegistryTest, CountersNeverFall) {
  MetricsRegistry registry;
  registry.Add("a", 2);
  registry.Add("a", -1);
  registry.Add("a", std::nan(""));
  EXPECT_EQ(registry.Value("a"), 2);
}

TEST(MetricsRegistryTest, NumberOfNamesIsBoundedAndKnownNamesStillCount) {
  MetricsRegistry registry;
  for (size_t i = 0; i < MetricsRegistry::kNamesMax + 10; ++i) registry.Add("name" + std::to_string(i), 1);
  EXPECT_EQ(registry.Snapshot().size(), MetricsRegistry::kNamesMax);
  registry.Add("name0", 1);
  EXPECT_EQ(registry.Value("name0"), 2);
}

TEST(MetricsRegistryTest, ThreadsLoseNothing) {
  MetricsRegistry registry;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 1000; ++k) registry.Add("a", 1);
      });
    }
  }
  EXPECT_EQ(registry.Value("a"), 4000);
}

}  // namespace
}  // namespace walrig
