// Status: what a call that can fail says about itself.
//
// Every signature in walrig that can fail returns Status or Result<T>; exceptions never leave a function body.
// A Status is OK, or a code that tells the caller what to do, a message that tells the operator what happened and
// where, and optionally hints that tell the operator what to do about it. Messages are lower case without a full
// stop and never hold a secret. Codes mirror the plugin ABI (sdk/include/walrig/abi/status.h) one to one, so that a
// status crosses the plugin wall without translation tables.
//
// THREADS: a Status is a value; distinct objects may be used from distinct threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace walrig {

// Values are the negated codes of the ABI; never renumber.
enum class Code : int32_t {
  kOk = 0,
  kInternal = 1,            // a bug, ours or a plugin's
  kCancelled = 2,           // the stop token was set
  kTimeout = 3,             // a deadline passed
  kNotFound = 4,            // the named thing does not exist (and the place where it would be was readable)
  kAlreadyExists = 5,       // put-if-absent lost, or a destination is there already
  kPreconditionFailed = 6,  // etag or generation differs
  kPermission = 7,
  kUnauthenticated = 8,
  kInvalidArgument = 9,     // the caller's or the user's input is wrong
  kConfig = 10,             // a setting is missing, unknown or contradictory
  kNotSupported = 11,
  kUnavailable = 12,        // the other side is not there now
  kThrottled = 13,
  kNoSpace = 14,
  kCorruption = 15,         // bytes are not what they must be
  kTooLarge = 16,
  kConflict = 17,
  kReadOnly = 18,
  kNameInvalid = 19,        // the storage cannot hold an object of this name
  kNoMemory = 20,
  kIoError = 21,
  kProtocol = 22,           // the other side answered nonsense
  kTruncated = 23,          // the data end before they should
};

// The code's lower-case name as logs and --json print it: "not_found".
constexpr std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kOk: return "ok";
    case Code::kInternal: return "internal";
    case Code::kCancelled: return "cancelled";
    case Code::kTimeout: return "timeout";
    case Code::kNotFound: return "not_found";
    case Code::kAlreadyExists: return "already_exists";
    case Code::kPreconditionFailed: return "precondition_failed";
    case Code::kPermission: return "permission";
    case Code::kUnauthenticated: return "unauthenticated";
    case Code::kInvalidArgument: return "invalid_argument";
    case Code::kConfig: return "config";
    case Code::kNotSupported: return "not_supported";
    case Code::kUnavailable: return "unavailable";
    case Code::kThrottled: return "throttled";
    case Code::kNoSpace: return "no_space";
    case Code::kCorruption: return "corruption";
    case Code::kTooLarge: return "too_large";
    case Code::kConflict: return "conflict";
    case Code::kReadOnly: return "read_only";
    case Code::kNameInvalid: return "name_invalid";
    case Code::kNoMemory: return "no_memory";
    case Code::kIoError: return "io_error";
    case Code::kProtocol: return "protocol";
    case Code::kTruncated: return "truncated";
  }
  return "unknown";
}

class [[nodiscard]] Status {
 public:
  // What a remote side or the operating system said besides the code. All fields optional.
  struct Detail {
    bool retryable = false;         // the same call may succeed later; the only thing that permits a retry
    bool outcome_unknown = false;   // the effect may have happened although the call failed
    bool resumable = false;         // of a Sink: the same call on the same sink goes on where it failed; also retryable
    uint32_t retry_after_ms = 0;    // the other side's wish; 0 when it has none
    int32_t os_errno = 0;
    int32_t native_code = 0;        // HTTP status, library code
    std::string native_name;        // "SlowDown"
    std::string request_id;
  };

  Status() noexcept = default;
  Status(Code code, std::string message) : rep_(code == Code::kOk ? nullptr : std::make_unique<Rep>()) {
    if (rep_ == nullptr) return;
    rep_->code = code;
    rep_->message = std::move(message);
  }
  Status(const Status& other) : rep_(other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr) {}
  Status& operator=(const Status& other) {
    if (this != &other) rep_ = other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr;
    return *this;
  }
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  bool ok() const noexcept { return rep_ == nullptr; }
  Code code() const noexcept { return rep_ ? rep_->code : Code::kOk; }
  std::string_view message() const noexcept { return rep_ ? std::string_view(rep_->message) : std::string_view(); }
  std::string_view hint() const noexcept { return rep_ ? std::string_view(rep_->hint) : std::string_view(); }
  const Detail& detail() const noexcept {
    static const Detail kNone;
    return rep_ ? rep_->detail : kNone;
  }
  bool retryable() const noexcept { return detail().retryable; }
  bool outcome_unknown() const noexcept { return detail().outcome_unknown; }
  bool resumable() const noexcept { return detail().resumable; }

