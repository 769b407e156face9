#include <algorithm>

#include "core/plugin/bridge.h"
#include "core/plugin/bridge_transform.h"

namespace walrig {
namespace {

class PluginCipher final : public Cipher {
 public:
  PluginCipher(std::unique_ptr<PluginInstance> instance, const walrig_transform_v1* table)
      : instance_(std::move(instance)), table_(table) {}
  const std::string& name() const override { return instance_->info().name; }
  Result<std::unique_ptr<Transform>> NewSealer() override { return OpenTransform(table_, *instance_, WALRIG_ENCODE); }
  Result<std::unique_ptr<Transform>> NewOpener() override { return OpenTransform(table_, *instance_, WALRIG_DECODE); }
  uint64_t memory_bytes() const override {
    return std::max(table_->memory_bound(instance_->self(), WALRIG_ENCODE),
                    table_->memory_bound(instance_->self(), WALRIG_DECODE));
  }

 private:
  std::unique_ptr<PluginInstance> instance_;
  const walrig_transform_v1* table_;
};

}  // namespace

Result<std::unique_ptr<Cipher>> BridgeCipher(std::unique_ptr<PluginInstance> instance) {
  WALRIG_ASSIGN(const walrig_transform_v1* table, TransformTable(*instance));
  return std::unique_ptr<Cipher>(new PluginCipher(std::move(instance), table));
}

}  // namespace walrig
