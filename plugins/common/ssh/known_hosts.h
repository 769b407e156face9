// KnownHosts: which keys the files named known_hosts hold for a host, by the rules of OpenSSH (sshd(8), SSH_KNOWN_HOSTS
// FILE FORMAT): names and [name]:port, patterns with * and ?, negation, hashed names, @revoked. Lines of certificate
// authorities are passed over, since libssh2 cannot check certificates; so are lines that make no sense, as OpenSSH does.
//
// Why not libssh2's own reader: it stops at the first line that it does not understand, knows no patterns, and would not
// see that a key was revoked.
//
// THREADS: const after loading.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/result.h"

namespace walrig::ssh {

enum class HostVerdict {
  kKnown,
  kUnknown,  // no key of this type is known for the host
  kChanged,  // another key of this type is known
  kRevoked,
};

class KnownHosts {
 public:
  // What a line of the file says about one key.
  struct Entry {
    std::string names;  // the field as it stands: patterns with commas, or |1|salt|hash
    std::string type;   // "ssh-ed25519"
    std::string blob;   // the key's wire form
    bool revoked = false;
    std::string where;  // "/etc/ssh/ssh_known_hosts:7"
  };

  // Reads the text of one file; lines that are no entries are skipped. `name` is for `where`.
  void Add(std::string_view text, std::string_view name);
  // FAILS WITH: kConfig when the file cannot be read, or is larger than 16 MiB; a missing one only if `must_exist`.
  Status AddFile(const std::string& path, bool must_exist);

  // `entry`: the line that decided; untouched for kUnknown. A blob says its own type.
  HostVerdict Check(std::string_view host, uint16_t port, std::string_view blob, Entry* entry) const;

  // Types of keys that are known for the host, none twice, in the order of the files.
  std::vector<std::string> TypesOf(std::string_view host, uint16_t port) const;

  // "host" or "[host]:2222", as a line begins.
  static std::string NameOf(std::string_view host, uint16_t port);

 private:
  std::vector<Entry> entries_;
};

// The type that a key's wire form begins with; "" when it is malformed.
std::string TypeOfBlob(std::string_view blob);

}  // namespace walrig::ssh
