// The status of what a call gave, whether it is one or a Result: for code that treats both alike.
//
// THREADS: functions without state.
#pragma once

#include "walrig/result.h"

namespace walrig {

inline const Status& StatusOf(const Status& status) { return status; }
template <typename T>
const Status& StatusOf(const Result<T>& result) {
  return result.status();
}

}  // namespace walrig
