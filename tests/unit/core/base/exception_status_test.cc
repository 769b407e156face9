#include "core/base/exception_status.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/support/status_matchers.h"

namespace walrig {
namespace {

using test::HasCode;

TEST(ExceptionStatusTest, NoMemoryIsTheOneErrorThatAnyLineCanHave) {
  const Status status = Guarded("a task", []() -> Status { throw std::bad_alloc(); });
  EXPECT_THAT(status, HasCode(Code::kNoMemory));
  EXPECT_EQ(status.message(), "out of memory in a task");
  EXPECT_EQ(status.hint(), kOutOfMemoryHint);
  EXPECT_THAT(Guarded("a list", []() -> Status { throw std::bad_array_new_length(); }), HasCode(Code::kNoMemory));
}

TEST(ExceptionStatusTest, AnythingElseIsABug) {
  const Status status = Guarded("a task", []() -> Status { throw std::runtime_error("no idea"); });
  EXPECT_THAT(status, HasCode(Code::kInternal));
  EXPECT_EQ(status.message(), "a task: no idea");
}

TEST(ExceptionStatusTest, WhatTheBodyAnswersGoesThrough) {
  EXPECT_OK(Guarded("a task", [] { return OkStatus(); }));
  EXPECT_THAT(Guarded("a task", [] { return NotFound("x"); }), HasCode(Code::kNotFound));
}

}  // namespace
}  // namespace walrig
