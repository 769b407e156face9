#include "core/plugin/dso.h"

#define BOOST_DLL_USE_STD_FS
#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>
#include <mutex>
#include <vector>

#include "core/base/lazy_library.h"

namespace walrig {
namespace {

// What is loaded stays: neither the libraries nor the descriptors are ever given back, not even at exit.
struct Kept {
  std::mutex mutex;
  std::vector<boost::dll::shared_library> libraries;
  std::vector<Fd> descriptors;
};

Kept& EverKept() {
  static Kept* const kept = new Kept;
  return *kept;
}

// The linker often names the file before its trouble; the path is said elsewhere.
std::string LinkerText(std::string text, const std::string& load_path) {
  if (const std::string head = load_path + ": "; text.compare(0, head.size(), head) == 0) text.erase(0, head.size());
  return text.empty() ? "the dynamic linker gave no reason" : text;
}

Result<const walrig_module*> LoadFrom(const std::string& load_path, const std::string& path) {
  constexpr auto kMode = static_cast<boost::dll::load_mode::type>(
      static_cast<unsigned>(boost::dll::load_mode::rtld_now) | RTLD_LOCAL | RTLD_NODELETE);
  try {
    boost::dll::shared_library library;
    std::error_code error;
    dlerror();
    library.load(load_path, error, kMode);
    if (error) {
      const char* words = dlerror();
      std::string hint = words != nullptr ? HintOfMapping(words) : "";
      if (hint.empty()) hint = "install the missing library, or reinstall the plugin's package";
      return Unavailable(path + " cannot be loaded: " + LinkerText(words != nullptr ? words : error.message(), load_path))
          .Hint(std::move(hint));
    }
    Kept& kept = EverKept();
    walrig_plugin_entry_fn entry = nullptr;
    {
      const std::lock_guard lock(kept.mutex);
      kept.libraries.push_back(std::move(library));
      boost::dll::shared_library& kept_library = kept.libraries.back();
      if (kept_library.has(WALRIG_ENTRY_SYMBOL)) {
        entry = &kept_library.get<const walrig_module*()>(WALRIG_ENTRY_SYMBOL);
      }
    }
    if (entry == nullptr) {
      return NotSupported(path + " has no entry function " WALRIG_ENTRY_SYMBOL)
          .Hint("it is no walrig plugin, or made for another major version of the plugin ABI");
    }
    const walrig_module* module = entry();
    if (module == nullptr) return Corruption(path + ": the entry function returned no module");
    return module;
  } catch (const std::bad_alloc&) {
    return OutOfMemory("loading " + path);
  } catch (const std::exception& e) {
    return Unavailable(path + " cannot be loaded: " + LinkerText(e.what(), load_path));
  } catch (...) {
    return Internal(path + ": the entry function threw something that is no exception");
  }
}

}  // namespace

Result<const walrig_module*> LoadModule(const std::string& path) {
  if (path.empty() || path[0] != '/') return InvalidArgument("a plugin is loaded by an absolute path only: " + path);
  return LoadFrom(path, path);
}

Result<const walrig_module*> LoadModuleByFd(Fd fd, const std::string& path) {
  const std::string name = "/proc/self/fd/" + std::to_string(fd.get());
  {
    Kept& kept = EverKept();
    const std::lock_guard lock(kept.mutex);
    kept.descriptors.push_back(std::move(fd));
  }
  return LoadFrom(name, path);
}

}  // namespace walrig
