// SPDX-License-Identifier: MIT-0
// A class becomes a plugin: factories from functions, and the one macro that opens the door.
//
//   Result<std::unique_ptr<Storage>> CreateTape(const Context& ctx, const sdk::ConfigReader& config);
//   constexpr walrig_option kOptions[] = {sdk::Option{.name = "device", .type = OptionType::kPath, ...}};
//   constexpr walrig_factory kTape = sdk::StorageFactory<CreateTape>(
//       {.name = "tape", .description = "Objects on a tape", .options = kOptions}, {.range = true});
//   WALRIG_EXPORT_PLUGIN("org.example.walrig-tape", "1.0.0", "MIT", "storage:tape", "Tape storage", &kTape)
//
// The macro emits the entry function, the module's table and the ELF note; nothing else of the plugin is visible from
// outside when it is built with walrig_add_plugin(). No exception crosses the wall: each thunk catches everything.
//
// THREADS: tables are constants. A create function may be called from any thread, several at once.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "walrig/abi/plugin.h"
#include "walrig/sdk/call.h"
#include "walrig/sdk/config_reader.h"
#include "walrig/sdk/guard.h"
#include "walrig/sdk/option.h"
#include "walrig/sdk/storage_door.h"
#include "walrig/sdk/transform_door.h"

namespace walrig::sdk {

// What a factory says about itself. Lists end with a nullptr.
struct FactoryText {
  const char* name = nullptr;                 // what users type: "s3"
  const char* const* aliases = nullptr;
  const char* const* extensions = nullptr;    // compressors: endings of object names without the dot, the first is written
  const char* description = "";               // one line
  std::span<const walrig_option> options = {};
};

namespace factory_internal {

constexpr walrig_factory Blank(uint32_t kind, const FactoryText& text, uint64_t caps) {
  walrig_factory factory{};
  factory.struct_size = sizeof(walrig_factory);
  factory.kind = kind;
  factory.name = text.name;
  factory.aliases = text.aliases;
  factory.extensions = text.extensions;
  factory.description = text.description;
  factory.caps = caps;
  factory.options = text.options.data();
  factory.option_count = static_cast<uint32_t>(text.options.size());
  factory.option_stride = sizeof(walrig_option);
  return factory;
}

template <auto Create>
walrig_status CreateStorage(const walrig_factory*, const walrig_host* host, const walrig_config* config,
                            const walrig_op* op, void** self, walrig_error* error) noexcept {
  return Guard(error, [&] {
    const Call call(host, op);
    Result<std::unique_ptr<Storage>> storage = Create(call.ctx(), ConfigReader(host, config));
    if (!storage.ok()) return ToAbi(storage.status(), error);
    *self = new StorageDoor::Instance{host, std::move(storage).value()};
    return WALRIG_OK;
  });
}

template <auto Create, typename Maker>
walrig_status CreateTransform(const walrig_factory*, const walrig_host* host, const walrig_config* config,
                              const walrig_op* op, void** self, walrig_error* error) noexcept {
  return Guard(error, [&] {
    const Call call(host, op);
    Result<std::unique_ptr<typename Maker::Kind>> kind = Create(call.ctx(), ConfigReader(host, config));
    if (!kind.ok()) return ToAbi(kind.status(), error);
    *self = new typename TransformDoor<Maker>::Instance{std::move(kind).value()};
    return WALRIG_OK;
  });
}

template <typename Instance>
void Destroy(void* self) noexcept {
  GuardSilently([&] { delete static_cast<Instance*>(self); });
}

template <typename Maker>
const void* TransformInterface(void*, const char* id) noexcept {
  if constexpr (std::is_same_v<Maker, CipherMaker>) {
    if (id != nullptr && std::string_view(id) == WALRIG_IFACE_KEYRING_1) return KeyringDoor::Table();
    if (id != nullptr && std::string_view(id) == WALRIG_IFACE_SEEK_1) return SeekDoor::Table();
  }
  return id != nullptr && std::string_view(id) == WALRIG_IFACE_TRANSFORM_1 ? TransformDoor<Maker>::Table() : nullptr;
}

template <auto Create, typename Maker>
constexpr walrig_factory TransformFactory(uint32_t kind, const FactoryText& text, uint64_t caps) {
  walrig_factory factory = Blank(kind, text, caps);
  factory.create = CreateTransform<Create, Maker>;
  factory.destroy = Destroy<typename TransformDoor<Maker>::Instance>;
  factory.iface = TransformInterface<Maker>;
  return factory;
}

}  // namespace factory_internal

// Create: Result<std::unique_ptr<Storage>>(const Context&, const ConfigReader&). `caps` are promises; they must be what
// Storage::capabilities() answers.
template <auto Create>
constexpr walrig_factory StorageFactory(const FactoryText& text, const StorageCapabilities& caps) {
  walrig_factory factory = factory_internal::Blank(WALRIG_KIND_STORAGE, text, StorageCaps(caps));
  factory.create = factory_internal::CreateStorage<Create>;
  factory.destroy = factory_internal::Destroy<StorageDoor::Instance>;
  factory.iface = StorageDoor::Interface;
  return factory;
}

// Create: Result<std::unique_ptr<Compressor>>(const Context&, const ConfigReader&). `caps`: WALRIG_CAP_TF_*.
template <auto Create>
constexpr walrig_factory CompressorFactory(const FactoryText& text, uint64_t caps) {
  return factory_internal::TransformFactory<Create, CompressorMaker>(WALRIG_KIND_COMPRESSOR, text, caps);
}

// Create: Result<std::unique_ptr<Cipher>>(const Context&, const ConfigReader&).
template <auto Create>
constexpr walrig_factory CipherFactory(const FactoryText& text,
                                       uint64_t caps = WALRIG_CAP_TF_ENCODE | WALRIG_CAP_TF_DECODE) {
  return factory_internal::TransformFactory<Create, CipherMaker>(WALRIG_KIND_CIPHER, text, caps);
}

// For WALRIG_EXPORT_PLUGIN_HOOKS. Init: Status(); runs once, on the main thread, before other threads exist.
template <auto Init>
walrig_status InitThunk(const walrig_host*, walrig_error* error) noexcept {
  return Guard(error, [&] { return ToAbi(Init(), error); });
}
template <auto Shutdown>
void ShutdownThunk() noexcept {
  GuardSilently([&] { Shutdown(); });
}

#if defined(__clang__)
inline constexpr const char* kBuiltWith = __VERSION__;
#else
inline constexpr const char* kBuiltWith = "GCC " __VERSION__;
#endif

}  // namespace walrig::sdk

