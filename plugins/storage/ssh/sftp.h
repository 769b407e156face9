// Sftp: one SFTP connection, on which any number of requests are under way at once.
//
// Start() queues a request and answers its number; Await() waits for that number's answer, moving the connection on
// meanwhile. Several threads may do so on one connection: whoever waits reads for all. A request whose answer nobody
// wants any more is Forget()ed. When the connection breaks, every call says so from then on and usable() turns false.
//
// THREADS: any number at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/common/ssh/pool.h"
#include "plugins/common/ssh/session.h"
#include "plugins/storage/ssh/packet.h"

namespace walrig::ssh {

class Sftp {
 public:
  // FAILS WITH: as Session::Open and Session::StartChannel.
  static Result<std::shared_ptr<Sftp>> Open(const Context& ctx, const SessionOptions& options);

  // What the server has beyond version 3.
  struct Extensions {
    bool posix_rename = false, fsync = false, hardlink = false, copy_data = false, statvfs = false, limits = false;
  };
  const Extensions& extensions() const noexcept { return extensions_; }
  // Bytes of a file in one request.
  uint32_t read_bytes_max() const noexcept { return read_bytes_max_; }
  uint32_t write_bytes_max() const noexcept { return write_bytes_max_; }

  // `fill` adds what follows the number. Sends what can be sent at once.
  Result<uint32_t> Start(Request type, const std::function<void(PacketBuilder&)>& fill, size_t size_hint = 64);
  // REQUIRES: Start gave the number; it was not awaited yet. FAILS WITH: kUnavailable, kTimeout (both retryable),
  // kCancelled; after a failure the answer is forgotten.
  Result<AnswerPacket> Await(const Context& ctx, uint32_t id);
  // True when the answer came already. Moves the connection on without waiting.
  Result<bool> Ready(uint32_t id);
  void Forget(uint32_t id) noexcept;

  // Start and Await in one.
  Result<AnswerPacket> Call(const Context& ctx, Request type, const std::function<void(PacketBuilder&)>& fill);

  // For the pool.
  bool usable() const noexcept { return !broken_.load() && !retired_.load(); }
  std::atomic<uint32_t> users{0};

 private:
  explicit Sftp(std::unique_ptr<Session> session) : session_(std::move(session)) {}

  struct Slot {
    bool forgotten = false;
    bool ready = false;
    AnswerPacket answer;
  };

  Status Greet(const Context& ctx);
  Status AskLimits(const Context& ctx);
  // All below: with mutex_ held.
  Status Pump();
  Status SendQueued();
  Status ReceiveAll();
  Result<bool> ReceivePart();
  Status TakeAnswer(Buffer body);
  Status Break(Status status);

  std::unique_ptr<Session> session_;
  Extensions extensions_;
  uint32_t read_bytes_max_ = 32768, write_bytes_max_ = 32768;
  bool greeted_ = false;

  std::mutex mutex_;
  std::deque<std::vector<uint8_t>> queue_;
  size_t sent_bytes_ = 0;  // of the queue's front
  bool reading_first_ = false;  // a read began to send a packet: no write before it has ended
  std::map<uint32_t, Slot> slots_;
  uint32_t next_id_ = 1;
  uint8_t length_[4] = {};
  size_t length_filled_ = 0, body_filled_ = 0;
  Buffer body_;
  Status broken_with_;
  uint64_t asked_ms_ = 0;      // the latest keepalive
  uint64_t progress_ms_ = 0;   // the latest time that something was sent
  std::atomic<bool> broken_{false}, retired_{false};
};

using SftpPool = Pool<Sftp>;

// An answer kStatus that is not OK, as a Status: "open wal_005/x: permission denied". `text`: the server's words.
Status StatusOf(Fx code, std::string_view text, std::string_view what);
// OK when the answer is the status OK.
Status ExpectOk(const AnswerPacket& answer, std::string_view what);

}  // namespace walrig::ssh
