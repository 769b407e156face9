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

Status LazyLibrary::Load() {
  std::lock_guard lock(mutex_);
  if (handle_ != nullptr) return OkStatus();
  handle_ = ::dlopen(names_.soname.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle_ != nullptr) return OkStatus();
  std::string purpose = names_.purpose.empty() ? "" : fmt::format(", needed {}", names_.purpose);
  return NotSupported(fmt::format("cannot load {}{}: {}", names_.soname, purpose, LastDlError()))
      .Hint(fmt::format("install the package {}", names_.package));
}

Result<void*> LazyLibrary::Address(const char* symbol) {
  WALRIG_TRY(Load());
  std::lock_guard lock(mutex_);
  if (void* address = ::dlsym(handle_, symbol); address != nullptr) return address;
  return NotSupported(fmt::format("{} has no {}: {}", names_.soname, symbol, LastDlError()))
      .Hint(fmt::format("install a newer package {}", names_.package));
}

}  // namespace walrig
