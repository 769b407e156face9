#include "core/plugin/bridge.h"
#include "core/plugin/bridge_transform.h"

namespace walrig {
namespace {

class PluginCompressor final : public Compressor {
 public:
  PluginCompressor(std::unique_ptr<PluginInstance> instance, const walrig_transform_v1* table)
      : instance_(std::move(instance)), table_(table) {
    const FactoryInfo& info = instance_->info();
    traits_.name = info.name;
    traits_.extension = info.extensions.empty() ? "" : info.extensions.front();
    traits_.encode = (info.caps & WALRIG_CAP_TF_ENCODE) != 0;
    traits_.decode = (info.caps & WALRIG_CAP_TF_DECODE) != 0;
    traits_.concatenable = (info.caps & WALRIG_CAP_TF_CONCATENABLE) != 0;
  }
  const CompressorTraits& traits() const override { return traits_; }
  Result<std::unique_ptr<Transform>> NewEncoder() override { return OpenTransform(table_, *instance_, WALRIG_ENCODE); }
  Result<std::unique_ptr<Transform>> NewDecoder() override { return OpenTransform(table_, *instance_, WALRIG_DECODE); }
  uint64_t encoder_memory_bytes() const override { return table_->memory_bound(instance_->self(), WALRIG_ENCODE); }
  uint64_t decoder_memory_bytes() const override { return table_->memory_bound(instance_->self(), WALRIG_DECODE); }

 private:
  std::unique_ptr<PluginInstance> instance_;
  const walrig_transform_v1* table_;
  CompressorTraits traits_;
};

}  // namespace

Result<std::unique_ptr<Compressor>> BridgeCompressor(std::unique_ptr<PluginInstance> instance) {
  WALRIG_ASSIGN(const walrig_transform_v1* table, TransformTable(*instance));
  return std::unique_ptr<Compressor>(new PluginCompressor(std::move(instance), table));
}

}  // namespace walrig
