// SPDX-License-Identifier: MIT-0
#include "sdk/conformance/storage_suite.h"

#include "sdk/conformance/storage_bench.h"

namespace walrig::conformance {

StorageBench::StorageBench(const StorageFixture& fixture, const std::string& check_name, Verdict& verdict)
    : fixture_(fixture), prefix_(fixture.run_prefix + check_name + "/") {
  auto opened = fixture.open();
  if (!opened.ok()) {
    verdict.Fail("create: " + opened.status().ToString());
    return;
  }
  storage_ = std::move(opened).value();
  if (const Status status = DeleteEverything(); !status.ok()) {
    verdict.Fail("cannot empty " + prefix_ + ": " + status.ToString());
    return;
  }
  ok = true;
}

StorageBench::~StorageBench() {
  if (storage_ != nullptr) DeleteEverything().Ignore("the next run's sweep takes what is left");
}

Status StorageBench::DeleteEverything() {
  KitContext context;  // the check may have stopped its own
  WALRIG_ASSIGN(
      const auto entries,
      ListKeys(context, *storage_, {.prefix = prefix_, .delimiter = "", .start_after = "", .page_token = ""}));
  std::vector<std::string> keys;
  for (const ObjectInfo& entry : entries) keys.push_back(entry.key);
  if (keys.empty()) return OkStatus();
  std::vector<Status> each;
  WALRIG_TRY(storage_->Delete(context, keys, &each));
  for (const Status& status : each) WALRIG_TRY(status);
  return OkStatus();
}

Result<std::vector<std::string>> StorageBench::Names(const std::string& prefix) {
  WALRIG_ASSIGN(
      const auto entries,
      ListKeys(ctx(), *storage_, {.prefix = prefix_ + prefix, .delimiter = "", .start_after = "", .page_token = ""}));
  std::vector<std::string> names;
  for (const ObjectInfo& entry : entries) {
    if (entry.key.substr(0, prefix_.size()) != prefix_)
      return Internal("List gave '" + entry.key + "', which is not below the prefix");
    names.push_back(entry.key.substr(prefix_.size()));
  }
  return names;
}

std::vector<Check> StorageSuite(StorageFixture fixture) {
  std::vector<Check> suite;
  for (auto part : {StorageObjectChecks(), StorageListingChecks(), StorageResourceChecks(),
                    StorageUnfinishedChecks(), StorageLongChecks()}) {
    for (const StorageCheck& check : part) {
      suite.push_back({std::string("storage/") + check.name, check.level, [fixture, check](Verdict& verdict) {
                         StorageBench bench(fixture, check.name, verdict);
                         if (bench.ok) check.body(verdict, bench);
                       }});
    }
  }
  for (Check& check : StorageFaultChecks(fixture)) suite.push_back(std::move(check));
  return suite;
}

Result<size_t> SweepStorage(const StorageFixture& fixture) {
  KitContext context;
  WALRIG_ASSIGN(auto storage, fixture.open());
  WALRIG_ASSIGN(const auto entries,
                ListKeys(context, *storage,
                         {.prefix = fixture.run_prefix, .delimiter = "", .start_after = "", .page_token = ""}));
  std::vector<std::string> keys;
  for (const ObjectInfo& entry : entries) keys.push_back(entry.key);
  std::vector<Status> each;
  if (!keys.empty()) WALRIG_TRY(storage->Delete(context, keys, &each));
  return keys.size();
}

}  // namespace walrig::conformance
