// A directory of test plugins and a context with the real clock, for the tests of core/plugin.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "core/plugin/registry.h"
#include "core/plugin/scan.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_context.h"

namespace walrig::test {

class PluginFixture : public ::testing::Test {
 protected:
  PluginFixture() { context_.UseRealClock(); }

  // Copies a test plugin ("good") under another name ("compressor-copy.so"). A copy is a module of its own.
  std::string Install(const std::string& plugin, const std::string& name) {
    const std::string path = dir_.Mkdir("plugins") + "/" + name;
    std::filesystem::copy_file(std::string(WALRIG_TEST_PLUGINS) + "/" + plugin + ".so", path,
                               std::filesystem::copy_options::overwrite_existing);
    return path;
  }

  static TrustPolicy Anybody() {
    TrustPolicy trust = DefaultTrustPolicy();
    trust.level = TrustLevel::kAny;
    return trust;
  }

  ScanOptions Scanning() const {
    ScanOptions options;
    options.dirs = {{dir_.File("plugins"), "--plugin-dir"}};
    options.trust = Anybody();
    options.probe = WALRIG_TEST_PROBE;
    options.probe_timeout_ms = 5000;
    return options;
  }

  RegistryOptions Opening() const {
    RegistryOptions options;
    options.search.plugin_dirs = {dir_.File("plugins")};
    options.search.executable = dir_.File("bin/walrig");
    options.search.trust = Anybody();
    options.manifest = ManifestPath();
    return options;
  }
  std::string ManifestPath() const { return dir_.File("cache/plugins.db"); }

  std::unique_ptr<Registry> Open() { return Open(Opening()); }
  std::unique_ptr<Registry> Open(RegistryOptions options) {
    auto registry = Registry::Open(context_, std::move(options));
    EXPECT_OK(registry);
    return registry.ok() ? std::move(*registry) : nullptr;
  }
  Status Load(Registry& registry, std::string_view name = "copy") {
    auto made = registry.NewCompressor(context_, name, {}, nullptr);
    return made.ok() ? OkStatus() : std::move(made).status();
  }

  TempDir dir_;
  TestContext context_;
};

}  // namespace walrig::test
