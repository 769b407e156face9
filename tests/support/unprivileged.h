// Unprivileged: the rest of a scope as a user whom permissions bind, also when the tests run as root.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace walrig::test {

// As root: gives `directory` (not what is in it) to "nobody" and becomes him until the end of the scope. As anybody
// else: nothing. Affects the whole process: only for tests without threads.
class Unprivileged {
 public:
  explicit Unprivileged(const std::string& directory) : root_(::geteuid() == 0) {
    if (!root_) return;
    if (::chown(directory.c_str(), kNobody, kNobody) != 0 || ::seteuid(kNobody) != 0) std::abort();
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
  ~Unprivileged() {
    if (root_ && ::seteuid(0) != 0) std::abort();
  }

 private:
  static constexpr uid_t kNobody = 65534;
  const bool root_;
};

}  // namespace walrig::test
