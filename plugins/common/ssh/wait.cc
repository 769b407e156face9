#include "plugins/common/ssh/wait.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <thread>

#include "walrig/sdk/call.h"

namespace walrig::ssh {
namespace {

// How often a token without a descriptor is looked at.
constexpr uint64_t kStepMs = 100;

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

// Shared by the thread that looks up and the one that waits: whichever ends last frees it.
struct Lookup {
  std::string host, port;
  Fd done;  // eventfd
  Addresses addresses;
  int error = 0;
};

int LookUp(const std::string& host, const std::string& port, int flags, Addresses* addresses) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  addresses->reset(error == 0 ? list : nullptr);
  return error;
}

Status LookupFailed(const std::string& host, int error) {
  Status status = Unavailable("look up host " + host + ": " + ::gai_strerror(error));
  const bool passing = error == EAI_AGAIN || error == EAI_SYSTEM;
  if (!passing) return std::move(status).Hint("check the host's name in WALG_SSH_PREFIX");
  return std::move(status).Retryable();
}

Result<Addresses> Resolve(const Context& ctx, const std::string& host, uint16_t port, uint64_t end_ms) {
  Addresses addresses;
  const std::string port_text = std::to_string(port);
  if (LookUp(host, port_text, AI_NUMERICHOST, &addresses) == 0) return addresses;
  const auto lookup = std::make_shared<Lookup>();
  lookup->host = host;
  lookup->port = port_text;
  lookup->done = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!lookup->done.valid()) return Unavailable("look up host " + host + ": no descriptor left").Retryable();
  // The thread inherits our mask: it must not be the one that gets the program's signals.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread worker;
  int failed = 0;
  try {
    worker = std::thread([lookup] {
      lookup->error = LookUp(lookup->host, lookup->port, AI_ADDRCONFIG, &lookup->addresses);
      const uint64_t one = 1;
      if (::write(lookup->done.get(), &one, sizeof one) < 0) return;  // cannot be: the counter is 0
    });
  } catch (const std::system_error& error) {
    failed = error.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) return Unavailable("look up host " + host + ": no thread to be had").Retryable();
  const uint64_t now = MonotonicMs();
  const Result<bool> done = WaitFor(ctx, lookup->done.get(), POLLIN, end_ms > now ? end_ms - now : 0);
  if (!done.ok() || !*done) {
    worker.detach();
    if (!done.ok()) return done.status();
    return Timeout("look up host " + host + ": no answer in time").Retryable();
  }
  worker.join();
  if (lookup->error != 0) return LookupFailed(host, lookup->error);
  return std::move(lookup->addresses);
}

// Wedged peers are the business of our own timeouts; these two are for what the kernel can tell earlier.
void Tune(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

Result<Fd> ConnectOne(const Context& ctx, const addrinfo& address, uint64_t wait_ms, int* error) {
  Fd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol));
  *error = errno;
  if (!fd.valid()) return fd;
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) != 0) {
    *error = errno;
    if (errno != EINPROGRESS) return Fd();
    WALRIG_ASSIGN(const bool ready, WaitFor(ctx, fd.get(), POLLOUT, wait_ms));
    *error = ETIMEDOUT;
    if (!ready) return Fd();
    socklen_t size = sizeof *error;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, error, &size) != 0) *error = errno;
    if (*error != 0) return Fd();
  }
  Tune(fd.get());
  return fd;
}

}  // namespace

uint64_t MonotonicMs() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1000 + static_cast<uint64_t>(t.tv_nsec) / 1'000'000;
}

Result<bool> WaitFor(const Context& ctx, int fd, short events, uint64_t wait_ms) {
  const uint64_t end = MonotonicMs() + std::min<uint64_t>(wait_ms, 1u << 30);
  while (true) {
    WALRIG_TRY(sdk::PollStop(ctx));
    const uint64_t now = MonotonicMs();
    uint64_t left = now < end ? end - now : 0;
    if (ctx.stop.fd() < 0 || ctx.deadline_ns != 0) left = std::min(left, kStepMs);
    pollfd fds[2] = {{fd, events, 0}, {ctx.stop.fd(), POLLIN, 0}};
    const int n = ::poll(fds, 2, static_cast<int>(left));
    if (n < 0 && errno != EINTR) return IoError("poll: " + std::generic_category().message(errno));
    if (n > 0 && fds[0].revents != 0) return true;
    if (MonotonicMs() >= end) {
      WALRIG_TRY(sdk::PollStop(ctx));
      return false;
    }
  }
}

Result<Fd> ConnectTcp(const Context& ctx, const std::string& host, uint16_t port, uint64_t timeout_ms) {
  const uint64_t end = MonotonicMs() + timeout_ms;
  WALRIG_ASSIGN(const Addresses addresses, Resolve(ctx, host, port, end));
  int error = 0;
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    const uint64_t now = MonotonicMs();
    if (now >= end) break;
    // A dead first address must leave time for the others.
    const uint64_t wait_ms = address->ai_next != nullptr ? (end - now) / 2 : end - now;
    WALRIG_ASSIGN(Fd fd, ConnectOne(ctx, *address, wait_ms, &error));
    if (fd.valid()) return fd;
  }
  if (error == 0) error = ETIMEDOUT;
  Status::Detail detail;
  detail.retryable = true;
  detail.os_errno = error;
  return Status(error == ETIMEDOUT ? Code::kTimeout : Code::kUnavailable,
                "connect to " + host + " port " + std::to_string(port) + ": " + std::generic_category().message(error))
      .WithDetail(std::move(detail))
      .Hint("check host and port, and that sshd listens there");
}

}  // namespace walrig::ssh
