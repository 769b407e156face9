// Lister: pages of names, and of uploads that nobody ended.
//
// Azure knows no start_after: keys up to it are dropped from pages here, so a page can be short or empty and have a next
// one. Its order is byte order for names of ASCII in a flat namespace only, so sorted is not claimed.
//
// THREADS: functions without state.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/storage/azure/service.h"
#include "walrig/storage.h"

namespace walrig::azure {

Result<ListPage> ListBlobs(const Context& ctx, Service& service, const ListOptions& options);

// Blobs that have blocks and were never committed. When an upload was to replace an existing blob, the service does not
// tell of it.
Result<UnfinishedPage> ListUncommitted(const Context& ctx, Service& service, std::string_view prefix,
                                       std::string_view page_token);

// The service has no call for it: an empty blob is committed if there is none, which drops the blocks, and deleted if it
// is still that one. For the moment between, an empty object is visible.
Status DropUncommitted(const Context& ctx, Service& service, const UnfinishedUpload& upload);

}  // namespace walrig::azure
