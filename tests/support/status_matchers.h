// Matchers for Status and Result: EXPECT_THAT(call(), IsOk()), HasCode(Code::kNotFound), MessageHas("text"),
// IsOkAndHolds(value).
#pragma once

#include <gmock/gmock.h>

#include <ostream>
#include <string>
#include <type_traits>

#include "walrig/result.h"

namespace walrig {

// How GoogleTest prints them.
inline void PrintTo(const Status& status, std::ostream* out) {
  *out << CodeName(status.code()) << ": " << status.ToString();
}
template <typename T>
void PrintTo(const Result<T>& result, std::ostream* out) {
  if (result.ok()) {
    *out << "ok: " << ::testing::PrintToString(*result);
  } else {
    PrintTo(result.status(), out);
  }
}

namespace test {

inline const Status& StatusOf(const Status& status) { return status; }
template <typename T>
const Status& StatusOf(const Result<T>& result) {
  return result.status();
}

MATCHER(IsOk, negation ? "is an error" : "is OK") {
  static_cast<void>(result_listener);
  return StatusOf(arg).ok();
}
MATCHER_P(HasCode, code, std::string(negation ? "has not" : "has") + " code " + std::string(CodeName(code))) {
  static_cast<void>(result_listener);
  return StatusOf(arg).code() == code;
}
MATCHER_P(MessageHas, text, "has a message or hint with \"" + std::string(text) + "\"") {
  static_cast<void>(result_listener);
  return StatusOf(arg).ToString().find(text) != std::string::npos;
}
MATCHER_P(IsOkAndHolds, value, "is OK and holds " + ::testing::PrintToString(value)) {
  return arg.ok() && ::testing::ExplainMatchResult(::testing::Eq(value), *arg, result_listener);
}

}  // namespace test
}  // namespace walrig

// The value of a Result, or the end of the test.
#define ASSERT_OK_AND_ASSIGN(lhs, ...) \
  ASSERT_OK_AND_ASSIGN_IMPL_(WALRIG_CONCAT(walrig_test_result_, __LINE__), lhs, __VA_ARGS__)
#define ASSERT_OK_AND_ASSIGN_IMPL_(tmp, lhs, ...)   \
  auto tmp = (__VA_ARGS__);                         \
  ASSERT_TRUE(tmp.ok()) << tmp.status().ToString(); \
  lhs = std::move(tmp).value()
#define ASSERT_OK(...) ASSERT_THAT((__VA_ARGS__), ::walrig::test::IsOk())
#define EXPECT_OK(...) EXPECT_THAT((__VA_ARGS__), ::walrig::test::IsOk())
