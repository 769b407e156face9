#include "core/base/lazy_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace walrig {
namespace {

std::string LastDlError() {
  const char* text = ::dlerror();
  return text != nullptr ? text : "no reason given";
}

}  // namespace

std::string HintOfMapping(std::string_view dl_error) {
  const bool mapping = dl_error.find("failed to map segment") != std::string_view::npos ||
                       dl_error.ends_with(": Cannot allocate memory");
  if (!mapping) return {};
  return fmt::format("there was no memory for it, or its file system is mounted noexec; for memory: {}", kOutOfMemoryHint);
}

Status LazyLibrary::Load() {
  std::lock_guard lock(mutex_);
  if (handle_ != nullptr) return OkStatus();
  handle_ = ::dlopen(names_.soname.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle_ != nullptr) return OkStatus();
  const std::string reason = LastDlError();
  std::string hint = HintOfMapping(reason);
  if (hint.empty()) hint = fmt::format("install the package {}", names_.package);
  std::string purpose = names_.purpose.empty() ? "" : fmt::format(", needed {}", names_.purpose);
  return NotSupported(fmt::format("cannot load {}{}: {}", names_.soname, purpose, reason))
      .Hint(std::move(hint));
}

Result<void*> LazyLibrary::Address(const char* symbol) {
  WALRIG_TRY(Load());
  std::lock_guard lock(mutex_);
  if (void* address = ::dlsym(handle_, symbol); address != nullptr) return address;
  return NotSupported(fmt::format("{} has no {}: {}", names_.soname, symbol, LastDlError()))
      .Hint(fmt::format("install a newer package {}", names_.package));
}

}  // namespace walrig
