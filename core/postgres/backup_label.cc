#include "core/postgres/backup_label.h"

#include <fmt/format.h>

namespace walrig {
namespace {

std::string_view TakeLine(std::string_view* text) {
  const size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

Status Bad(std::string_view why) { return Corruption(fmt::format("backup_label: {}", why)); }

// "0/2000028 (file 000000010000000000000002)"
Status ParseStart(std::string_view value, BackupLabel* label) {
  const size_t blank = value.find(' ');
  Result<Lsn> lsn = ParseLsn(value.substr(0, blank));
  constexpr std::string_view kOpen = " (file ";
  if (!lsn.ok() || blank == std::string_view::npos || value.substr(blank, kOpen.size()) != kOpen || value.back() != ')') {
    return Bad("START WAL LOCATION is malformed");
  }
  const std::string_view name = value.substr(blank + kOpen.size(), value.size() - blank - kOpen.size() - 1);
  Result<WalName> segment = ParseWalName(name);
  if (!segment.ok()) return Bad("START WAL LOCATION names no WAL segment");
  label->start = *lsn;
  label->start_segment = *segment;
  return OkStatus();
}

Status ParseLabelLine(std::string_view line, BackupLabel* label) {
  const size_t colon = line.find(": ");
  if (colon == std::string_view::npos) return OkStatus();
  const std::string_view key = line.substr(0, colon);
  const std::string_view value = line.substr(colon + 2);
  if (key == "START WAL LOCATION") return ParseStart(value, label);
  if (key == "CHECKPOINT LOCATION") {
    Result<Lsn> lsn = ParseLsn(value);
    if (!lsn.ok()) return Bad("CHECKPOINT LOCATION is malformed");
    label->checkpoint = *lsn;
  } else if (key == "START TIMELINE") {
    Result<Timeline> timeline = ParseTimeline(value);
    if (!timeline.ok()) return Bad("START TIMELINE is malformed");
    label->timeline = *timeline;
  } else if (key == "BACKUP METHOD") {
    label->method = value;
  } else if (key == "BACKUP FROM") {
    label->from = value;
  } else if (key == "START TIME") {
    label->start_time = value;
  } else if (key == "LABEL") {
    label->label = value;
  } else if (key == "INCREMENTAL FROM LSN" || key == "INCREMENTAL FROM TLI") {
    label->incremental = true;
  }
  return OkStatus();
}

}  // namespace

Result<BackupLabel> ParseBackupLabel(std::string_view text) {
  BackupLabel label;
  while (!text.empty()) WALRIG_TRY(ParseLabelLine(TakeLine(&text), &label));
  if (!label.start.valid()) return Bad("START WAL LOCATION is missing");
  if (!label.checkpoint.valid()) return Bad("CHECKPOINT LOCATION is missing");
  if (label.checkpoint < label.start) return Bad("the checkpoint lies before the start");
  if (label.timeline != 0 && label.timeline != label.start_segment.timeline) {
    return Bad(fmt::format("START TIMELINE is {}, the file's is {}", label.timeline, label.start_segment.timeline));
  }
  return label;
}

Result<std::vector<TablespaceMapEntry>> ParseTablespaceMap(std::string_view text) {
  std::vector<TablespaceMapEntry> entries;
  std::string line;
  bool escaped = false;
  const auto finish = [&]() -> Status {
    const size_t blank = line.find(' ');
    if (blank == 0 || blank == std::string::npos || line.find_first_not_of("0123456789") != blank ||
        blank + 1 >= line.size() || line[blank + 1] != '/') {
      return Corruption(fmt::format("tablespace_map: entry {} is malformed", entries.size() + 1));
    }
    entries.push_back({line.substr(0, blank), line.substr(blank + 1)});
    line.clear();
    return OkStatus();
  };
  for (char c : text) {
    if (c == '\0') return Corruption("tablespace_map: holds a NUL byte");
    if (!escaped && c == '\\') {
      escaped = true;
    } else if (!escaped && (c == '\n' || c == '\r')) {
      if (!line.empty()) WALRIG_TRY(finish());
    } else {
      line.push_back(c);
      escaped = false;
    }
  }
  // A last line without its end was cut: PostgreSQL refuses it, too.
  if (!line.empty() || escaped) return Corruption("tablespace_map: the last line has no end");
  return entries;
}

std::string FormatTablespaceMap(const std::vector<TablespaceMapEntry>& entries) {
  std::string text;
  for (const TablespaceMapEntry& entry : entries) {
    text += entry.oid + ' ';
    for (char c : entry.path) {
      if (c == '\n' || c == '\r' || c == '\\') text.push_back('\\');
      text.push_back(c);
    }
    text.push_back('\n');
  }
  return text;
}

}  // namespace walrig
