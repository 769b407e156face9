// SPDX-License-Identifier: MIT-0
// walrig-fault-proxy: the fault proxy as a program, for tests in any language.
//
//   walrig-fault-proxy [--tcp] HOST:PORT [RULE...]
//
// Prints "port N" and then one JSON line for each exchange at its end. Reads commands from its standard input, a line
// each, and answers each with "ok" or "error: why": a rule is added; "clear" takes all rules away. It ends when its
// standard input does. The rules are those of sdk/testing/fault_rule.h.
#include <cstdio>
#include <iostream>
#include <mutex>

#include "sdk/testing/fault_proxy.h"

namespace walrig::faults {
namespace {

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    char escaped[7];
    if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') {
      std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string ToJson(const Exchange& exchange) {
  return "{\"method\":" + Quoted(exchange.method) + ",\"target\":" + Quoted(exchange.target) +
         ",\"fault\":" + Quoted(FaultName(exchange.fault)) + ",\"hit\":" + (exchange.hit ? "true" : "false") +
         ",\"status\":" + std::to_string(exchange.status) +
         ",\"request_bytes\":" + std::to_string(exchange.request_bytes) +
         ",\"response_bytes\":" + std::to_string(exchange.response_bytes) + "}";
}

Status Obey(FaultScript& script, const std::string& line) {
  if (line == "clear") {
    script.Set({});
    return OkStatus();
  }
  WALRIG_ASSIGN(FaultRule rule, ParseFaultRule(line));
  script.Add(std::move(rule));
  return OkStatus();
}

Result<FaultProxyOptions> OptionsFrom(const std::vector<std::string>& words, size_t* used) {
  FaultProxyOptions options;
  if (*used < words.size() && words[*used] == "--tcp") {
    options.mode = FaultProxyOptions::Mode::kTcp;
    ++*used;
  }
  if (*used >= words.size()) return InvalidArgument("which server? HOST:PORT");
  const std::string& place = words[(*used)++];
  const size_t colon = place.rfind(':');
  unsigned port = 0;
  if (colon == std::string::npos || std::sscanf(place.c_str() + colon + 1, "%5u", &port) != 1 || port == 0 ||
      port > 65535) {
    return InvalidArgument("'" + place + "' is not HOST:PORT");
  }
  options.upstream_host = place.substr(0, colon);
  options.upstream_port = static_cast<uint16_t>(port);
  return options;
}

Status Run(const std::vector<std::string>& words) {
  std::mutex out_mutex;
  const auto say = [&out_mutex](const std::string& line) {
    const std::lock_guard lock(out_mutex);
    std::cout << line << std::endl;
  };
  size_t used = 0;
  WALRIG_ASSIGN(FaultProxyOptions options, OptionsFrom(words, &used));
  options.on_exchange = [&say](const Exchange& exchange) { say(ToJson(exchange)); };
  WALRIG_ASSIGN(const auto proxy, FaultProxy::Start(std::move(options)));
  for (; used < words.size(); ++used) WALRIG_TRY(Obey(proxy->script(), words[used]));
  say("port " + std::to_string(proxy->port()));
  std::string line;
  while (std::getline(std::cin, line)) {
    const Status status = Obey(proxy->script(), line);
    say(status.ok() ? "ok" : "error: " + status.ToString());
  }
  proxy->Stop();
  return OkStatus();
}

}  // namespace
}  // namespace walrig::faults

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const walrig::Status status = walrig::faults::Run(words);
  if (status.ok()) return 0;
  std::cerr << "walrig-fault-proxy: " << status.ToString() << "\n";
  return 2;
}
