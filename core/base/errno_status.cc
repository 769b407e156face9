#include "core/base/errno_status.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace walrig {
namespace {

struct Meaning {
  Code code;
  bool retryable;
};

Meaning MeaningOf(int err) {
  switch (err) {
    case ENOENT:
      return {Code::kNotFound, false};
    case EACCES:
    case EPERM:
      return {Code::kPermission, false};
    case ENOSPC:
    case EDQUOT:
      return {Code::kNoSpace, false};
    case EFBIG:
      return {Code::kTooLarge, false};
    case EEXIST:
    case ENOTEMPTY:
      return {Code::kAlreadyExists, false};
    case EROFS:
      return {Code::kReadOnly, false};
    case ENAMETOOLONG:
    case EILSEQ:
      return {Code::kNameInvalid, false};
    case ENOMEM:
      return {Code::kNoMemory, false};
    case EINVAL:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case EBADF:
      return {Code::kInvalidArgument, false};
    case ENOSYS:
    case EOPNOTSUPP:
      return {Code::kNotSupported, false};
    case ETIMEDOUT:
      return {Code::kTimeout, true};
    case EAGAIN:
    case EINTR:
    case EBUSY:
    case EMFILE:
    case ENFILE:
    case EPIPE:
    case ECONNABORTED:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETRESET:
    case ENETUNREACH:
    case ENOTCONN:
      return {Code::kUnavailable, true};
    case ESTALE:
      return {Code::kIoError, true};
    default:
      return {Code::kIoError, false};
  }
}

// "permission denied": the C library's words without its capital letter, whatever the locale.
std::string WordsOf(int err) {
  if (err == ENOMEM) return "out of memory";  // as everything else that gets none says it
  const char* words = ::strerrordesc_np(err);
  if (words == nullptr) return fmt::format("system error {}", err);
  std::string text = words;
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

}  // namespace

Status ErrnoStatus(int err, std::string_view what) {
  if (err == 0) return Internal(fmt::format("{}: failed without an error number", what));
  Meaning meaning = MeaningOf(err);
  Status::Detail detail;
  detail.retryable = meaning.retryable;
  detail.os_errno = err;
  Status status = Status(meaning.code, fmt::format("{}: {}", what, WordsOf(err))).WithDetail(std::move(detail));
  if (err == EFBIG) return std::move(status).Hint("raise the limit of this process (ulimit -f), or use a file system that takes larger files");
  if (err == ENOMEM) return std::move(status).Hint(kOutOfMemoryHint);
  if (err != EIO) return status;
  return std::move(status).Hint("the file system or device reported an error: see the kernel's log (dmesg)");
}

}  // namespace walrig
