#include "core/postgres/history_file.h"

#include <charconv>

#include <fmt/format.h>

namespace walrig {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// The next word, and what is behind it and its blanks.
std::string_view TakeWord(std::string_view* line) {
  size_t end = 0;
  while (end < line->size() && !IsBlank((*line)[end])) ++end;
  const std::string_view word = line->substr(0, end);
  while (end < line->size() && IsBlank((*line)[end])) ++end;
  line->remove_prefix(end);
  return word;
}

Status Bad(Timeline timeline, size_t line_number, std::string_view why) {
  return Corruption(fmt::format("{:08X}.history line {}: {}", timeline, line_number, why));
}

}  // namespace

Result<TimelineHistory> TimelineHistory::Parse(Timeline timeline, std::string_view content) {
  TimelineHistory history(timeline);
  if (content.find('\0') != std::string_view::npos) return Bad(timeline, 1, "holds a NUL byte");
  size_t line_number = 0;
  while (!content.empty()) {
    ++line_number;
    const size_t end = content.find('\n');
    std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    while (!line.empty() && IsBlank(line.front())) line.remove_prefix(1);
    if (line.empty() || line.front() == '#') continue;

    HistoryEntry entry;
    const std::string_view number = TakeWord(&line);
    const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), entry.timeline);
    if (error != std::errc() || stop != number.data() + number.size() || entry.timeline == 0) {
      return Bad(timeline, line_number, "does not begin with a timeline");
    }
    Result<Lsn> lsn = ParseLsn(TakeWord(&line));
    if (!lsn.ok()) return Bad(timeline, line_number, "has no switch point");
    entry.switch_point = *lsn;
    entry.reason = std::string(line);
    if (entry.timeline >= timeline) return Bad(timeline, line_number, "names a timeline that is no ancestor");
    if (!history.ancestors_.empty() && (entry.timeline <= history.ancestors_.back().timeline ||
                                        entry.switch_point < history.ancestors_.back().switch_point)) {
      return Bad(timeline, line_number, "is out of order");
    }
    history.ancestors_.push_back(std::move(entry));
  }
  return history;
}

std::optional<Lsn> TimelineHistory::SwitchPoint(Timeline ancestor) const {
  for (const HistoryEntry& entry : ancestors_) {
    if (entry.timeline == ancestor) return entry.switch_point;
  }
  return std::nullopt;
}

bool TimelineHistory::Contains(Timeline other, Lsn lsn) const {
  if (other == timeline_) return true;
  const std::optional<Lsn> left = SwitchPoint(other);
  return left.has_value() && lsn <= *left;
}

Timeline TimelineHistory::TimelineAt(Lsn lsn) const {
  for (const HistoryEntry& entry : ancestors_) {
    if (lsn < entry.switch_point) return entry.timeline;
  }
  return timeline_;
}

}  // namespace walrig
