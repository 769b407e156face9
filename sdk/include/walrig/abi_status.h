// SPDX-License-Identifier: MIT-0
// Status over the plugin wall: how a Status becomes a walrig_error and a Status again.
//
// Both sides of the wall use these two functions: the export macro in a plugin, the bridges in the core. A walrig_error
// has no field for a hint, so the hint travels at the end of the message, after "; hint: " (as Status::ToString prints
// it), and is taken off again on the other side; where both do not fit, the hint is cut first. Text is cut at a whole
// UTF-8 character.
//
// THREADS: functions without state. None of them throws.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "walrig/abi/status.h"
#include "walrig/status.h"

namespace walrig {

inline constexpr std::string_view kAbiHintMark = "; hint: ";

namespace abi_internal {

// Copies as much of `text` as fits whole characters and the NUL. `room` is at least 1.
inline size_t CopyText(char* to, size_t room, std::string_view text) noexcept {
  size_t n = text.size();
  if (n >= room) {
    n = room - 1;
    while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xC0u) == 0x80u) --n;
  }
  if (n != 0) std::memcpy(to, text.data(), n);
  to[n] = '\0';
  return n;
}

// The text of a field that a stranger filled: never read beyond its end.
template <size_t N>
std::string_view FieldText(const char (&field)[N]) noexcept {
  return {field, ::strnlen(field, N)};
}

// Writes what fits into the caller's record, which may be of an older, shorter kind.
inline void CopyError(walrig_error full, walrig_error* error) noexcept {
  if (error == nullptr) return;
  const uint32_t room = error->struct_size;
  full.struct_size = room;
  std::memcpy(error, &full, room < sizeof full ? room : sizeof full);
}

}  // namespace abi_internal

// Fills `error` (may be null) without a Status, for places where nothing may be allocated. Returns the ABI's code.
inline walrig_status FillAbiError(walrig_error* error, Code code, std::string_view message) noexcept {
  walrig_error full{};
  full.code = -static_cast<int32_t>(code);
  abi_internal::CopyText(full.message, sizeof full.message, message);
  abi_internal::CopyError(full, error);
  return full.code;
}

// OK gives WALRIG_OK and leaves `error` alone. `error` may be null: then only the code travels.
inline int32_t ToAbi(const Status& status, walrig_error* error) noexcept {
  if (status.ok()) return WALRIG_OK;
  walrig_error full{};
  const Status::Detail& detail = status.detail();
  full.code = -static_cast<int32_t>(status.code());
  if (detail.retryable) full.flags |= WALRIG_EF_RETRYABLE;
  if (detail.outcome_unknown) full.flags |= WALRIG_EF_OUTCOME_UNKNOWN;
  if (detail.resumable) full.flags |= WALRIG_EF_RETRYABLE | WALRIG_EF_RESUMABLE;
  full.retry_after_ms = detail.retry_after_ms;
  full.os_errno = detail.os_errno;
  full.native_code = detail.native_code;
  abi_internal::CopyText(full.native_name, sizeof full.native_name, detail.native_name);
  abi_internal::CopyText(full.request_id, sizeof full.request_id, detail.request_id);
  const size_t used = abi_internal::CopyText(full.message, sizeof full.message, status.message());
  const std::string_view hint = status.hint();
  // A hint of which only a few letters would survive helps nobody.
  constexpr size_t kHintBytesMin = 24;
  if (!hint.empty() && sizeof full.message - used > kAbiHintMark.size() + kHintBytesMin) {
    abi_internal::CopyText(full.message + used, sizeof full.message - used, kAbiHintMark);
    const size_t at = used + kAbiHintMark.size();
    abi_internal::CopyText(full.message + at, sizeof full.message - at, hint);
  }
  abi_internal::CopyError(full, error);
  return full.code;
}

// What a function of the ABI returned, with the error record it was given. A code that this side does not know is
// kInternal; a flow code (WALRIG_END and the like) is for the caller to handle before and is kInternal here.
// An empty message is replaced by the code's name, so that no error is mute.
inline Status FromAbi(int32_t code, const walrig_error& error) {
  if (code == WALRIG_OK) return OkStatus();
  const bool known = code < 0 && code >= -static_cast<int32_t>(Code::kTruncated);
  const Code ours = known ? static_cast<Code>(-code) : Code::kInternal;
  std::string_view text = abi_internal::FieldText(error.message);
  std::string_view hint;
  if (const size_t at = text.rfind(kAbiHintMark); at != std::string_view::npos) {
    hint = text.substr(at + kAbiHintMark.size());
    text = text.substr(0, at);
  }
  std::string message(text);
  if (message.empty()) message = known ? std::string(CodeName(ours)) : "the plugin answered " + std::to_string(code);
  Status::Detail detail;
  detail.retryable = (error.flags & WALRIG_EF_RETRYABLE) != 0;
  detail.outcome_unknown = (error.flags & WALRIG_EF_OUTCOME_UNKNOWN) != 0;
  detail.resumable = detail.retryable && (error.flags & WALRIG_EF_RESUMABLE) != 0;
  detail.retry_after_ms = error.retry_after_ms;
  detail.os_errno = error.os_errno;
  detail.native_code = error.native_code;
  detail.native_name = abi_internal::FieldText(error.native_name);
  detail.request_id = abi_internal::FieldText(error.request_id);
  Status status = Status(ours, std::move(message)).WithDetail(std::move(detail));
  if (!hint.empty()) status = std::move(status).Hint(std::string(hint));
  if (ours == Code::kNoMemory) status = std::move(status).Hint(kOutOfMemoryHint);
  return status;
}

}  // namespace walrig
