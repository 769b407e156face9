// Deleter: many blobs by one request, or one by one where the service has no batches for us.
//
// THREADS: any.
#pragma once

#include <atomic>
#include <span>
#include <string>
#include <vector>

#include "plugins/storage/azure/service.h"

namespace walrig::azure {

class Deleter {
 public:
  explicit Deleter(Service& service) : service_(service) {}
  // As Storage::Delete.
  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each);

 private:
  struct Target {
    size_t index;      // into `each`
    std::string name;
  };
  HttpRequest DeleteRequest(const std::string& name) const;
  // False when the service does not take our batches.
  Result<bool> ByBatch(const Context& ctx, std::span<const Target> targets, std::vector<Status>* each);
  Status OneByOne(const Context& ctx, std::span<const Target> targets, std::vector<Status>* each);

  Service& service_;
  std::atomic<bool> batches_work_{true};
};

}  // namespace walrig::azure
