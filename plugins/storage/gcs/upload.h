// Upload: how the pieces of a large object go to the server.
//
//   SessionUpload   a resumable session: pieces one after the other, the next when the one before has arrived. Nothing is
//                   visible before the last; a session that is left alone ends by itself after a week.
//   PartUpload      each piece an object of its own below `<name>_chunks/walrig-<time>-<random>/`, several at once, joined
//                   by compose: 32 at a time while they come, and once more at the end. Then the pieces are deleted.
//
// The calls are repeatable after a retryable error: what was not passed on is still there, and is tried again once.
// OWNS: what it says. THREADS: one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "plugins/storage/gcs/client.h"

namespace walrig::gcs {

inline constexpr uint64_t kPieceUnit = 256 * 1024;  // a session takes only multiples of it

struct Target {
  std::string name;  // whole
  bool only_if_absent = false;
  std::string what;  // "put wal_005/x"
};

// What is to be stored in the end.
struct Whole {
  uint64_t size_bytes = 0;
  uint32_t crc32c = 0;
};

class Upload {
 public:
  virtual ~Upload() = default;
  // Where the bytes of the next piece go, piece_bytes long; the same until Ship took it. FAILS WITH: as Ship, when all
  // pieces are under way.
  virtual Result<uint8_t*> Room(const Context& ctx) = 0;
  // Sends the piece in Room, which is full.
  virtual Status Ship(const Context& ctx, size_t size_bytes) = 0;
  // Moves what is under way without waiting.
  virtual Status Move(const Context& ctx) = 0;
  // Sends the last piece (may be empty), waits for all and makes the object.
  virtual Result<RemoteObject> Finish(const Context& ctx, size_t last_bytes, const Whole& whole) = 0;
  // Best effort, a few seconds at the most.
  virtual void Abort() noexcept = 0;
};

std::unique_ptr<Upload> NewSessionUpload(Client& client, Target target, size_t piece_bytes);
std::unique_ptr<Upload> NewPartUpload(const Context& ctx, Client& client, Target target, size_t piece_bytes, uint32_t parallel);

// One object in one request; the server checks its CRC-32C before it counts. `head` and `tail` are the body around the
// bytes and must live as long as the request.
struct WholeBody {
  std::string head, tail;
};
Result<HttpRequest> WholeRequest(const Context& ctx, Client& client, const std::string& name, bool only_if_absent, ByteSpan bytes,
                                 uint32_t crc32c, WholeBody* body);

// kAlreadyExists for the 412 of a put-if-absent; else `status`.
Status Absent(const Target& target, Status status);

// The object that the server says it made is ours; otherwise that generation is deleted again. FAILS WITH: kCorruption.
Status CheckStored(const Context& ctx, Client& client, const Target& target, const RemoteObject& stored, const Whole& whole);

// A context for what is done when nobody waits: ends soon, logs nowhere.
class LastContext {
 public:
  explicit LastContext(uint64_t ms = 5'000);
  const Context& ctx() const { return ctx_; }

 private:
  class Silence final : public Log {
   public:
    bool Enabled(LogLevel) const override { return false; }
    void Write(LogLevel, std::string_view, std::string_view) override {}
  };
  Silence log_;
  sdk::SystemClock clock_;
  Context ctx_;
};

}  // namespace walrig::gcs
