// SPDX-License-Identifier: MIT-0
// The suite of storages: every promise of walrig/storage.h as a check.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sdk/conformance/check.h"
#include "walrig/storage.h"

namespace walrig::conformance {

struct StorageFixture {
  std::function<Result<std::unique_ptr<Storage>>()> open;  // a new instance on the same place each time
  // Every key of a run begins with it and is deleted by the check that made it: the place may hold other objects.
  std::string run_prefix = "walrig-check/";
  size_t list_keys = 2'500;  // for the paging check; fewer for a slow place
  // For the checks of faults: where the server is ("http://127.0.0.1:9000/path") and how to open the same place by
  // another way to it. Without them these checks are skipped.
  std::string endpoint;
  std::function<Result<std::unique_ptr<Storage>>(const std::string& endpoint)> open_at;
};
std::vector<Check> StorageSuite(StorageFixture fixture);

// Deletes what earlier runs left under the prefix. Answers how many objects.
Result<size_t> SweepStorage(const StorageFixture& fixture);

}  // namespace walrig::conformance
