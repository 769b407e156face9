// Any bytes as a tar. The reader ends with words or with an end; how the bytes arrive and how bodies are taken changes
// nothing of what it sees; and what it accepts, the writer can say again.
#include <algorithm>
#include <string>
#include <vector>

#include "core/io/memory.h"
#include "core/pipeline/tar_reader.h"
#include "core/pipeline/tar_writer.h"
#include "tests/fuzz/fuzz_support.h"

namespace walrig::fuzz {
namespace {

struct Seen {
  std::vector<TarEntry> entries;
  std::string bodies;
  Status end;
};

// Takes the body by views (0) or by reads of this size.
Status TakeBody(TarReader& reader, size_t read_bytes, std::string& into) {
  Buffer buffer(std::max<size_t>(read_bytes, 1));
  while (true) {
    if (read_bytes == 0) {
      WALRIG_ASSIGN(const ByteSpan piece, reader.BodyView(FuzzContext()));
      if (piece.empty()) return OkStatus();
      into += AsText(piece);
      continue;
    }
    WALRIG_ASSIGN(const size_t got, reader.ReadBody(FuzzContext(), buffer.span()));
    into += AsText(buffer.first(got));
    if (got < buffer.size()) return OkStatus();
  }
}

Seen ReadAll(std::string_view bytes, size_t source_bytes, size_t body_bytes) {
  Seen seen;
  MemorySource source(std::string(bytes), source_bytes);
  TarReader reader(source);
  while (true) {
    auto entry = reader.Next(FuzzContext());
    if (!entry.ok()) {
      seen.end = std::move(entry).status();
      return seen;
    }
    WALRIG_ASSERT(reader.offset_bytes() <= bytes.size());
    if (!entry->has_value()) return seen;
    seen.entries.push_back(**entry);
    if (Status body = TakeBody(reader, body_bytes, seen.bodies); !body.ok()) {
      seen.end = std::move(body);
      return seen;
    }
    WALRIG_ASSERT(reader.body_left_bytes() == 0);
  }
}

void CheckSame(const Seen& a, const Seen& b) {
  WALRIG_ASSERT(a.end.code() == b.end.code());
  WALRIG_ASSERT(a.end.message() == b.end.message());
  WALRIG_ASSERT(a.entries.size() == b.entries.size());
  for (size_t i = 0; i < a.entries.size(); ++i) {
    WALRIG_ASSERT(a.entries[i].name == b.entries[i].name);
    WALRIG_ASSERT(a.entries[i].size_bytes == b.entries[i].size_bytes);
  }
  if (a.end.ok()) WALRIG_ASSERT(a.bodies == b.bodies);
}

void CheckSaidAgain(const TarEntry& entry) {
  const bool ours = entry.type == TarEntry::Type::kFile || entry.type == TarEntry::Type::kDirectory ||
                    entry.type == TarEntry::Type::kSymlink;
  if (!ours) return;
  TarEntry wanted = entry;
  wanted.mode &= 07777;
  const auto header = EncodeTarHeader(wanted);
  if (!header.ok()) return;
  MemorySource source(*header + std::string(std::min<uint64_t>(wanted.size_bytes, 1), 'x'));
  TarReader reader(source);
  const auto again = reader.Next(FuzzContext());
  WALRIG_ASSERT(again.ok() && again->has_value());
  WALRIG_ASSERT((*again)->name == wanted.name);
  WALRIG_ASSERT((*again)->link == wanted.link || wanted.type != TarEntry::Type::kSymlink);
  WALRIG_ASSERT((*again)->size_bytes == wanted.size_bytes);
  WALRIG_ASSERT((*again)->mtime_s == wanted.mtime_s);
  WALRIG_ASSERT((*again)->uid == wanted.uid && (*again)->gid == wanted.gid);
}

}  // namespace
}  // namespace walrig::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  using namespace walrig::fuzz;
  const ByteSpan input(data, size_bytes);
  Random choices = ChoicesFor(input);
  const Seen whole = ReadAll(AsText(input), SIZE_MAX, 0);
  const Seen pieces = ReadAll(AsText(input), 1 + choices.Below(1000), 1 + choices.Below(kIoBufferBytes));
  CheckSame(whole, pieces);
  if (!whole.end.ok()) CheckMessage(whole.end);
  for (const TarEntry& entry : whole.entries) {
    WALRIG_ASSERT(!entry.name.empty() && entry.name.find('\0') == std::string::npos);
    CheckSaidAgain(entry);
  }
  return 0;
}
