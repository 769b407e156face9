#include "core/pipeline/tar_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/pipeline/tar_writer.h"

namespace walrig {

namespace {

constexpr uint64_t kExtensionBytesMax = 1u << 20;  // as Go's archive/tar
// Below this a body's rest is read into our own buffer, together with the headers that follow it.
constexpr size_t kDirectReadBytesMin = kIoBufferBytes / 4;

bool HasBody(const TarEntry& entry) {
  return entry.type == TarEntry::Type::kFile || entry.type == TarEntry::Type::kOther;
}

}  // namespace

TarReader::TarReader(Source& source) : source_(source), buffer_(kIoBufferBytes) {}

Status TarReader::AtHeader(Status status) const {
  return std::move(status).With(fmt::format("tar header at byte {}", header_offset_));
}

Result<bool> TarReader::Fill(const Context& ctx) {
  if (source_ended_) return false;
  WALRIG_ASSIGN(const size_t got, source_.Read(ctx, buffer_.span()));
  begin_ = 0;
  end_ = got;
  source_ended_ = got == 0;
  return got > 0;
}

// False when the data end just before the block.
Result<bool> TarReader::ReadBlock(const Context& ctx, MutableByteSpan block) {
  size_t filled = 0;
  while (filled < block.size()) {
    if (begin_ == end_) {
      WALRIG_ASSIGN(const bool more, Fill(ctx));
      if (!more && filled == 0) return false;
      if (!more) return AtHeader(Truncated(fmt::format("the tar ends after {} of 512 bytes", filled)));
    }
    const size_t count = std::min(block.size() - filled, end_ - begin_);
    std::memcpy(block.data() + filled, buffer_.data() + begin_, count);
    begin_ += count;
    offset_ += count;
    filled += count;
  }
  return true;
}

Result<ByteSpan> TarReader::BodyView(const Context& ctx) {
  if (body_left_ == 0) return ByteSpan();
  if (begin_ == end_) {
    WALRIG_ASSIGN(const bool more, Fill(ctx));
    if (!more) {
      return Truncated(fmt::format("the tar ends within the member '{}': {} bytes of it are missing", name_, body_left_));
    }
  }
  const auto count = static_cast<size_t>(std::min<uint64_t>(body_left_, end_ - begin_));
  const ByteSpan view = buffer_.first(end_).subspan(begin_, count);
  begin_ += count;
  offset_ += count;
  body_left_ -= count;
  return view;
}

Result<size_t> TarReader::ReadBody(const Context& ctx, MutableByteSpan buffer) {
  size_t filled = 0;
  while (filled < buffer.size() && body_left_ > 0) {
    const auto want = static_cast<size_t>(std::min<uint64_t>(buffer.size() - filled, body_left_));
    if (begin_ == end_ && want >= kDirectReadBytesMin && !source_ended_) {
      WALRIG_ASSIGN(const size_t got, source_.Read(ctx, buffer.subspan(filled, want)));
      source_ended_ = got == 0;
      filled += got;
      offset_ += got;
      body_left_ -= got;
      continue;
    }
    if (begin_ == end_) {
      WALRIG_ASSIGN(const bool more, Fill(ctx));
      if (!more) {
        return Truncated(fmt::format("the tar ends within the member '{}': {} bytes of it are missing", name_, body_left_));
      }
    }
    const size_t count = std::min(want, end_ - begin_);
    std::memcpy(buffer.data() + filled, buffer_.data() + begin_, count);
    begin_ += count;
    filled += count;
    offset_ += count;
    body_left_ -= count;
  }
  return filled;
}

Status TarReader::SkipBodyAndPadding(const Context& ctx) {
  while (body_left_ > 0) {
    WALRIG_ASSIGN(const ByteSpan piece, BodyView(ctx));
    if (piece.empty()) break;
  }
  while (padding_left_ > 0) {
    if (begin_ == end_) {
      WALRIG_ASSIGN(const bool more, Fill(ctx));
      if (!more) break;  // WAL-G's remote backups end without it
    }
    const size_t count = std::min(padding_left_, end_ - begin_);
    begin_ += count;
    offset_ += count;
    padding_left_ -= count;
  }
  padding_left_ = 0;
  return OkStatus();
}

Result<std::string> TarReader::ReadExtensionBody(const Context& ctx, uint64_t size_bytes) {
  if (size_bytes > kExtensionBytesMax) {
    return AtHeader(TooLarge(fmt::format("an extended header claims {} bytes", size_bytes)));
  }
  name_ = "an extended header";
  body_left_ = size_bytes;
  padding_left_ = TarPadding(size_bytes);
  std::string data;
  while (body_left_ > 0) {
    WALRIG_ASSIGN(const ByteSpan piece, BodyView(ctx));
    data.append(AsText(piece));
  }
  WALRIG_TRY(SkipBodyAndPadding(ctx));
  return data;
}

// Reads the header's body when it is an extended header, and says whether it is.
Result<bool> TarReader::TakeExtension(const Context& ctx, const TarEntry& header, Extensions& extensions) {
  const char flag = header.type_flag;
  if (flag != 'x' && flag != 'g' && flag != 'L' && flag != 'K') return false;
  WALRIG_ASSIGN(std::string data, ReadExtensionBody(ctx, header.size_bytes));
  if (flag == 'g') {
    if (Status status = ParsePaxRecords(data, global_); !status.ok()) return AtHeader(std::move(status));
    size_t global_bytes = 0;
    for (const auto& [key, value] : global_) global_bytes += key.size() + value.size();
    if (global_bytes > kExtensionBytesMax) return AtHeader(TooLarge("the global pax headers hold too much"));
    return true;
  }
  extensions.any = true;
  if (flag == 'x') {
    extensions.pax.clear();
    if (Status status = ParsePaxRecords(data, extensions.pax); !status.ok()) return AtHeader(std::move(status));
    return true;
  }
  data.erase(data.find_last_not_of('\0') + 1);
  if (data.find('\0') != data.npos) return AtHeader(Corruption("a long name holds a zero byte"));
  (flag == 'L' ? extensions.gnu_name : extensions.gnu_link) = std::move(data);
  return true;
}

Status TarReader::Apply(Extensions extensions, TarEntry& entry) const {
  if (extensions.gnu_name.has_value()) entry.name = *std::move(extensions.gnu_name);
  if (extensions.gnu_link.has_value()) entry.link = *std::move(extensions.gnu_link);
  if (!global_.empty()) {
    PaxRecords merged = global_;
    for (auto& [key, value] : extensions.pax) merged[key] = std::move(value);
    extensions.pax = std::move(merged);
  }
  WALRIG_TRY(ApplyPaxRecords(extensions.pax, entry));
  // Only now is the name whole: a block holds the first 100 bytes of a long one, and they may end in a slash.
  entry.type = TarTypeOf(entry.type_flag, entry.name);
  if (entry.type_flag == 'S') return NotSupported("sparse files in a tar are not supported");
  if (entry.name.empty()) return Corruption("the member's name is empty");
  if (!HasBody(entry)) entry.size_bytes = 0;  // as Go: what others claim there is not in the stream
  return OkStatus();
}

// After the end only zeros; reading on also makes the decoder below check its own end.
Status TarReader::ReadToEnd(const Context& ctx) {
  while (true) {
    const ByteSpan rest = buffer_.first(end_).subspan(begin_);
    const auto found = std::find_if(rest.begin(), rest.end(), [](uint8_t byte) { return byte != 0; });
    const auto zeros = static_cast<size_t>(found - rest.begin());
    offset_ += zeros;
    if (zeros < rest.size()) {
      return Corruption(fmt::format("garbage after the end of the tar, at byte {}", offset_));
    }
    begin_ = end_;
    WALRIG_ASSIGN(const bool more, Fill(ctx));
    if (!more) return OkStatus();
  }
}

Result<std::optional<TarEntry>> TarReader::Next(const Context& ctx) {
  if (done_) return std::optional<TarEntry>();
  WALRIG_TRY(SkipBodyAndPadding(ctx));
  Extensions extensions;
  while (true) {
    WALRIG_TRY(ctx.Poll());
    header_offset_ = offset_;
    std::array<uint8_t, kTarBlockBytes> block;
    WALRIG_ASSIGN(const bool more, ReadBlock(ctx, block));
    const bool trailer = more && IsZeroBlock(block);
    if (!more || trailer) {
      if (offset_ == 0) return Truncated("the tar has no byte");
      if (extensions.any) return AtHeader(Truncated("the tar ends after an extended header"));
      if (trailer) WALRIG_TRY(ReadToEnd(ctx));
      saw_trailer_ = trailer;
      done_ = true;
      return std::optional<TarEntry>();
    }
    Result<TarEntry> entry = ParseTarBlock(block);
    if (!entry.ok()) return AtHeader(std::move(entry).status());
    WALRIG_ASSIGN(const bool extension, TakeExtension(ctx, *entry, extensions));
    if (extension) continue;
    if (Status status = Apply(std::move(extensions), *entry); !status.ok()) return AtHeader(std::move(status));
    name_ = entry->name;
    body_left_ = entry->size_bytes;
    padding_left_ = TarPadding(entry->size_bytes);
    return std::optional<TarEntry>(std::move(*entry));
  }
}

}  // namespace walrig
