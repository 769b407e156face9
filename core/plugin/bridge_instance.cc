#include "core/plugin/bridge.h"
#include "walrig/abi_status.h"

namespace walrig {

Result<std::unique_ptr<PluginInstance>> PluginInstance::New(const Context& ctx, const walrig_factory* factory,
                                                            const walrig_host* host, const FactoryInfo& info,
                                                            const CheckedOptions& options,
                                                            std::atomic<int64_t>* alive) {
  const HostOp op(ctx);
  const HostConfig config(options.values, info.options);
  walrig_error error{};
  error.struct_size = sizeof error;
  void* self = nullptr;
  const walrig_status code = factory->create(factory, host, config.get(), op.get(), &self, &error);
  const std::string place = std::string(KindName(info.kind)) + "/" + info.name;
  if (code != WALRIG_OK) return FromAbi(code, error).With(place);
  if (self == nullptr) return Internal(place + ": create() succeeded without an instance");
  alive->fetch_add(1, std::memory_order_relaxed);
  return std::unique_ptr<PluginInstance>(new PluginInstance(factory, info, self, alive));
}

PluginInstance::~PluginInstance() {
  factory_->destroy(self_);
  alive_->fetch_sub(1, std::memory_order_release);
}

Result<const void*> PluginInstance::Interface(const char* id, size_t size_bytes_min) const {
  const void* table = factory_->iface(self_, id);
  // Every interface begins with its own size.
  if (table == nullptr || *static_cast<const uint32_t*>(table) < size_bytes_min) {
    return NotSupported(std::string(KindName(info_.kind)) + "/" + info_.name + " does not offer " + id)
        .Hint("the plugin and walrig are of versions that do not fit");
  }
  return table;
}

}  // namespace walrig
