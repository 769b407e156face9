#include <algorithm>

#include "core/plugin/bridge.h"
#include "core/plugin/bridge_transform.h"
#include "walrig/abi/keyring.h"
#include "walrig/abi/seek.h"
#include "walrig/abi_status.h"

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
  Status EditKeys(KeyVerb verb, std::string_view argument, ByteSpan ring, MutableByteSpan out, size_t* out_bytes) override {
    const auto interface = instance_->Interface(WALRIG_IFACE_KEYRING_1, sizeof(walrig_keyring_v1));
    if (!interface.ok()) return Cipher::EditKeys(verb, argument, ring, out, out_bytes);
    walrig_error error{};
    error.struct_size = sizeof error;
    const walrig_status code = static_cast<const walrig_keyring_v1*>(*interface)
                                   ->edit(instance_->self(), static_cast<int32_t>(verb), std::string(argument).c_str(),
                                          ring.data(), ring.size(), out.data(), out.size(), out_bytes, &error);
    if (code != WALRIG_OK) return FromAbi(code, error);
    if (*out_bytes > out.size()) return Internal("cipher/" + name() + " says that it wrote beyond its buffer");
    return OkStatus();
  }
  Result<std::unique_ptr<Transform>> NewRangeOpener(ByteSpan head, uint64_t offset, uint64_t length,
                                                    SealedRange* range) override {
    const auto interface = instance_->Interface(WALRIG_IFACE_SEEK_1, WALRIG_SEEK_V1_SIZE_1_0);
    if (!interface.ok()) return Cipher::NewRangeOpener(head, offset, length, range);
    walrig_error error{};
    error.struct_size = sizeof error;
    walrig_sealed_range sealed{};
    sealed.struct_size = sizeof sealed;
    void* stream = nullptr;
    const walrig_status code = static_cast<const walrig_seek_v1*>(*interface)
                                   ->open_range(instance_->self(), head.data(), head.size(), offset, length, &sealed, &stream, &error);
    if (code != WALRIG_OK) return FromAbi(code, error);
    if (stream == nullptr) return Internal("cipher/" + name() + ": open_range() succeeded without a stream");
    *range = {sealed.offset, sealed.length, sealed.skip};
    return AdoptTransform(table_, stream);
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
