#include "core/plugin/catalogue.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "walrig/abi/storage.h"
#include "walrig/abi/transform.h"

namespace walrig {
namespace {

struct Bit {
  uint64_t mask;
  std::string_view name;
};

constexpr std::array<Bit, 8> kStorageBits{{{WALRIG_CAP_ST_RANGE, "range"},
                                           {WALRIG_CAP_ST_PUT_ABSENT, "put-if-absent"},
                                           {WALRIG_CAP_ST_COPY, "copy"},
                                           {WALRIG_CAP_ST_DELIMITER, "delimiter"},
                                           {WALRIG_CAP_ST_LIST_SORTED, "sorted-list"},
                                           {WALRIG_CAP_ST_READ_YOUR_WRITES, "read-your-writes"},
                                           {WALRIG_CAP_ST_LIST_YOUR_WRITES, "list-your-writes"},
                                           {WALRIG_CAP_ST_UNFINISHED, "unfinished"}}};
constexpr std::array<Bit, 4> kTransformBits{{{WALRIG_CAP_TF_ENCODE, "encode"},
                                             {WALRIG_CAP_TF_DECODE, "decode"},
                                             {WALRIG_CAP_TF_CONCATENABLE, "concatenable"},
                                             {WALRIG_CAP_TF_DETERMINISTIC, "deterministic"}}};

int64_t Nanoseconds(const struct timespec& ts) { return static_cast<int64_t>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec; }

bool Contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

const CatalogueFile* RowOf(const Catalogue& catalogue, const std::string& dir, std::string_view basename) {
  for (const CatalogueFile& file : catalogue.files) {
    if (file.basename == basename && file.dir == dir) return &file;
  }
  return nullptr;
}

// The file that a directory has under this name. Links within the directory have no row of their own.
const CatalogueFile* FileCalled(const Catalogue& catalogue, const std::string& dir, const std::string& basename) {
  if (const CatalogueFile* file = RowOf(catalogue, dir, basename); file != nullptr) return file;
  char target[4096];
  const ssize_t got = readlink((dir + "/" + basename).c_str(), target, sizeof target);
  return got <= 0 ? nullptr : RowOf(catalogue, dir, {target, static_cast<size_t>(got)});
}

// What a file holds for the name, and whether that is an alias only; null for nothing.
std::pair<const FactoryInfo*, bool> FactoryOf(const CatalogueFile& file, PluginKind kind, std::string_view name) {
  const FactoryInfo* by_alias = nullptr;
  if (!file.module.has_value()) return {nullptr, false};
  for (const FactoryInfo& factory : file.module->factories) {
    if (factory.kind != kind) continue;
    if (factory.name == name) return {&factory, false};
    if (by_alias == nullptr && Contains(factory.aliases, name)) by_alias = &factory;
  }
  return {by_alias, by_alias != nullptr};
}

}  // namespace

Result<PluginKind> ParseKind(std::string_view text) {
  for (const PluginKind kind :
       {PluginKind::kStorage, PluginKind::kCompressor, PluginKind::kCipher, PluginKind::kTransport}) {
    if (text == KindName(kind)) return kind;
  }
  return InvalidArgument("\"" + std::string(text) + "\" is no kind of plugin")
      .Hint("the kinds are storage, compressor, cipher and transport");
}

std::string PluginFileName(PluginKind kind, std::string_view name) {
  return std::string(KindName(kind)) + "-" + std::string(name) + ".so";
}

std::string_view HostTriplet() {
#if defined(__x86_64__) && defined(__ILP32__)
  return "x86_64-linux-gnux32";
#elif defined(__x86_64__)
  return "x86_64-linux-gnu";
#elif defined(__i386__)
  return "i386-linux-gnu";
#elif defined(__aarch64__)
  return "aarch64-linux-gnu";
#elif defined(__arm__)
  return "arm-linux-gnueabihf";
#elif defined(__powerpc64__)
  return "powerpc64le-linux-gnu";
#elif defined(__s390x__)
  return "s390x-linux-gnu";
#elif defined(__riscv)
  return "riscv64-linux-gnu";
#else
#error "name this machine's triplet here"
#endif
}

FileIdentity IdentityOf(const struct stat& st) {
  return {static_cast<uint64_t>(st.st_dev), static_cast<uint64_t>(st.st_ino), static_cast<uint64_t>(st.st_size),
          Nanoseconds(st.st_mtim), Nanoseconds(st.st_ctim)};
}

std::string_view FileStateName(FileState state) {
  switch (state) {
    case FileState::kOk: return "ok";
    case FileState::kIncompatible: return "incompatible";
    case FileState::kUnloadable: return "unloadable";
    case FileState::kQuarantined: return "quarantined";
    case FileState::kUntrusted: return "untrusted";
    case FileState::kForeignArch: return "foreign_arch";
  }
  return "unknown";
}

Result<FileState> ParseFileState(std::string_view text) {
  for (const FileState state : {FileState::kOk, FileState::kIncompatible, FileState::kUnloadable,
                                FileState::kQuarantined, FileState::kUntrusted, FileState::kForeignArch}) {
    if (text == FileStateName(state)) return state;
  }
  return Corruption("unknown state of a plugin file");
}

std::optional<CatalogueHit> FindInCatalogue(const Catalogue& catalogue, PluginKind kind, std::string_view name) {
  const std::string basename = PluginFileName(kind, name);
  const std::string* dir = nullptr;
  for (const CatalogueFile& file : catalogue.files) {
    if (dir != nullptr && file.dir == *dir) continue;
    dir = &file.dir;
    const CatalogueFile* called = FileCalled(catalogue, *dir, basename);
    if (called != nullptr) return CatalogueHit{called, FactoryOf(*called, kind, name).first};
  }
  std::optional<CatalogueHit> by_alias;
  for (const CatalogueFile& file : catalogue.files) {
    const auto [factory, is_alias] = FactoryOf(file, kind, name);
    if (factory == nullptr) continue;
    if (!is_alias) return CatalogueHit{&file, factory};
    if (!by_alias.has_value()) by_alias = CatalogueHit{&file, factory};
  }
  return by_alias;
}

std::vector<std::string> CapabilityNames(PluginKind kind, uint64_t caps) {
  std::vector<std::string> names;
  const auto take = [&](auto& bits) {
    for (const Bit& bit : bits) {
      if ((caps & bit.mask) != 0) names.emplace_back(bit.name);
      caps &= ~bit.mask;
    }
  };
  if (kind == PluginKind::kStorage) take(kStorageBits);
  if (kind == PluginKind::kCompressor || kind == PluginKind::kCipher) take(kTransformBits);
  for (int i = 0; i < 64; ++i) {
    if ((caps >> i & 1) != 0) names.push_back("bit-" + std::to_string(i));
  }
  return names;
}

std::string_view OptionTypeName(OptionType type) {
  switch (type) {
    case OptionType::kString: return "string";
    case OptionType::kBool: return "bool";
    case OptionType::kInt: return "int";
    case OptionType::kUint: return "uint";
    case OptionType::kFloat: return "float";
    case OptionType::kSize: return "size";
    case OptionType::kTime: return "time";
    case OptionType::kEnum: return "enum";
    case OptionType::kPath: return "path";
    case OptionType::kList: return "list";
  }
  return "unknown";
}

}  // namespace walrig
