// Packets of SFTP version 3 (draft-ietf-secsh-filexfer-02) and of OpenSSH's extensions to it (its file PROTOCOL):
// building requests, reading answers.
//
// Names are bytes and pass as they are. THREADS: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig::ssh {

enum class Request : uint8_t {
  kInit = 1, kOpen = 3, kClose = 4, kRead = 5, kWrite = 6, kLstat = 7, kFstat = 8, kOpendir = 11, kReaddir = 12,
  kRemove = 13, kMkdir = 14, kRmdir = 15, kRealpath = 16, kStat = 17, kRename = 18, kExtended = 200,
};
enum class Answer : uint8_t {
  kVersion = 2, kStatus = 101, kHandle = 102, kData = 103, kName = 104, kAttrs = 105, kExtended = 201,
};

// Codes of an answer kStatus.
enum class Fx : uint32_t {
  kOk = 0, kEof = 1, kNoSuchFile = 2, kPermissionDenied = 3, kFailure = 4, kBadMessage = 5, kNoConnection = 6,
  kConnectionLost = 7, kOpUnsupported = 8,
};

inline constexpr uint32_t kOpenRead = 1, kOpenWrite = 2, kOpenCreate = 8, kOpenExclusive = 32;
// The longest answer that is taken; OpenSSH has the same bound.
inline constexpr uint32_t kAnswerBytesMax = 256 * 1024;

struct Attributes {
  std::optional<uint64_t> size_bytes;
  std::optional<uint32_t> mode;
  std::optional<uint32_t> mtime_s;

  bool IsFile() const { return mode && (*mode & 0170000) == 0100000; }
  bool IsFolder() const { return mode && (*mode & 0170000) == 0040000; }
  bool IsLink() const { return mode && (*mode & 0170000) == 0120000; }
};

struct NamedEntry {
  std::string name;
  Attributes attributes;
};

// Puts a request together; the length in front is right at any time after Finish.
class PacketBuilder {
 public:
  PacketBuilder(Request type, uint32_t id, size_t size_hint = 64);
  PacketBuilder& U32(uint32_t value);
  PacketBuilder& U64(uint64_t value);
  PacketBuilder& Text(std::string_view text);
  PacketBuilder& Bytes(ByteSpan bytes);
  std::vector<uint8_t> Finish() &&;

 private:
  std::vector<uint8_t> bytes_;
};

// An answer: what follows the length. Readers FAIL WITH: kProtocol when it is another kind or is cut.
class AnswerPacket {
 public:
  AnswerPacket() = default;
  explicit AnswerPacket(Buffer body) : body_(std::move(body)) {}

  size_t size() const noexcept { return body_.size(); }
  Answer type() const noexcept { return body_.size() > 0 ? static_cast<Answer>(body_.data()[0]) : Answer::kStatus; }
  Result<uint32_t> Id() const;
  bool IsStatus() const noexcept { return type() == Answer::kStatus; }
  // The code, and the server's words in `text`.
  Result<Fx> ReadStatus(std::string* text = nullptr) const;
  Result<std::string> ReadHandle() const;
  // Points into the packet.
  Result<ByteSpan> ReadData() const;
  Result<Attributes> ReadAttributes() const;
  Result<std::vector<NamedEntry>> ReadNames() const;
  // The version, and the extensions' names and values.
  Result<uint32_t> ReadVersion(std::vector<std::pair<std::string, std::string>>* extensions) const;
  // The numbers of an extended answer, all of 64 bits.
  Result<std::vector<uint64_t>> ReadNumbers(size_t count) const;

 private:
  Buffer body_;
};

}  // namespace walrig::ssh
