#include "core/storage/stack.h"

#include "core/io/throttle.h"
#include "core/storage/logged.h"
#include "core/storage/metered.h"
#include "core/storage/prefixed.h"
#include "core/storage/read_only.h"
#include "core/storage/throttled.h"

namespace walrig {

std::unique_ptr<Storage> BuildStack(std::unique_ptr<Storage> driver, const StackOptions& options) {
  std::unique_ptr<Storage> top = std::make_unique<MeteredStorage>(std::move(driver));
  top = std::make_unique<LoggedStorage>(std::move(top));
  if (options.download != nullptr || options.upload != nullptr) {
    top = std::make_unique<ThrottledStorage>(std::move(top), options.download, options.upload);
  }
  if (options.retrying) top = std::make_unique<RetryingStorage>(std::move(top), options.retry, options.seed);
  if (!options.prefix.empty()) top = std::make_unique<PrefixedStorage>(std::move(top), options.prefix);
  if (options.read_only) top = std::make_unique<ReadOnlyStorage>(std::move(top));
  return top;
}

}  // namespace walrig
