// SPDX-License-Identifier: MIT-0
// The suites of compressors and ciphers.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "sdk/conformance/check.h"
#include "walrig/cipher.h"
#include "walrig/compressor.h"

namespace walrig::conformance {

struct CompressorFixture {
  std::function<Result<std::unique_ptr<Compressor>>()> open;  // a new instance each time
  // Deviations, declared: a format without a checksum cannot see every damage.
  bool detects_damage = true;
};
std::vector<Check> CompressorSuite(CompressorFixture fixture);

struct CipherFixture {
  std::function<Result<std::unique_ptr<Cipher>>()> open;
};
std::vector<Check> CipherSuite(CipherFixture fixture);

}  // namespace walrig::conformance
