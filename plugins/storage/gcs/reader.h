// Reader: the bytes of an object, or of a range of it; a whole object is checked against the server's CRC-32C.
//
// OWNS: the answer. THREADS: one at a time; must not outlive the client.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "plugins/storage/gcs/client.h"
#include "walrig/storage.h"

namespace walrig::gcs {

// FAILS WITH: as Storage::Get. `name` is the whole name in the bucket.
Result<std::unique_ptr<Source>> OpenReader(const Context& ctx, Client& client, const std::string& name, const GetOptions& options);

}  // namespace walrig::gcs
