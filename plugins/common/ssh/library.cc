#include "plugins/common/ssh/library.h"

#include <libssh2.h>

namespace walrig::ssh {

Status StartLibrary() {
  static const int kCode = libssh2_init(0);
  return kCode == 0 ? OkStatus() : Internal("libssh2 does not start");
}

}  // namespace walrig::ssh
