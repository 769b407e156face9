#include "core/plugin/bridge_transform.h"

#include "walrig/abi_status.h"

namespace walrig {
namespace {

class PluginTransform final : public Transform {
 public:
  PluginTransform(const walrig_transform_v1* table, void* stream) : table_(table), stream_(stream) { ClearError(); }
  ~PluginTransform() override { table_->close(stream_); }
  PluginTransform(const PluginTransform&) = delete;
  PluginTransform& operator=(const PluginTransform&) = delete;

  Result<Progress> Process(TransformIo& io, Directive directive) override {
    walrig_io raw{};
    raw.struct_size = sizeof raw;
    raw.directive = static_cast<int32_t>(directive);
    raw.in = io.in.data();
    raw.in_len = io.in.size();
    raw.out = io.out.data();
    raw.out_cap = io.out.size();
    const walrig_status code = table_->process(stream_, &raw, &error_);
    io.in_used = raw.in_used;
    io.out_used = raw.out_used;
    if (raw.in_used > raw.in_len || raw.out_used > raw.out_cap) {
      io.in_used = io.out_used = 0;
      return Internal("the plugin used more bytes than it was given");
    }
    switch (code) {
      case WALRIG_END: return Progress::kEnd;
      case WALRIG_OK:
      case WALRIG_NEED_INPUT: return Progress::kNeedInput;
      case WALRIG_NEED_OUTPUT: return Progress::kNeedOutput;
      default: return Failure(code);
    }
  }

  Status Reset() override {
    const walrig_status code = table_->reset(stream_, &error_);
    return code == WALRIG_OK ? OkStatus() : Failure(code);
  }

 private:
  void ClearError() {
    error_ = walrig_error{};
    error_.struct_size = sizeof error_;
  }
  Status Failure(walrig_status code) {
    Status status = FromAbi(code, error_);
    ClearError();
    return status;
  }

  const walrig_transform_v1* table_;
  void* stream_;
  walrig_error error_;  // written on failure only, so one serves all calls
};

}  // namespace

Result<const walrig_transform_v1*> TransformTable(const PluginInstance& instance) {
  WALRIG_ASSIGN(const void* iface, instance.Interface(WALRIG_IFACE_TRANSFORM_1, WALRIG_TRANSFORM_V1_SIZE_1_0));
  const auto* table = static_cast<const walrig_transform_v1*>(iface);
  if (table->open == nullptr || table->process == nullptr || table->reset == nullptr || table->close == nullptr ||
      table->memory_bound == nullptr) {
    return Corruption(instance.info().name + " lacks a function that every transform must have");
  }
  return table;
}

std::unique_ptr<Transform> AdoptTransform(const walrig_transform_v1* table, void* stream) {
  return std::make_unique<PluginTransform>(table, stream);
}

Result<std::unique_ptr<Transform>> OpenTransform(const walrig_transform_v1* table, const PluginInstance& instance,
                                                 int32_t direction) {
  const FactoryInfo& info = instance.info();
  const uint64_t needed = direction == WALRIG_ENCODE ? WALRIG_CAP_TF_ENCODE : WALRIG_CAP_TF_DECODE;
  const std::string place = std::string(KindName(info.kind)) + "/" + info.name;
  if ((info.caps & needed) == 0) {
    return NotSupported(place + (direction == WALRIG_ENCODE ? " can only be read" : " can only be written"));
  }
  walrig_error error{};
  error.struct_size = sizeof error;
  void* stream = nullptr;
  const walrig_status code = table->open(instance.self(), direction, &stream, &error);
  if (code != WALRIG_OK) return FromAbi(code, error).With(place);
  if (stream == nullptr) return Internal(place + ": open() succeeded without a stream");
  return AdoptTransform(table, stream);
}

}  // namespace walrig
