#include <cstdint>
#include <string_view>

#include "plugins/common/ssh/known_hosts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  walrig::ssh::KnownHosts known;
  known.Add(text, "file");
  walrig::ssh::KnownHosts::Entry entry;
  const std::string blob("\0\0\0\x0bssh-ed25519key", 18);
  for (const uint16_t port : {uint16_t{22}, uint16_t{2222}}) {
    const auto verdict = known.Check("db.example.com", port, blob, &entry);
    // What is called known was in the file, byte for byte.
    if (verdict == walrig::ssh::HostVerdict::kKnown && entry.blob != blob) __builtin_trap();
    known.TypesOf("db.example.com", port);
  }
  return 0;
}
