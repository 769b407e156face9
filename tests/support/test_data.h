// Files below tests/data, found from the place of the test's source.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace walrig::test {

// The content of tests/data/NAME; empty when it cannot be read, which no test expects.
inline std::string TestData(const std::string& name) {
  const std::filesystem::path root = std::filesystem::path(__FILE__).parent_path().parent_path() / "data";
  std::ifstream in(root / name, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

}  // namespace walrig::test
