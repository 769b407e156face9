// Errors: what the blob service's answers mean.
//
// The service names its errors in the header x-ms-error-code (HEAD has no body) and in XML. The names are at
// https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes. THREADS: functions without state.
#pragma once

#include <string>
#include <string_view>

#include "plugins/common/http/request.h"
#include "walrig/status.h"

namespace walrig::azure {

// "BlobNotFound"; "" when the answer has none.
std::string ErrorName(const HttpResponse& response);

// REQUIRES: the answer is not 2xx. `what` begins the message; `changes`: the request changes something.
Status AnswerError(const HttpResponse& response, std::string_view what, bool changes);

}  // namespace walrig::azure
