// ConnectionString: what AZURE_STORAGE_CONNECTION_STRING says, "Name=value" pairs separated by ';'.
//
// Names are compared without regard to case; services other than blobs (QueueEndpoint and so on) are passed over.
// THREADS: a value.
#pragma once

#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig::azure {

struct ConnectionString {
  std::string protocol = "https";  // DefaultEndpointsProtocol
  std::string account;             // AccountName
  std::string key;                 // AccountKey, base64
  std::string sas;                 // SharedAccessSignature, without '?'
  std::string blob_endpoint;       // BlobEndpoint
  std::string endpoint_suffix;     // EndpointSuffix
};

// FAILS WITH: kConfig naming the part that is wrong, never its value.
Result<ConnectionString> ParseConnectionString(std::string_view text);

}  // namespace walrig::azure
