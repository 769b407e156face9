// Owners of librnp's handles, and its errors as text. THREADS: one at a time.
#pragma once

#include <rnp/rnp.h>

#include <memory>
#include <string>
#include <type_traits>

#include "walrig/result.h"

namespace walrig::openpgp {

template <auto Destroy>
struct RnpDestroy {
  template <typename T>
  void operator()(T* handle) const noexcept {
    Destroy(handle);
  }
};
using RnpFfi = std::unique_ptr<std::remove_pointer_t<rnp_ffi_t>, RnpDestroy<rnp_ffi_destroy>>;
using RnpInput = std::unique_ptr<std::remove_pointer_t<rnp_input_t>, RnpDestroy<rnp_input_destroy>>;
using RnpOutput = std::unique_ptr<std::remove_pointer_t<rnp_output_t>, RnpDestroy<rnp_output_destroy>>;
using RnpKey = std::unique_ptr<std::remove_pointer_t<rnp_key_handle_t>, RnpDestroy<rnp_key_handle_destroy>>;
using RnpVerify = std::unique_ptr<std::remove_pointer_t<rnp_op_verify_t>, RnpDestroy<rnp_op_verify_destroy>>;
using RnpEncrypt = std::unique_ptr<std::remove_pointer_t<rnp_op_encrypt_t>, RnpDestroy<rnp_op_encrypt_destroy>>;
using RnpText = std::unique_ptr<char, RnpDestroy<rnp_buffer_destroy>>;

// FAILS WITH: kInternal, or kNoMemory.
Status RnpStatus(rnp_result_t code, const char* what);

}  // namespace walrig::openpgp
