// LazyLibrary: a shared library that is mapped when the first call needs it, so that a command that does not need it
// starts without.
//
// The library is never unloaded. THREADS: all methods from any thread.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig {

// What to do about these words of dlerror() when the file is there and could not be mapped; "" when they say something
// else. glibc has the same words for no memory and for a file system without execution.
std::string HintOfMapping(std::string_view dl_error);

class LazyLibrary {
 public:
  struct Names {
    std::string soname;   // "libpq.so.5"
    std::string package;  // Debian's package that brings it: "libpq5"
    std::string purpose;  // what cannot be done without it: "to talk to PostgreSQL"; may be empty
  };
  explicit LazyLibrary(Names names) : names_(std::move(names)) {}
  LazyLibrary(const LazyLibrary&) = delete;
  LazyLibrary& operator=(const LazyLibrary&) = delete;

  // Maps the library; cheap when it is mapped already. A failure is tried anew by the next call.
  // FAILS WITH: kNotSupported; the hint names the package to install, or says what keeps it from being mapped.
  Status Load();

  // Looks a function up, loading the library when needed: `WALRIG_TRY(library.Bind(api.connect, "PQconnectdb"));`
  // FAILS WITH: what Load says; kNotSupported when the library has no such symbol.
  template <typename Function>
  Status Bind(Function*& function, const char* symbol) {
    Result<void*> address = Address(symbol);
    if (!address.ok()) return std::move(address).status();
    function = reinterpret_cast<Function*>(*address);
    return OkStatus();
  }

  // The address of a symbol, as dlsym gives it; never null.
  Result<void*> Address(const char* symbol);

 private:
  const Names names_;
  std::mutex mutex_;
  void* handle_ = nullptr;  // guarded by mutex_
};

}  // namespace walrig
