#include "core/base/stop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/errno_status.h"

namespace walrig {

StopSource::StopSource(Fd event) noexcept : event_(std::move(event)) { state_.fd = event_.get(); }

Result<std::unique_ptr<StopSource>> StopSource::New() {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) return ErrnoStatus(errno, "make an eventfd");
  return std::unique_ptr<StopSource>(new StopSource(std::move(event)));
}

void StopSource::RequestStop() noexcept {
  if (state_.requested.exchange(true)) return;
  int saved = errno;
  uint64_t one = 1;
  // Cannot be short or full: the counter is 0 and only this line adds to it.
  [[maybe_unused]] ssize_t n = ::write(event_.get(), &one, sizeof(one));
  errno = saved;
}

}  // namespace walrig
