// SPDX-License-Identifier: MIT-0
#include "sdk/testing/socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace walrig::faults {
namespace {

Status NoConnection(const std::string& host, uint16_t port, const char* why) {
  return Unavailable("connect to " + host + ":" + std::to_string(port) + ": " + why);
}

// Waits until `fd` has one of `events`; false on stop and after `timeout_ms` (-1 for none).
bool Await(int fd, short events, int stop_fd, int timeout_ms = -1) {
  for (;;) {
    pollfd waits[2] = {{fd, events, 0}, {stop_fd, POLLIN, 0}};
    const int got = poll(waits, 2, timeout_ms);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || waits[1].revents != 0) return false;
    if (waits[0].revents != 0) return true;
  }
}

}  // namespace

Socket::Socket(Socket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), stop_fd_(other.stop_fd_), buffered_(std::move(other.buffered_)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this == &other) return *this;
  Close();
  fd_ = std::exchange(other.fd_, -1);
  stop_fd_ = other.stop_fd_;
  buffered_ = std::move(other.buffered_);
  return *this;
}

Result<Socket> Socket::Connect(const std::string& host, uint16_t port, int stop_fd) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0) {
    return NoConnection(host, port, gai_strerror(error));
  }
  Socket socket;
  int error = ECONNREFUSED;
  for (const addrinfo* at = found; at != nullptr && !socket.open(); at = at->ai_next) {
    const int fd = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0) {
      socket = Socket(fd, stop_fd);
    } else {
      error = errno;
      if (fd >= 0) close(fd);
    }
  }
  freeaddrinfo(found);
  if (!socket.open()) return NoConnection(host, port, strerror(error));
  const int one = 1;
  setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return socket;
}

bool Socket::Fill() {
  if (fd_ < 0 || !Await(fd_, POLLIN, stop_fd_)) return false;
  char bytes[64 * 1024];
  ssize_t got;
  do {
    got = recv(fd_, bytes, sizeof bytes, 0);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return false;
  buffered_.append(bytes, static_cast<size_t>(got));
  return true;
}

bool Socket::SendAll(std::string_view bytes) {
  while (!bytes.empty()) {
    if (fd_ < 0 || !Await(fd_, POLLOUT, stop_fd_)) return false;
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool Socket::WaitForHangUp(uint64_t ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  char bytes[4096];
  while (fd_ >= 0) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (ms != 0 && left <= 0) return false;
    const int wait_ms = ms == 0 ? -1 : static_cast<int>(std::min<int64_t>(left, 1 << 30));
    if (!Await(fd_, POLLIN, stop_fd_, wait_ms)) return false;
    const ssize_t got = recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) return true;
  }
  return true;
}

void Socket::HalfClose() {
  if (fd_ >= 0) shutdown(fd_, SHUT_WR);
}

void Socket::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

void Socket::Reset() {
  if (fd_ < 0) return;
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  Close();
}

Result<int> ListenOnLoopback(uint16_t* port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return IoError(std::string("socket: ") + strerror(errno));
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(*port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(fd, 256) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    const Status status = IoError("listen on 127.0.0.1:" + std::to_string(*port) + ": " + strerror(errno));
    close(fd);
    return status;
  }
  *port = ntohs(address.sin_port);
  return fd;
}

}  // namespace walrig::faults
