#include "plugins/storage/ssh/reader.h"

#include <algorithm>
#include <cstring>

#include "walrig/sdk/call.h"

namespace walrig::ssh {
namespace {

constexpr uint64_t kWindowBeginBytes = 512 * 1024;

}  // namespace

Result<std::unique_ptr<ObjectReader>> ObjectReader::Open(const Context& ctx, SftpPool::Lease sftp,
                                                         const Folders& folders, std::string key,
                                                         const GetOptions& options, uint64_t in_flight_bytes) {
  std::unique_ptr<ObjectReader> reader(new ObjectReader(std::move(sftp), std::move(key), in_flight_bytes));
  Sftp& connection = reader->sftp();
  const std::string path = folders.PathOf(reader->key_);
  const std::string missing = "object " + reader->key_ + " does not exist";
  // What it is comes first: opening a pipe that somebody left there would block the server.
  WALRIG_ASSIGN(const AnswerPacket looked,
                connection.Call(ctx, Request::kLstat, [&](PacketBuilder& p) { p.Text(path); }));
  if (looked.IsStatus()) {
    const Status status = ExpectOk(looked, "open object " + reader->key_);
    return status.code() == Code::kNotFound ? folders.ConfirmAbsent(ctx, connection, NotFound(missing)) : status;
  }
  WALRIG_ASSIGN(const Attributes is, looked.ReadAttributes());
  if (!is.IsFile()) return NotFound(missing);
  WALRIG_ASSIGN(const AnswerPacket opened, connection.Call(ctx, Request::kOpen, [&](PacketBuilder& p) {
                  p.Text(path).U32(kOpenRead).U32(0);
                }));
  if (opened.IsStatus()) {
    const Status status = ExpectOk(opened, "open object " + reader->key_);
    return status.code() == Code::kNotFound ? folders.ConfirmAbsent(ctx, connection, NotFound(missing)) : status;
  }
  WALRIG_ASSIGN(reader->handle_, opened.ReadHandle());
  // It may have been replaced between the two.
  WALRIG_ASSIGN(const AnswerPacket sized, connection.Call(ctx, Request::kFstat, [&](PacketBuilder& p) {
                  p.Text(reader->handle_);
                }));
  WALRIG_ASSIGN(const Attributes attributes, sized.ReadAttributes());
  if (!attributes.size_bytes) return ProtocolError("sftp: the server does not say how long object " + reader->key_ + " is");
  const uint64_t size = *attributes.size_bytes;
  reader->begin_ = std::min(options.offset, size);
  reader->end_ = reader->begin_ + std::min(options.length, size - reader->begin_);
  reader->asked_ = reader->begin_;
  reader->window_bytes_ = std::min(kWindowBeginBytes, in_flight_bytes);
  return reader;
}

ObjectReader::~ObjectReader() {
  if (handle_.empty()) return;
  for (const Piece& piece : pieces_) sftp_->Forget(piece.id);
  if (!sftp_->usable()) return;
  const Result<uint32_t> close = sftp_->Start(Request::kClose, [&](PacketBuilder& p) { p.Text(handle_); });
  if (close.ok()) sftp_->Forget(*close);
}

Status ObjectReader::Ask(uint64_t offset, uint64_t length, bool in_front) {
  const uint32_t size = static_cast<uint32_t>(std::min<uint64_t>(length, sftp_->read_bytes_max()));
  WALRIG_ASSIGN(const uint32_t id, sftp_->Start(Request::kRead, [&](PacketBuilder& p) {
                  p.Text(handle_).U64(offset).U32(size);
                }));
  const Piece piece{id, offset, size};
  if (in_front) {
    pieces_.push_front(piece);
  } else {
    pieces_.push_back(piece);
  }
  in_flight_bytes_ += size;
  return OkStatus();
}

Status ObjectReader::AskAhead() {
  while (asked_ < end_ && in_flight_bytes_ + sftp_->read_bytes_max() <= std::max<uint64_t>(window_bytes_, sftp_->read_bytes_max())) {
    WALRIG_TRY(Ask(asked_, end_ - asked_, false));
    asked_ += pieces_.back().size_bytes;
  }
  return OkStatus();
}

// The next piece into answer_ and rest_.
Status ObjectReader::Next(const Context& ctx) {
  WALRIG_TRY(AskAhead());
  const Piece piece = pieces_.front();
  pieces_.pop_front();
  in_flight_bytes_ -= piece.size_bytes;
  WALRIG_ASSIGN(answer_, sftp_->Await(ctx, piece.id));
  if (answer_.IsStatus()) {
    std::string text;
    WALRIG_ASSIGN(const Fx code, answer_.ReadStatus(&text));
    if (code == Fx::kEof) return Truncated("read object " + key_ + ": the file became shorter while it was read");
    if (code == Fx::kOk) return ProtocolError("sftp: a read was answered without data");
    return StatusOf(code, text, "read object " + key_);
  }
  WALRIG_ASSIGN(rest_, answer_.ReadData());
  if (rest_.empty() || rest_.size() > piece.size_bytes) return ProtocolError("sftp: a read was answered with another length");
  // Servers may give less than was asked.
  if (rest_.size() < piece.size_bytes) {
    WALRIG_TRY(Ask(piece.offset + rest_.size(), piece.size_bytes - rest_.size(), true));
  }
  window_bytes_ = std::min(in_flight_max_bytes_, window_bytes_ + rest_.size());
  return AskAhead();
}

Result<size_t> ObjectReader::Read(const Context& ctx, MutableByteSpan buffer) {
  WALRIG_TRY(sdk::PollStop(ctx));
  if (rest_.empty()) {
    if (asked_ == end_ && pieces_.empty()) return size_t{0};
    WALRIG_TRY(Next(ctx));
  }
  const size_t n = std::min(buffer.size(), rest_.size());
  std::memcpy(buffer.data(), rest_.data(), n);
  rest_ = rest_.subspan(n);
  return n;
}

}  // namespace walrig::ssh
