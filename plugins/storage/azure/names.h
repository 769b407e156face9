// Names: which keys a container can hold.
//
// The service itself takes more than it gives back unchanged: it drops dots at the end of a part, reads '\' as '/',
// and clients on the way resolve "." and ".." and join slashes. Such names are refused, as are control bytes, what is
// not UTF-8, more than 1024 UTF-16 units in all, and more than 254 parts.
//
// THREADS: functions without state.
#pragma once

#include <string_view>

#include "walrig/result.h"

namespace walrig::azure {

// A blob's whole name, or the path before keys. FAILS WITH: kNameInvalid, saying why.
Status CheckName(std::string_view name);

}  // namespace walrig::azure
