// Connection strings, and what locations are made of.
#include "plugins/storage/azure/connection_string.h"
#include "plugins/storage/azure/location.h"
#include "tests/fuzz/fuzz_support.h"

namespace azure = walrig::azure;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  azure::LocationInput input;
  input.prefix = "azure://container/path";
  if (const auto c = azure::ParseConnectionString(text); c.ok()) {
    if (c->account.empty() && c->blob_endpoint.empty()) __builtin_trap();
    input.account = c->account;
    input.protocol = c->protocol;
    input.endpoint = c->blob_endpoint;
    input.endpoint_suffix = c->endpoint_suffix;
    static_cast<void>(azure::ResolveLocation(input).ok());
  }
  input = {};
  input.prefix = text;
  input.account = "acme";
  if (const auto where = azure::ResolveLocation(input); where.ok() && where->container.empty()) __builtin_trap();
  return 0;
}
