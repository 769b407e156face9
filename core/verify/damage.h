// What counts as damage of a backup. The list is short on purpose: everything else is trouble of who reads, and ends the run as
// an error that names its cause.
//
// THREADS: functions without state.
#pragma once

#include <string_view>

#include "core/verify/record.h"
#include "walrig/status.h"

namespace walrig {

// The bytes are not what they must be, end too early, are another cluster's, or an object that must be there is not. No permission,
// expired credentials, throttling, a missing plugin or key, an I/O error, no memory say nothing about a backup.
inline bool IsDamage(const Status& status) {
  switch (status.code()) {
    case Code::kCorruption:
    case Code::kTruncated:
    case Code::kNotFound:
    case Code::kConflict: return true;
    default: return false;
  }
}

// Notes damage in the record and hands back what is none.
inline Status NoteDamage(VerifyRecord& record, std::string_view where, const Status& status) {
  if (status.ok()) return OkStatus();
  if (!IsDamage(status)) return status.message().starts_with(where) ? status : Status(status).With(where);
  record.Add(where, status.message());
  return OkStatus();
}

}  // namespace walrig
