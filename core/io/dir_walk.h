// WalkDirectory: everything below a directory, in byte order of the names, while others may be changing it.
//
// Symbolic links are shown, never followed (the root itself may be one). What vanishes between being listed and being
// looked at is left out. Memory is bounded by the names of the directories on the way down, not by the tree.
// THREADS: any; the visitor runs on the caller's thread.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

struct WalkEntry {
  std::string_view path;    // relative to the root, '/' between parts; valid during the call
  int dir_fd;               // the directory that holds it, for openat(); valid during the call
  const char* name;         // last part of `path`
  const struct stat& info;  // lstat of it
  int depth;                // 0 for entries of the root
};

enum class WalkAnswer {
  kDescend,  // into it, if it is a directory
  kSkip,     // leave out what is below it
};

using WalkVisitor = std::function<Result<WalkAnswer>(const WalkEntry&)>;

struct WalkOptions {
  int depth_max = 64;  // directories inside one another; each holds a descriptor
};

// Calls `visit` for each entry, a directory before its content. The first error of the visitor ends the walk and is
// returned. FAILS WITH: kNotFound when there is no root; kInvalidArgument when it is no directory; kPermission,
// kIoError with the path; kTooLarge when the tree is deeper than depth_max; kCancelled.
Status WalkDirectory(const Context& ctx, const std::string& root, const WalkOptions& options, const WalkVisitor& visit);

}  // namespace walrig
