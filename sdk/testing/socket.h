// SPDX-License-Identifier: MIT-0
// Socket: one TCP connection of the fault proxy, with a read buffer, interruptible by an eventfd.
//
// OWNS: its file descriptor. THREADS: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig::faults {

class Socket {
 public:
  Socket() = default;
  // `stop_fd` becomes readable when all waiting must end; borrowed.
  Socket(int fd, int stop_fd) : fd_(fd), stop_fd_(stop_fd) {}
  ~Socket() { Close(); }
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Numeric or resolvable host. FAILS WITH: kUnavailable.
  static Result<Socket> Connect(const std::string& host, uint16_t port, int stop_fd);

  bool open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  // What is buffered; Fill waits for more. False at the end, on error and on stop.
  std::string& buffered() { return buffered_; }
  bool Fill();
  // False when the other side is gone, or on stop.
  bool SendAll(std::string_view bytes);
  // True when the other side hung up within the time; `ms` 0 waits without end. Bytes that come meanwhile are dropped.
  bool WaitForHangUp(uint64_t ms);

  void HalfClose();
  void Close();
  // The other side sees a reset connection.
  void Reset();

 private:
  int fd_ = -1, stop_fd_ = -1;
  std::string buffered_;
};

// A listening socket on 127.0.0.1; *port is 0 for any and becomes the real one.
Result<int> ListenOnLoopback(uint16_t* port);

}  // namespace walrig::faults
