#include "core/wal/timeline_conflict.h"

#include <fmt/format.h>

#include "core/base/string_util.h"
#include "core/catalog/archived_wal.h"
#include "core/postgres/history_file.h"
#include "walrig/bytes.h"

namespace walrig {
namespace {

constexpr size_t kHistoryBytesMax = 16u << 20;

// "leaves timeline 1 at 0/3000000 (why)".
std::string Origin(Timeline timeline, const Result<std::string>& text) {
  if (!text.ok()) return "cannot be read: " + std::string(text.status().message());
  const Result<TimelineHistory> history = TimelineHistory::Parse(timeline, *text);
  if (!history.ok()) return "cannot be read: " + std::string(history.status().message());
  if (history->ancestors().empty()) return "names no other timeline";
  const HistoryEntry& last = history->ancestors().back();
  return fmt::format("leaves timeline {} at {}{}{}{}", last.timeline, FormatLsn(last.switch_point), last.reason.empty() ? "" : " (",
                     Printable(last.reason), last.reason.empty() ? "" : ")");
}

Result<std::string> ArchivedText(const Context& ctx, Storage& storage, CodecProvider& codecs, std::string_view name,
                                 std::string_view preferred_extension) {
  WALRIG_ASSIGN(const ArchivedWalFile archived, OpenArchivedWalFile(ctx, storage, codecs, name, preferred_extension));
  std::string text;
  Buffer buffer(kIoBufferBytes);
  for (;;) {
    WALRIG_ASSIGN(const size_t got, archived.plain->Read(ctx, buffer.span()));
    if (got == 0) return text;
    if (text.size() + got > kHistoryBytesMax) return TooLarge("it is too large for a history");
    text += AsText(buffer.first(got));
  }
}

}  // namespace

Status TimelineTaken(const Context& ctx, Storage& storage, CodecProvider& codecs, const LocalWalFile& file,
                     std::string_view preferred_extension) {
  const Timeline timeline = file.kind.segment.timeline;
  const std::string theirs = Origin(timeline, ArchivedText(ctx, storage, codecs, file.name, preferred_extension));
  const std::string ours = Origin(timeline, ReadWholeFile(file.path, kHistoryBytesMax));
  return Conflict(fmt::format("timeline {} is taken by another server: '{}' already archived, contents differ; the archived history {}, "
                              "this server's {}",
                              timeline, file.path, theirs, ours))
      .Hint("two servers were promoted to this timeline, one of them while it could not read the archive, and only one can go on "
            "in this archive. To keep this server, give it a prefix of its own and take a backup there; otherwise stop it, and "
            "make it a standby of the other one with pg_rewind or a new base backup");
}

}  // namespace walrig
