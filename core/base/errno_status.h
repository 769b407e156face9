// The one map from errno to Status.
//
// THREADS: any.
#pragma once

#include <string_view>

#include "walrig/status.h"

namespace walrig {

// A Status for the system's error number `err`; `what` names the call and its object: "open /x" makes
// "open /x: permission denied". detail().os_errno is `err`; a transient error (EAGAIN, EINTR, ETIMEDOUT, EBUSY, broken
// connections, EMFILE) is retryable.
// ENOENT is kNotFound; EACCES and EPERM kPermission; ENOSPC and EDQUOT kNoSpace; EFBIG kTooLarge; EEXIST and ENOTEMPTY
// kAlreadyExists; EROFS kReadOnly; ENAMETOOLONG and EILSEQ kNameInvalid; ENOMEM kNoMemory; EINVAL, ENOTDIR, EISDIR and
// ELOOP kInvalidArgument; ENOSYS and EOPNOTSUPP kNotSupported; what nothing else describes is kIoError.
// REQUIRES: err != 0. A zero is a bug of the caller and becomes kInternal.
Status ErrnoStatus(int err, std::string_view what);

}  // namespace walrig
