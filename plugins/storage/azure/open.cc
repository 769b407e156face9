#include "plugins/storage/azure/open.h"

#include <algorithm>
#include <utility>

#include "plugins/storage/azure/connection_string.h"
#include "plugins/storage/azure/credential.h"
#include "plugins/storage/azure/location.h"
#include "plugins/storage/azure/service.h"
#include "plugins/storage/azure/storage.h"

namespace walrig::azure {
namespace {

std::string Text(const sdk::Secret& secret) { return std::string(secret.bytes()); }

Result<ConnectionString> ConnectionOf(const Config& config) {
  if (config.connection_string.bytes().empty()) return ConnectionString();
  Result<ConnectionString> connection = ParseConnectionString(config.connection_string.bytes());
  if (!connection.ok()) return std::move(connection).status().With("AZURE_STORAGE_CONNECTION_STRING");
  if (!config.account.empty() && !connection->account.empty() && config.account != connection->account) {
    return ConfigError("AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_CONNECTION_STRING name different accounts");
  }
  return connection;
}

TokenFetch IdentityOf(const Config& config, const Location& location, HttpClient& client) {
  TenantApp app{.authority = config.authority_host.empty() ? location.authority : config.authority_host,
                .tenant_id = config.tenant_id,
                .client_id = config.client_id};
  while (app.authority.ends_with('/')) app.authority.pop_back();
  const bool has_app = !app.tenant_id.empty() && !app.client_id.empty();
  if (has_app && !config.client_secret.bytes().empty()) {
    return ClientSecretToken(client, std::move(app), Text(config.client_secret));
  }
  if (has_app && !config.federated_token_file.empty()) {
    return WorkloadToken(client, std::move(app), config.federated_token_file);
  }
  if (!config.identity_endpoint.empty() && !config.identity_header.bytes().empty()) {
    return AppServiceToken(client, config.identity_endpoint, Text(config.identity_header), config.client_id);
  }
  return VirtualMachineToken(client, config.imds_host, config.client_id);
}

// A key of its own setting goes before a signature, both before the connection string, as WAL-G has the first two.
Result<std::unique_ptr<Credential>> CredentialOf(const Config& config, const ConnectionString& connection,
                                                 const Location& location, HttpClient& client) {
  if (!config.access_key.bytes().empty()) return SharedKeyCredential(location, config.access_key.bytes());
  if (!config.sas_token.bytes().empty()) return SasCredential(location, config.sas_token.bytes());
  if (!connection.key.empty()) return SharedKeyCredential(location, connection.key);
  if (!connection.sas.empty()) return SasCredential(location, connection.sas);
  return TokenCredential(location, IdentityOf(config, location, client));
}

}  // namespace

Result<std::unique_ptr<Storage>> OpenStorage(const Config& config) {
  WALRIG_ASSIGN(const ConnectionString connection, ConnectionOf(config));
  const auto first = [](const std::string& a, const std::string& b) { return a.empty() ? b : a; };
  WALRIG_ASSIGN(Location location,
                ResolveLocation({.prefix = config.prefix,
                                 .account = first(config.account, connection.account),
                                 .protocol = connection.protocol,
                                 .endpoint = first(config.endpoint, connection.blob_endpoint),
                                 .environment = config.environment,
                                 .endpoint_suffix = first(config.endpoint_suffix, connection.endpoint_suffix)}));
  HttpOptions http;
  http.ca_file = config.ca_file;
  http.proxy = config.proxy;
  WALRIG_ASSIGN(std::unique_ptr<HttpClient> client, HttpClient::New(std::move(http)));
  WALRIG_ASSIGN(std::unique_ptr<Credential> credential, CredentialOf(config, connection, location, *client));

  ServiceOptions options;
  if (!config.api_version.empty()) options.api_version = config.api_version;
  options.access_tier = config.access_tier;
  options.md5 = config.upload_check == "md5";
  options.block_bytes = config.block_bytes;
  options.buffers_max = static_cast<uint32_t>(std::clamp<uint64_t>(config.buffers_max, 1, 64));
  options.try_timeout_ms = static_cast<uint32_t>(std::clamp<uint64_t>(config.try_timeout_minutes, 1, 24 * 60) * 60'000);
  auto service = std::make_unique<Service>(std::move(location), std::move(options), std::move(client));
  service->Use(std::move(credential));
  return std::unique_ptr<Storage>(std::make_unique<AzureStorage>(std::move(service)));
}

}  // namespace walrig::azure
