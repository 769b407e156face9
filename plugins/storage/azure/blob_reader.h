// BlobReader: an object, or a range of it, on its way down.
//
// The service gives an MD5 with a whole blob that was put in one piece, and with ranges of up to 4 MiB; it is compared at
// the end. Larger ranges have no check of the service's; what walrig stores has one of its own.
//
// THREADS: one at a time.
#pragma once

#include <memory>
#include <string>

#include "plugins/storage/azure/service.h"
#include "walrig/storage.h"

namespace walrig::azure {

// FAILS WITH: kNotFound, kPreconditionFailed.
Result<std::unique_ptr<Source>> OpenBlob(const Context& ctx, Service& service, const std::string& name,
                                         const GetOptions& options);

// What the headers of an answer to HEAD or GET say of the blob; the key is left out. FAILS WITH: kNotFound for a folder
// of an account with a hierarchical namespace; kProtocol.
Result<ObjectInfo> InfoFromHeaders(const HttpHeaders& headers);

}  // namespace walrig::azure
