// SPDX-License-Identifier: MIT-0
// What the files of the storage suite share.
#pragma once

#include "sdk/conformance/storage_suite.h"
#include "sdk/conformance/support.h"

namespace walrig::conformance {

// An instance and a folder of keys that is empty before and after the check.
class StorageBench {
 public:
  StorageBench(const StorageFixture& fixture, const std::string& check_name, Verdict& verdict);
  ~StorageBench();

  std::string Key(const std::string& name) const { return prefix_ + name; }
  const std::string& prefix() const { return prefix_; }
  Storage& storage() { return *storage_; }
  const Context& ctx() const { return context_.ctx(); }
  KitContext& context() { return context_; }
  StorageCapabilities can() const { return storage_->capabilities(); }
  const StorageFixture& fixture() const { return fixture_; }

  Status Put(const std::string& name, std::string_view bytes, PutOptions options = {}, size_t piece = 100'000) {
    return PutBytes(ctx(), *storage_, Key(name), bytes, std::move(options), piece);
  }
  Result<std::string> Get(const std::string& name, const GetOptions& options = {}) {
    return GetBytes(ctx(), *storage_, Key(name), options);
  }
  // Names below the bench's folder, as List gives them.
  Result<std::vector<std::string>> Names(const std::string& prefix = "");
  bool Has(const std::string& name) { return storage_->Stat(ctx(), Key(name)).ok(); }
  bool ok = false;

 private:
  Status DeleteEverything();

  const StorageFixture& fixture_;
  std::string prefix_;
  KitContext context_;
  std::unique_ptr<Storage> storage_;
};

using StorageBody = void (*)(Verdict&, StorageBench&);
struct StorageCheck {
  const char* name;
  int level;
  StorageBody body;
};
std::vector<StorageCheck> StorageObjectChecks();    // reading and writing
std::vector<StorageCheck> StorageListingChecks();   // names, lists, deletes, copies
std::vector<StorageCheck> StorageResourceChecks();  // level 2
std::vector<Check> StorageFaultChecks(const StorageFixture& fixture);  // level 2, through a fault proxy
std::vector<StorageCheck> StorageLongChecks();      // level 3
std::vector<StorageCheck> StorageUnfinishedChecks();  // uploads without an end

}  // namespace walrig::conformance
