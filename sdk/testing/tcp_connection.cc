// SPDX-License-Identifier: MIT-0
// The part of ProxyConnection for plain TCP: a connection is the request.
#include <poll.h>

#include <algorithm>
#include <chrono>

#include "sdk/testing/proxy_connection.h"

namespace walrig::faults {
namespace {

uint64_t NowNs() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

// Waits until so many bytes are due at this rate; at once on stop.
void AwaitDue(uint64_t began_ns, uint64_t bytes, uint64_t rate_bytes_s, int stop_fd) {
  const uint64_t due_ns = began_ns + bytes * 1'000'000 / rate_bytes_s * 1000;
  const uint64_t now_ns = NowNs();
  pollfd wait{stop_fd, POLLIN, 0};
  if (due_ns > now_ns) poll(&wait, 1, static_cast<int>((due_ns - now_ns) / 1'000'000));
}

bool StopsAtByte(Fault fault) {
  return fault == Fault::kReset || fault == Fault::kResetRequest || fault == Fault::kStall ||
         fault == Fault::kHalfClose;
}

}  // namespace

bool ProxyConnection::HitsSide(int side) const {
  const bool of_request = rule_.fault == Fault::kResetRequest || rule_.fault == Fault::kCorruptRequest;
  return (side == 0) == of_request;
}

ProxyConnection::Next ProxyConnection::Relay(int side) {
  Socket& from = side == 0 ? client_ : server_;
  Socket& to = side == 0 ? server_ : client_;
  uint64_t& passed = side == 0 ? exchange_.request_bytes : exchange_.response_bytes;
  if (!from.Fill()) {
    ended_[side] = true;
    to.HalfClose();
    return Next::kGoOn;
  }
  std::string piece;
  piece.swap(from.buffered());
  const bool mine = HitsSide(side);
  const bool corrupts = rule_.fault == Fault::kCorrupt || rule_.fault == Fault::kCorruptRequest;
  if (mine && corrupts && rule_.at_bytes >= passed && rule_.at_bytes - passed < piece.size()) {
    char& byte = piece[static_cast<size_t>(rule_.at_bytes - passed)];
    byte = static_cast<char>(byte ^ 0x01);
  }
  const bool over = mine && StopsAtByte(rule_.fault) && passed + piece.size() >= rule_.at_bytes;
  if (over) piece.resize(static_cast<size_t>(rule_.at_bytes - std::min(passed, rule_.at_bytes)));
  if (mine && rule_.fault == Fault::kDrip) AwaitDue(began_ns_, passed, rule_.rate_bytes_s, proxy_.stop_fd_);
  passed += piece.size();
  if (!to.SendAll(piece)) return Next::kEnd;
  if (!over) return Next::kGoOn;
  if (rule_.fault == Fault::kHalfClose) client_.HalfClose();
  if (rule_.fault == Fault::kHalfClose || rule_.fault == Fault::kStall) {
    client_.WaitForHangUp(rule_.stall_ms);
  } else {
    client_.Reset();
  }
  return Next::kEnd;
}

void ProxyConnection::RunTcp() {
  exchange_ = {};
  exchange_.method = "CONNECT";
  rule_ = proxy_.script_.Judge(exchange_.method, "", {}, &exchange_.hit);
  exchange_.fault = rule_.fault;
  began_ns_ = NowNs();
  const size_t number = proxy_.Enter(exchange_);
  Next next = ConnectUpstream() ? Next::kGoOn : Next::kEnd;
  while (next == Next::kGoOn && !(ended_[0] && ended_[1])) {
    pollfd waits[3] = {{ended_[0] ? -1 : client_.fd(), POLLIN, 0},
                       {ended_[1] ? -1 : server_.fd(), POLLIN, 0},
                       {proxy_.stop_fd_, POLLIN, 0}};
    if (poll(waits, 3, -1) < 0) continue;
    if (waits[2].revents != 0) break;
    if (waits[0].revents != 0) next = Relay(0);
    if (next == Next::kGoOn && waits[1].revents != 0) next = Relay(1);
  }
  proxy_.Leave(number, exchange_);
}

}  // namespace walrig::faults
