// Dso: a shared object that was loaded and stays so. The only place that knows Boost.DLL.
//
// Loaded with RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE and never unloaded: thread-local destructors, exception objects
// and callbacks of the plugin may outlive any moment at which an unload would seem right.
//
// THREADS: any.
#pragma once

#include <string>

#include "core/base/fd.h"
#include "walrig/abi/entry.h"
#include "walrig/result.h"

namespace walrig {

// Loads the file at an absolute path and calls its entry function. Loading the same file twice gives the same module.
// FAILS WITH: kUnavailable with the dynamic linker's own words (a missing library, an unknown symbol); kNotSupported
// when it has no entry function of a major that this host speaks; kInvalidArgument for a path that is not absolute.
Result<const walrig_module*> LoadModule(const std::string& path);

// The same through /proc/self/fd/N, so that what was hashed is what is loaded. Keeps `fd` open for ever: the dynamic
// linker knows the object by that name, and a reused number would give the wrong one. `path` is for messages.
Result<const walrig_module*> LoadModuleByFd(Fd fd, const std::string& path);

}  // namespace walrig
