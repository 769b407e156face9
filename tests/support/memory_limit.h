// A limit to the memory of a process, for children that a test forks.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>

namespace walrig::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kLimitsWork = false;  // a sanitizer's shadow takes terabytes of addresses
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
inline constexpr bool kLimitsWork = false;
#else
inline constexpr bool kLimitsWork = true;
#endif
#else
inline constexpr bool kLimitsWork = true;
#endif

inline size_t MappedBytes() {
  unsigned long pages = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  const bool read = std::fscanf(file, "%lu", &pages) == 1;
  std::fclose(file);
  return read ? pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

// From here on this process gets `extra_bytes` of addresses more than it has. Only the soft limit: it can be lifted.
inline bool LimitMemory(size_t extra_bytes) {
  rlimit limits{};
  if (::getrlimit(RLIMIT_AS, &limits) != 0) return false;
  limits.rlim_cur = MappedBytes() + extra_bytes;
  return ::setrlimit(RLIMIT_AS, &limits) == 0;
}
inline void LiftMemoryLimit() {
  rlimit limits{};
  ::getrlimit(RLIMIT_AS, &limits);
  limits.rlim_cur = limits.rlim_max;
  ::setrlimit(RLIMIT_AS, &limits);
}

}  // namespace walrig::testing
