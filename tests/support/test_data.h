// Files below tests/data: where ctest says (WALRIG_TEST_DATA), else beside the test's source as the compiler saw it,
// which a compiler cache may have made relative.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace walrig::test {

// The content of tests/data/NAME; empty when it cannot be read, which no test expects.
inline std::string TestData(const std::string& name) {
  const char* given = std::getenv("WALRIG_TEST_DATA");
  const std::filesystem::path root = given != nullptr
                                         ? std::filesystem::path(given)
                                         : std::filesystem::path(__FILE__).parent_path().parent_path() / "data";
  std::ifstream in(root / name, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

}  // namespace walrig::test
