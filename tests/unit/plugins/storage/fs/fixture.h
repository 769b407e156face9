// FsTest: a storage-fs plugin on a directory of its own, which goes with the test.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/abi_storage.h"

namespace walrig::testing {

class FsTest : public ::testing::Test {
 protected:
  FsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "walrig-fs-XXXXXX").string();
    base_ = ::mkdtemp(pattern.data());
    root_ = base_ + "/storage";
    std::filesystem::create_directory(root_);
    plugin_ = std::make_unique<AbiPlugin>("storage-fs", "fs", Options());
    storage_ = std::make_unique<AbiStorage>(*plugin_);
  }
  ~FsTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(base_, ignored);
  }

  std::map<std::string, std::string> Options() const { return {{"prefix", root_}}; }

  // All files and folders below the root, relative.
  std::vector<std::string> Tree() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
      names.push_back(std::filesystem::relative(entry.path(), root_).string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  void WriteFile(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + "/" + name).parent_path());
    std::ofstream(root_ + "/" + name) << bytes;
  }
  std::string ReadFile(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(root_ + "/" + name).rdbuf();
    return text.str();
  }

  std::string base_, root_;
  std::unique_ptr<AbiPlugin> plugin_;
  std::unique_ptr<AbiStorage> storage_;
};

using Keys = std::vector<std::string>;

}  // namespace walrig::testing
