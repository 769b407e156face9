// What others throw, as a Status: our own functions throw nothing but std::bad_alloc, which any line can.
//
// THREADS: functions without state.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "walrig/status.h"

namespace walrig {

// kNoMemory for std::bad_alloc, in the words of OutOfMemory(what); kInternal for anything else: "what: its text".
inline Status ExceptionStatus(const std::exception& error, std::string_view what) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return OutOfMemory(what);
  return Internal(std::string(what) + ": " + error.what());
}

// Runs `body`, a Status(), on a thread or for a caller that nothing may be thrown to.
template <typename Body>
Status Guarded(std::string_view what, Body&& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    return ExceptionStatus(error, what);
  }
}

}  // namespace walrig
