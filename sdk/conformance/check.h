// SPDX-License-Identifier: MIT-0
// Check: one claim of the conformance kit, and the verdict on it.
//
// A suite is a list of checks over the C++ contract (walrig/storage.h and so on), so it judges an implementation alike
// whether it was linked in or came through a plugin's C table. Each check opens its own instance and cleans up
// behind itself; the runner gives each a process of its own, so a crash is one failed check.
//
// THREADS: a check runs in one thread and may start others that it joins.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace walrig::conformance {

class Verdict {
 public:
  enum class Kind { kPass, kWarn, kSkip, kFail };

  // The first failure stands; a skip or warning does not hide it.
  void Fail(std::string why) { Set(Kind::kFail, std::move(why)); }
  // Only for an ability that is not claimed, or a means that is not there: says which.
  void Skip(std::string why) { Set(Kind::kSkip, std::move(why)); }
  void Warn(std::string why) { Set(Kind::kWarn, std::move(why)); }

  Kind kind() const { return kind_; }
  const std::string& why() const { return why_; }

 private:
  void Set(Kind kind, std::string why) {
    if (kind <= kind_ && kind_ != Kind::kPass) return;
    kind_ = kind;
    why_ = std::move(why);
  }
  Kind kind_ = Kind::kPass;
  std::string why_;
};

struct Check {
  std::string name;  // "storage/abort_leaves_nothing"
  int level = 1;     // 0 file and module, 1 behaviour, 2 faults and resources, 3 long
  std::function<void(Verdict&)> run;
};

}  // namespace walrig::conformance

// Ends the check as failed unless the condition holds. The text says what was expected and what came.
#define KIT_EXPECT(condition, text) \
  do {                              \
    if (!(condition)) {             \
      verdict.Fail(text);           \
      return;                       \
    }                               \
  } while (false)

// `lhs` gets the value of a Result; ends the check as failed without one.
#define KIT_ASSIGN(lhs, ...) KIT_ASSIGN_IMPL_(WALRIG_CONCAT(kit_result_, __LINE__), lhs, __VA_ARGS__)
#define KIT_ASSIGN_IMPL_(tmp, lhs, ...)                                     \
  auto tmp = (__VA_ARGS__);                                                 \
  if (!tmp.ok()) {                                                          \
    verdict.Fail(std::string(#__VA_ARGS__ ": ") + tmp.status().ToString()); \
    return;                                                                 \
  }                                                                         \
  lhs = std::move(tmp).value()

#define KIT_OK(...)                                                          \
  do {                                                                       \
    if (::walrig::Status kit_status_ = (__VA_ARGS__); !kit_status_.ok()) {   \
      verdict.Fail(std::string(#__VA_ARGS__ ": ") + kit_status_.ToString()); \
      return;                                                                \
    }                                                                        \
  } while (false)
