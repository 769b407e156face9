// SPDX-License-Identifier: MIT-0
// Guard: the wall that no exception crosses. Every function of a C table runs its body inside.
//
// THREADS: a function without state.
#pragma once

#include <exception>
#include <new>
#include <system_error>

#include "walrig/abi_status.h"

namespace walrig::sdk {

// Runs `body`, which returns a walrig_status, and turns whatever it throws into one.
template <typename Body>
walrig_status Guard(walrig_error* error, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return FillAbiError(error, Code::kNoMemory, "out of memory in a plugin");
  } catch (const std::system_error& e) {
    return FillAbiError(error, Code::kIoError, e.what());
  } catch (const std::exception& e) {
    return FillAbiError(error, Code::kInternal, e.what());
  } catch (...) {
    return FillAbiError(error, Code::kInternal, "the plugin threw something that is no std::exception");
  }
}

// For functions that cannot report: what is thrown is dropped, for there is nobody to tell.
template <typename Body>
void GuardSilently(Body&& body) noexcept {
  try {
    body();
  } catch (...) {
  }
}

}  // namespace walrig::sdk
