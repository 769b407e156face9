// The common half of the compressor and the cipher bridge: streams of "walrig.transform/1".
#pragma once

#include <memory>

#include "core/plugin/bridge.h"
#include "walrig/abi/transform.h"
#include "walrig/transform.h"

namespace walrig {

// The instance's table, every function of it there. FAILS WITH: kNotSupported, kCorruption.
Result<const walrig_transform_v1*> TransformTable(const PluginInstance& instance);

// A stream that the plugin opened by another interface. OWNS: the stream, which must not be null.
std::unique_ptr<Transform> AdoptTransform(const walrig_transform_v1* table, void* stream);

// A machine of one direction (WALRIG_ENCODE, WALRIG_DECODE). The instance must outlive it.
Result<std::unique_ptr<Transform>> OpenTransform(const walrig_transform_v1* table, const PluginInstance& instance,
                                                 int32_t direction);

}  // namespace walrig
