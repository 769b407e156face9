// SPDX-License-Identifier: MIT-0
#include "sdk/testing/fault_proxy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "sdk/testing/proxy_connection.h"
#include "sdk/testing/socket.h"

namespace walrig::faults {

Result<std::unique_ptr<FaultProxy>> FaultProxy::Start(FaultProxyOptions options) {
  std::unique_ptr<FaultProxy> proxy(new FaultProxy(std::move(options)));
  proxy->stop_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (proxy->stop_fd_ < 0) return IoError("eventfd: none to be had");
  proxy->port_ = proxy->options_.listen_port;
  WALRIG_ASSIGN(proxy->listen_fd_, ListenOnLoopback(&proxy->port_));
  proxy->listener_ = std::thread([raw = proxy.get()] { raw->Listen(); });
  return proxy;
}

FaultProxy::~FaultProxy() {
  Stop();
  if (stop_fd_ >= 0) close(stop_fd_);
}

void FaultProxy::Stop() {
  if (!listener_.joinable()) return;
  const uint64_t one = 1;
  // The counter of an eventfd takes it at once.
  [[maybe_unused]] const ssize_t written = write(stop_fd_, &one, sizeof one);
  listener_.join();
  close(listen_fd_);
}

void FaultProxy::JoinFinished() {
  std::erase_if(workers_, [](Worker& worker) {
    if (!worker.finished->load()) return false;
    worker.thread.join();
    return true;
  });
}

void FaultProxy::Listen() {
  for (;;) {
    pollfd waits[2] = {{listen_fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
    if (poll(waits, 2, -1) < 0) continue;
    if (waits[1].revents != 0) break;
    const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int no_delay = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
    JoinFinished();
    Worker worker;
    worker.finished = std::make_shared<std::atomic<bool>>(false);
    worker.thread = std::thread([this, fd, finished = worker.finished] {
      {
        ProxyConnection connection(*this, Socket(fd, stop_fd_));
        options_.mode == FaultProxyOptions::Mode::kTcp ? connection.RunTcp() : connection.RunHttp();
      }
      finished->store(true);
    });
    workers_.push_back(std::move(worker));
  }
  for (Worker& worker : workers_) worker.thread.join();
  workers_.clear();
}

size_t FaultProxy::Enter(const Exchange& exchange) {
  const std::lock_guard lock(mutex_);
  exchanges_.push_back(exchange);
  return forgotten_ + exchanges_.size() - 1;
}

void FaultProxy::Leave(size_t number, const Exchange& exchange) {
  {
    const std::lock_guard lock(mutex_);
    if (number >= forgotten_) exchanges_[number - forgotten_] = exchange;
  }
  if (options_.on_exchange) options_.on_exchange(exchange);
}

std::vector<Exchange> FaultProxy::exchanges() const {
  const std::lock_guard lock(mutex_);
  return exchanges_;
}

size_t FaultProxy::Attempts(std::string_view method, std::string_view target_part) const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(exchanges_.begin(), exchanges_.end(), [&](const Exchange& exchange) {
    return (method.empty() || exchange.method == method) && exchange.target.find(target_part) != std::string::npos;
  }));
}

void FaultProxy::Forget() {
  const std::lock_guard lock(mutex_);
  forgotten_ += exchanges_.size();
  exchanges_.clear();
}

}  // namespace walrig::faults
