#include "plugins/storage/azure/connection_string.h"

#include <fmt/format.h>

#include "plugins/common/http/request.h"
#include "plugins/common/http/response.h"

namespace walrig::azure {
namespace {

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// The account that every emulator has; its key is printed in the emulator's documentation.
ConnectionString Emulator() {
  ConnectionString emulator;
  emulator.protocol = "http";
  emulator.account = "devstoreaccount1";
  emulator.key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
  emulator.blob_endpoint = "http://127.0.0.1:10000/devstoreaccount1";
  return emulator;
}

std::string* FieldOf(ConnectionString& c, std::string_view name) {
  if (SameHeaderName(name, "DefaultEndpointsProtocol")) return &c.protocol;
  if (SameHeaderName(name, "AccountName")) return &c.account;
  if (SameHeaderName(name, "AccountKey")) return &c.key;
  if (SameHeaderName(name, "SharedAccessSignature")) return &c.sas;
  if (SameHeaderName(name, "BlobEndpoint")) return &c.blob_endpoint;
  if (SameHeaderName(name, "EndpointSuffix")) return &c.endpoint_suffix;
  return nullptr;
}

}  // namespace

Result<ConnectionString> ParseConnectionString(std::string_view text) {
  ConnectionString c;
  c.protocol.clear();
  bool emulator = false;
  while (!text.empty()) {
    const size_t end = std::min(text.find(';'), text.size());
    const std::string_view part = Trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty()) continue;
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return ConfigError("a part of the connection string is no Name=value").Hint("copy it from the portal as a whole");
    }
    const std::string_view name = Trimmed(part.substr(0, equals));
    const std::string_view value = Trimmed(part.substr(equals + 1));
    if (SameHeaderName(name, "UseDevelopmentStorage")) {
      emulator = SameHeaderName(value, "true");
      continue;
    }
    std::string* field = FieldOf(c, name);
    if (field == nullptr) continue;
    if (!field->empty()) {
      return ConfigError(fmt::format("the connection string has {} twice", PrintableLine(name, 40)));
    }
    *field = value;
  }
  if (emulator) return Emulator();
  if (c.protocol.empty()) c.protocol = "https";
  if (!SameHeaderName(c.protocol, "https") && !SameHeaderName(c.protocol, "http")) {
    return ConfigError("DefaultEndpointsProtocol of the connection string is neither https nor http");
  }
  c.protocol = SameHeaderName(c.protocol, "https") ? "https" : "http";
  if (c.sas.starts_with('?')) c.sas.erase(0, 1);
  if (c.account.empty() && c.blob_endpoint.empty()) {
    return ConfigError("the connection string has neither AccountName nor BlobEndpoint");
  }
  return c;
}

}  // namespace walrig::azure