  // Puts a place before the message, once per room on the way up: "reading base_1: open /x: permission denied".
  // No effect on OK.
  Status With(std::string_view place) && {
    if (rep_) rep_->message.insert(0, std::string(place) + ": ");
    return std::move(*this);
  }
  // Says what the operator can do. Hints add up: the innermost, most specific one comes first, and what was said already
  // is not said twice.
  Status Hint(std::string_view hint) && {
    if (rep_ == nullptr || hint.empty() || rep_->hint.find(hint) != std::string::npos) return std::move(*this);
    if (!rep_->hint.empty()) rep_->hint += "; ";
    rep_->hint += hint;
    return std::move(*this);
  }
  Status WithDetail(Detail detail) && {
    if (rep_) rep_->detail = std::move(detail);
    return std::move(*this);
  }
  Status Retryable(uint32_t retry_after_ms = 0) && {
    if (rep_) rep_->detail.retryable = true, rep_->detail.retry_after_ms = retry_after_ms;
    return std::move(*this);
  }
  Status Resumable() && {
    if (rep_) rep_->detail.retryable = rep_->detail.resumable = true;
    return std::move(*this);
  }
  Status OutcomeUnknown() && {
    if (rep_) rep_->detail.outcome_unknown = true;
    return std::move(*this);
  }

  // "ok", or the message, followed by "; hint: ..." when there is a hint; several stand there with "; " between them.
  std::string ToString() const {
    if (ok()) return "ok";
    std::string text = rep_->message;
    if (!rep_->hint.empty()) text += "; hint: " + rep_->hint;
    return text;
  }

  // Drops an error on purpose; `why` is for the reader of the code.
  void Ignore([[maybe_unused]] const char* why) const noexcept {}

 private:
  struct Rep {
    Code code = Code::kOk;
    std::string message;
    std::string hint;
    Detail detail;
  };
  std::unique_ptr<Rep> rep_;  // null means OK: success costs one pointer
};

inline Status OkStatus() noexcept { return Status(); }
inline Status Internal(std::string message) { return {Code::kInternal, std::move(message)}; }
inline Status Cancelled(std::string message = "cancelled") { return {Code::kCancelled, std::move(message)}; }
inline Status Timeout(std::string message) { return {Code::kTimeout, std::move(message)}; }
inline Status NotFound(std::string message) { return {Code::kNotFound, std::move(message)}; }
inline Status AlreadyExists(std::string message) { return {Code::kAlreadyExists, std::move(message)}; }
inline Status PreconditionFailed(std::string message) { return {Code::kPreconditionFailed, std::move(message)}; }
inline Status PermissionDenied(std::string message) { return {Code::kPermission, std::move(message)}; }
inline Status InvalidArgument(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }
inline Status ConfigError(std::string message) { return {Code::kConfig, std::move(message)}; }
inline Status NotSupported(std::string message) { return {Code::kNotSupported, std::move(message)}; }
inline Status Unavailable(std::string message) { return {Code::kUnavailable, std::move(message)}; }
inline Status NoSpace(std::string message) { return {Code::kNoSpace, std::move(message)}; }
inline Status Corruption(std::string message) { return {Code::kCorruption, std::move(message)}; }
inline Status TooLarge(std::string message) { return {Code::kTooLarge, std::move(message)}; }
inline Status Conflict(std::string message) { return {Code::kConflict, std::move(message)}; }
inline Status ReadOnly(std::string message) { return {Code::kReadOnly, std::move(message)}; }
inline Status NameInvalid(std::string message) { return {Code::kNameInvalid, std::move(message)}; }
inline Status IoError(std::string message) { return {Code::kIoError, std::move(message)}; }
inline Status ProtocolError(std::string message) { return {Code::kProtocol, std::move(message)}; }
inline Status Truncated(std::string message) { return {Code::kTruncated, std::move(message)}; }

// What helps whatever it was that got no memory.
inline constexpr const char* kOutOfMemoryHint =
    "allow the process more memory (ulimit -v, the cgroup), or lower the level of compression or the number of workers "
    "(WALG_UPLOAD_CONCURRENCY, WALG_UPLOAD_DISK_CONCURRENCY, WALG_DOWNLOAD_CONCURRENCY, WALRIG_WAL_WORKERS)";
// The one wording for all that gets no memory; `who` is a library or a step: "out of memory in zstd".
inline Status OutOfMemory(std::string_view who) {
  return Status(Code::kNoMemory, "out of memory in " + std::string(who)).Hint(kOutOfMemoryHint);
}

}  // namespace walrig
