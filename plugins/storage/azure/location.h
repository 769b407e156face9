// Location: which account, container and folder, and under which URL the service answers.
//
// THREADS: values.
#pragma once

#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig::azure {

// What settings and the connection string say; "" is unset.
struct LocationInput {
  std::string prefix;           // "azure://container/path"
  std::string account;
  std::string protocol = "https";
  std::string endpoint;         // AZURE_ENDPOINT, or the connection string's BlobEndpoint
  std::string environment;      // "AzurePublicCloud"
  std::string endpoint_suffix;  // "core.windows.net"; goes before the environment's
};

struct Location {
  std::string account;
  std::string container;
  std::string prefix;        // of blob names: "" or "path/"
  std::string service_url;   // without a '/' at its end: "https://acme.blob.core.windows.net", "http://[::1]:10000/acme"
  std::string authority;     // where tokens of this cloud come from: "https://login.microsoftonline.com"
  bool loopback = false;     // the service is on this machine
  bool tls = false;

  std::string ContainerUrl() const { return service_url + "/" + container; }
  // `name` is a blob's whole name, prefix included.
  std::string BlobUrl(std::string_view name) const;
};

// FAILS WITH: kConfig naming the setting.
Result<Location> ResolveLocation(const LocationInput& input);

}  // namespace walrig::azure
