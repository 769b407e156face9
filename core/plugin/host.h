// Host: what walrig offers to plugins, as the C table walrig_host, and the two opaque objects that a plugin hands back
// to it: an operation and a create() call's options.
//
// Plugins are never unloaded and keep the table's address, so it lives as long as the process; log and metrics behind
// it are those of the registry that is open.
//
// THREADS: any.
#pragma once

#include <atomic>
#include <string>

#include "walrig/abi/host.h"
#include "walrig/context.h"
#include "walrig/options.h"

namespace walrig {

// What stands behind a walrig_op: made on the stack of one call into a plugin.
class HostOp {
 public:
  explicit HostOp(const Context& ctx) : ctx_(ctx) {}
  const walrig_op* get() const noexcept { return reinterpret_cast<const walrig_op*>(this); }
  const Context& context() const noexcept { return ctx_; }

 private:
  const Context& ctx_;
};

// What stands behind a walrig_config: canonical values, valid during create().
class HostConfig {
 public:
  HostConfig(const OptionValues& values, const std::vector<OptionSpec>& specs) : values_(values), specs_(specs) {}
  const walrig_config* get() const noexcept { return reinterpret_cast<const walrig_config*>(this); }
  // Null when the option has no value.
  const std::string* Find(std::string_view name) const noexcept;
  bool IsSecret(std::string_view name) const noexcept;

 private:
  const OptionValues& values_;
  const std::vector<OptionSpec>& specs_;
};

// The services that change with the registry. Both may be null.
struct HostServices {
  std::atomic<Log*> log{nullptr};
  std::atomic<Metrics*> metrics{nullptr};
};

// One per process.
HostServices& ProcessHostServices();

// A table of its own for each plugin, whose name its log lines carry. Never freed. `services` lives as long.
const walrig_host* NewHostTable(std::string plugin, HostServices& services);

}  // namespace walrig
