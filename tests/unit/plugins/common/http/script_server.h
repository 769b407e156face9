// ScriptServer: an HTTP server on a loopback port that answers as a test says, byte for byte, and remembers requests.
//
// The script gets the request and its connection's number, and says what to send and what then. THREADS: one per
// connection, joined by the destructor; the script is called under a lock.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "plugins/common/http/request.h"

namespace walrig::test {

struct ScriptRequest {
  int connection = 0;  // from 1
  std::string method, target, body;
  HttpHeaders headers;
};

struct ScriptAnswer {
  enum class Then { kKeep, kClose, kReset, kHang };
  std::string bytes;
  Then then = Then::kKeep;

  static ScriptAnswer Of(int status, std::string body, HttpHeaders headers = {}) {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
    return {text + "\r\n" + body, Then::kKeep};
  }
};

class ScriptServer {
 public:
  using Script = std::function<ScriptAnswer(const ScriptRequest&)>;
  // `early`: what is answered as soon as the headers are there, and then the connection is no longer read.
  explicit ScriptServer(Script script, std::string early = {}) : script_(std::move(script)), early_(std::move(early)) {
    stop_ = eventfd(0, EFD_CLOEXEC);
    listen_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (stop_ < 0 || bind(listen_, generic, size) != 0 || listen(listen_, 64) != 0 || getsockname(listen_, generic, &size) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~ScriptServer() {
    const uint64_t one = 1;
    if (write(stop_, &one, sizeof one) != sizeof one) std::abort();
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    close(listen_);
    close(stop_);
  }
  ScriptServer(const ScriptServer&) = delete;
  ScriptServer& operator=(const ScriptServer&) = delete;

  std::string url(std::string_view path = "/") const { return "http://127.0.0.1:" + std::to_string(port_) + std::string(path); }
  std::vector<ScriptRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  bool Readable(int fd) {
    pollfd both[2] = {{fd, POLLIN, 0}, {stop_, POLLIN, 0}};
    return poll(both, 2, -1) > 0 && both[1].revents == 0;
  }
  void Accept() {
    for (int number = 1; Readable(listen_); ++number) {
      const int fd = accept4(listen_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) threads_.emplace_back([this, fd, number] { Serve(fd, number); });
    }
  }
  bool ReadMore(int fd, std::string* text) {
    char buffer[65536];
    const ssize_t n = Readable(fd) ? recv(fd, buffer, sizeof buffer, 0) : 0;
    if (n > 0) text->append(buffer, static_cast<size_t>(n));
    return n > 0;
  }
  bool ReadRequest(int fd, std::string* text, ScriptRequest* request) {
    size_t end = 0;
    while ((end = text->find("\r\n\r\n")) == std::string::npos) {
      if (!ReadMore(fd, text)) return false;
    }
    const size_t first = text->find(' '), second = text->find(' ', first + 1);
    request->method = text->substr(0, first);
    request->target = text->substr(first + 1, second - first - 1);
    for (size_t at = text->find("\r\n") + 2; at < end + 2;) {
      const size_t line_end = text->find("\r\n", at), colon = text->find(": ", at);
      if (colon < line_end) request->headers.emplace_back(text->substr(at, colon - at), text->substr(colon + 2, line_end - colon - 2));
      at = line_end + 2;
    }
    text->erase(0, end + 4);
    if (!early_.empty()) {
      Send(fd, early_);
      shutdown(fd, SHUT_WR);
      pollfd stop{stop_, POLLIN, 0};
      poll(&stop, 1, 10'000);
      return false;
    }
    if (!FindHeader(request->headers, "Expect").empty()) Send(fd, "HTTP/1.1 100 Continue\r\n\r\n");
    const size_t length = std::strtoul(std::string(FindHeader(request->headers, "Content-Length")).c_str(), nullptr, 10);
    while (text->size() < length) {
      if (!ReadMore(fd, text)) return false;
    }
    request->body = text->substr(0, length);
    text->erase(0, length);
    return true;
  }
  static void Send(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }
  void Serve(int fd, int number) {
    std::string text;
    for (bool go_on = true; go_on;) {
      ScriptRequest request;
      request.connection = number;
      if (!ReadRequest(fd, &text, &request)) break;
      ScriptAnswer answer;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        answer = script_(request);
      }
      Send(fd, answer.bytes);
      go_on = answer.then == ScriptAnswer::Then::kKeep;
      if (answer.then == ScriptAnswer::Then::kReset) {
        const linger now{1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
      }
      if (answer.then == ScriptAnswer::Then::kHang) {
        while (ReadMore(fd, &text)) {}
      }
    }
    close(fd);
  }

  const Script script_;
  const std::string early_;
  int stop_ = -1, listen_ = -1;
  uint16_t port_ = 0;
  std::thread acceptor_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::vector<ScriptRequest> requests_;  // guarded by mutex_
};

}  // namespace walrig::test
