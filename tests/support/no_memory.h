// A plugin that gets no memory: it must say so, in the one wording, and the process must live on. No library may end it.
#pragma once

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

#include "tests/support/abi_plugin.h"
#include "tests/support/memory_limit.h"

namespace walrig::testing {

// How a child with a limit of addresses ended. Numbers that no library gives to exit().
enum : int { kChildDone = 71, kChildNoMemory = 72, kChildTestNoMemory = 73, kChildOtherError = 74 };

[[noreturn]] inline void TransformInChild(const AbiPlugin& plugin, int32_t direction, std::string_view in,
                                          size_t extra_bytes) {
  // What the test freed before is not to be had: it is taken and kept, until malloc has to ask the system for anything.
  ::mallopt(M_MMAP_THRESHOLD, 64 * 1024);
  if (!LimitMemory(0)) ::_exit(kChildOtherError);
  for (size_t bytes = size_t{64} << 20; bytes >= 256; bytes /= 2) {
    while (void* volatile kept = std::malloc(bytes)) static_cast<void>(kept);
  }
  if (!LimitMemory(extra_bytes)) ::_exit(kChildOtherError);
  try {
    const AbiResult result = plugin.Transform(direction, in);
    if (result.ok()) ::_exit(kChildDone);
    // A thread without room for its stack is told in its own words, with what to look at.
    const bool no_thread = result.code() == Code::kUnavailable && result.status.message().find("thread") != std::string_view::npos;
    const bool said = result.code() == Code::kNoMemory && result.status.message().find("out of memory in ") != std::string_view::npos &&
                      result.status.hint() == kOutOfMemoryHint;
    if (said || no_thread) ::_exit(kChildNoMemory);
    std::fprintf(stderr, "%s\n", result.status.ToString().c_str());
    ::_exit(kChildOtherError);
  } catch (const std::exception&) {
    ::_exit(kChildTestNoMemory);  // the test's own buffers
  }
}

// From next to no memory up to enough. `in` must need some megabytes in the plugin.
inline void CheckSaysThatThereIsNoMemory(const AbiPlugin& plugin, int32_t direction, std::string_view in) {
  if (!kLimitsWork) GTEST_SKIP() << "RLIMIT_AS does not go with a sanitizer";
  ASSERT_TRUE(plugin.create_status().ok()) << plugin.create_status().ToString();
  int said = 0;
  int code = 0;
  for (size_t extra = 16 * 1024; extra < size_t{2} << 30 && code != kChildDone; extra += extra / 8) {
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) TransformInChild(plugin, direction, in, extra);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status) << " with " << extra << " bytes";
    code = WEXITSTATUS(status);
    ASSERT_TRUE(code == kChildDone || code == kChildNoMemory || code == kChildTestNoMemory)
        << "ended with " << code << " with " << extra << " bytes";
    if (code == kChildNoMemory) ++said;
  }
  EXPECT_EQ(code, kChildDone);
  EXPECT_GT(said, 0);
}

}  // namespace walrig::testing
