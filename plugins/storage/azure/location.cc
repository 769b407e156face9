#include "plugins/storage/azure/location.h"

#include <fmt/format.h>

#include "plugins/common/http/response.h"
#include "plugins/common/http/text.h"
#include "plugins/storage/azure/names.h"

namespace walrig::azure {
namespace {

struct Cloud {
  std::string_view name, suffix, authority;
};
constexpr Cloud kClouds[] = {
    {"AzurePublicCloud", "core.windows.net", "https://login.microsoftonline.com"},
    {"AzureUSGovernmentCloud", "core.usgovcloudapi.net", "https://login.microsoftonline.us"},
    {"AzureChinaCloud", "core.chinacloudapi.cn", "https://login.chinacloudapi.cn"},
    {"AzureGermanCloud", "core.cloudapi.de", "https://login.microsoftonline.de"},
};

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

Status CheckAccount(std::string_view account) {
  for (const char c : account) {
    if (!IsLowerOrDigit(c) && c != '-') {
      return ConfigError(fmt::format("'{}' is no name of a storage account", PrintableLine(account, 40)))
          .Hint("AZURE_STORAGE_ACCOUNT has lower-case letters and digits");
    }
  }
  return OkStatus();
}

Status CheckContainer(std::string_view container) {
  bool good = container.size() >= 3 && container.size() <= 63;
  for (const char c : container) good = good && (IsLowerOrDigit(c) || c == '-');
  if (good || container == "$root") return OkStatus();
  return ConfigError(fmt::format("'{}' is no name of a container", PrintableLine(container, 70)))
      .Hint("WALG_AZ_PREFIX is azure://container/path; a container has 3 to 63 lower-case letters, digits and hyphens");
}

Status SplitPrefix(std::string_view text, Location* into) {
  constexpr std::string_view kScheme = "azure://";
  if (!text.starts_with(kScheme)) {
    return ConfigError("the prefix does not begin with azure://").Hint("WALG_AZ_PREFIX=azure://container/path");
  }
  text.remove_prefix(kScheme.size());
  while (text.starts_with('/')) text.remove_prefix(1);
  while (text.ends_with('/')) text.remove_suffix(1);
  const size_t slash = text.find('/');
  into->container = text.substr(0, slash);
  WALRIG_TRY(CheckContainer(into->container));
  if (slash == std::string_view::npos) return OkStatus();
  std::string_view path = text.substr(slash);
  while (path.starts_with('/')) path.remove_prefix(1);
  if (const Status status = CheckName(path); !status.ok()) {
    return ConfigError(fmt::format("the path of WALG_AZ_PREFIX: {}", status.message()));
  }
  into->prefix = std::string(path) + "/";
  return OkStatus();
}

// "http://127.0.0.1:10000" means the account below, as emulators have it; a path is taken as it is.
bool NeedsAccountInPath(const http::Url& url) {
  if (!url.path.empty() && url.path != "/") return false;
  return http::IsLoopback(url.host) || url.host.find_first_not_of("0123456789.") == std::string::npos ||
         url.host.starts_with('[');
}

}  // namespace

std::string Location::BlobUrl(std::string_view name) const {
  return ContainerUrl() + "/" + http::PercentEncode(name, /*keep_slash=*/true);
}

Result<Location> ResolveLocation(const LocationInput& input) {
  Location where;
  WALRIG_TRY(SplitPrefix(input.prefix, &where));
  const Cloud* cloud = nullptr;
  for (const Cloud& c : kClouds) {
    if (input.environment.empty() ? &c == kClouds : SameHeaderName(c.name, input.environment)) cloud = &c;
  }
  if (cloud == nullptr) {
    return ConfigError(fmt::format("AZURE_ENVIRONMENT_NAME: '{}' is no cloud", PrintableLine(input.environment, 40)))
        .Hint("AzurePublicCloud, AzureUSGovernmentCloud, AzureChinaCloud or AzureGermanCloud; or set "
              "AZURE_ENDPOINT_SUFFIX");
  }
  where.authority = cloud->authority;
  where.account = input.account;
  WALRIG_TRY(CheckAccount(where.account));
  std::string endpoint = input.endpoint;
  if (endpoint.empty()) {
    if (where.account.empty()) {
      return ConfigError("the storage account is not set").Hint("set AZURE_STORAGE_ACCOUNT");
    }
    const std::string_view suffix = input.endpoint_suffix.empty() ? cloud->suffix : input.endpoint_suffix;
    endpoint = fmt::format("{}://{}.blob.{}", input.protocol, where.account, suffix);
  }
  Result<http::Url> url = http::ParseUrl(endpoint);
  if (!url.ok() || !url->query.empty()) {
    return ConfigError("the endpoint of the blob service is no URL").Hint("AZURE_ENDPOINT=https://host/account");
  }
  while (url->path.ends_with('/')) url->path.pop_back();
  // An account that only the endpoint tells: the first label of the host, or the last part of the path.
  if (where.account.empty()) {
    where.account = url->path.empty() ? url->host.substr(0, url->host.find('.'))
                                      : url->path.substr(url->path.rfind('/') + 1);
    WALRIG_TRY(CheckAccount(where.account));
  }
  if (NeedsAccountInPath(*url)) url->path = "/" + where.account;
  where.loopback = http::IsLoopback(url->host);
  where.tls = url->scheme == "https";
  where.service_url = url->scheme + "://" + url->Authority() + url->path;
  return where;
}

}  // namespace walrig::azure