// WALRIG_EXPORT_PLUGIN(id, version, license, provides, description, &factory, ...): string literals all; `provides`
// lists what the factories make, as in "storage:s3,storage:minio". Once per plugin, at file scope, outside of any
// namespace.
#define WALRIG_EXPORT_PLUGIN(id, version, license, provides, description, ...) \
  WALRIG_EXPORT_PLUGIN_HOOKS(nullptr, nullptr, id, version, license, provides, description, __VA_ARGS__)

// The same with sdk::InitThunk<F> and sdk::ShutdownThunk<F> (or nullptr) for libraries that want a process-wide start.
#define WALRIG_EXPORT_PLUGIN_HOOKS(init, shutdown, id, version, license, provides, description, ...)                  \
  WALRIG_PLUGIN_NOTE("abi=1.0;min=0;id=" id ";version=" version ";license=" license ";provides=" provides);         \
  extern "C" WALRIG_EXPORT const walrig_module* walrig_plugin_entry_v1(void) {                                      \
    static constexpr const walrig_factory* kFactories[] = {__VA_ARGS__, nullptr};                                   \
    static constexpr walrig_module kModule = {                                                                      \
        sizeof(walrig_module), WALRIG_ABI_MAGIC, WALRIG_ABI_MAJOR, WALRIG_ABI_MINOR, 0, 0, 0, id, version,          \
        description, nullptr, nullptr, license, ::walrig::sdk::kBuiltWith, kFactories, init, shutdown};             \
    return &kModule;                                                                                                \
  }                                                                                                                 \
  static_assert(true, "a semicolon may follow")
