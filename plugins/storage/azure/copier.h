// Copier: a blob to another name, without its bytes coming through us.
//
// Up to 256 MiB by one Copy Blob From URL, beyond by Put Block From URL and Put Block List: both are atomic at the target,
// which the older Copy Blob is not. The source is guarded by its etag. With a shared key the service reads it by a
// signature for this blob that lasts a day.
//
// THREADS: a function without state.
#pragma once

#include <string>

#include "plugins/storage/azure/service.h"

namespace walrig::azure {

// FAILS WITH: kNotFound.
Status CopyBlob(const Context& ctx, Service& service, const std::string& from, const std::string& to);

}  // namespace walrig::azure
