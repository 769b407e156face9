// Opens the storage that settings describe: where it is, which credential, which client.
//
// THREADS: a function without state.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "walrig/result.h"
#include "walrig/sdk/config_reader.h"
#include "walrig/storage.h"

namespace walrig::azure {

// What the options say; "" is unset. Secrets are wiped with it.
struct Config {
  std::string prefix, account, endpoint, environment, endpoint_suffix;
  sdk::Secret access_key, sas_token, connection_string;
  // Identities. The first that is complete: client secret, workload identity, App Service, the machine's.
  std::string tenant_id, client_id, authority_host, federated_token_file, identity_endpoint, imds_host;
  sdk::Secret client_secret, identity_header;
  std::string api_version, access_tier, upload_check;
  std::string ca_file, proxy;
  uint64_t block_bytes = 8u << 20;
  uint64_t buffers_max = 4;
  uint64_t try_timeout_minutes = 5;
};

// Asks the service nothing. FAILS WITH: kConfig naming the setting.
Result<std::unique_ptr<Storage>> OpenStorage(const Config& config);

}  // namespace walrig::azure
