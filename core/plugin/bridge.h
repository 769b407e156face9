// Bridges: a factory of the C ABI as an object of the C++ contract. Calls go straight through: a read or a write costs
// no copy and no allocation beyond the plugin's own. What a plugin answers is checked before it is believed.
//
// OWNS: the plugin's instance, destroyed with the object. The module behind it is never unloaded.
// THREADS: as the contracts say.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/plugin/host.h"
#include "core/plugin/option_check.h"
#include "walrig/abi/entry.h"
#include "walrig/cipher.h"
#include "walrig/compressor.h"
#include "walrig/module_info.h"
#include "walrig/storage.h"

namespace walrig {

// An instance of a factory, as made by create().
class PluginInstance {
 public:
  // FAILS WITH: what create() says, the message preceded by "kind/name".
  // `alive`, which must outlive the instance, counts the living ones: shutdown waits for none of them but says so.
  static Result<std::unique_ptr<PluginInstance>> New(const Context& ctx, const walrig_factory* factory,
                                                     const walrig_host* host, const FactoryInfo& info,
                                                     const CheckedOptions& options, std::atomic<int64_t>* alive);
  ~PluginInstance();
  PluginInstance(const PluginInstance&) = delete;
  PluginInstance& operator=(const PluginInstance&) = delete;

  void* self() const noexcept { return self_; }
  const FactoryInfo& info() const noexcept { return info_; }
  // The interface's table, at least `size_bytes_min` long. FAILS WITH: kNotSupported.
  Result<const void*> Interface(const char* id, size_t size_bytes_min) const;

 private:
  PluginInstance(const walrig_factory* factory, FactoryInfo info, void* self, std::atomic<int64_t>* alive)
      : factory_(factory), info_(std::move(info)), self_(self), alive_(alive) {}
  const walrig_factory* factory_;
  FactoryInfo info_;
  void* self_;
  std::atomic<int64_t>* alive_;
};

Result<std::unique_ptr<Storage>> BridgeStorage(std::unique_ptr<PluginInstance> instance);
Result<std::unique_ptr<Compressor>> BridgeCompressor(std::unique_ptr<PluginInstance> instance);
Result<std::unique_ptr<Cipher>> BridgeCipher(std::unique_ptr<PluginInstance> instance);

}  // namespace walrig
