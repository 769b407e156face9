#include "core/postgres/relation_file.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace walrig {
namespace {

// A number as PostgreSQL writes one into a name: no sign, no leading zero, 32 bits.
bool ParseNumber(std::string_view text, uint32_t* number) {
  if (text.empty() || text.size() > 10 || text.front() == '0' || text.front() == '-') return text == "0" && (*number = 0, true);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

// Everything before the next `separator`, which is taken too.
std::string_view Take(std::string_view* rest, char separator) {
  const size_t at = rest->find(separator);
  const std::string_view part = rest->substr(0, at);
  rest->remove_prefix(at == std::string_view::npos ? rest->size() : at + 1);
  return part;
}

bool ParseFork(std::string_view text, RelationFork* fork) {
  if (text == "fsm") *fork = RelationFork::kFreeSpaceMap;
  else if (text == "vm") *fork = RelationFork::kVisibilityMap;
  else if (text == "init") *fork = RelationFork::kInit;
  else return false;
  return true;
}

// [tBACKEND_]RELFILENODE[_FORK][.SEGMENT]
bool ParseBasename(std::string_view name, RelationPath* path) {
  if (!name.empty() && name.front() == 't') {
    name.remove_prefix(1);
    const size_t bar = name.find('_');
    uint32_t backend = 0;
    if (bar == std::string_view::npos || !ParseNumber(name.substr(0, bar), &backend)) return false;
    name.remove_prefix(bar + 1);
    path->temporary = true;
  }
  if (const size_t dot = name.find('.'); dot != std::string_view::npos) {
    if (!ParseNumber(name.substr(dot + 1), &path->segment) || path->segment == 0) return false;
    name = name.substr(0, dot);
  }
  if (const size_t bar = name.find('_'); bar != std::string_view::npos) {
    if (!ParseFork(name.substr(bar + 1), &path->fork)) return false;
    name = name.substr(0, bar);
  }
  return ParseNumber(name, &path->relfilenode) && path->relfilenode != 0;
}

}  // namespace

std::optional<RelationPath> ParseRelationPath(std::string_view path) {
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  RelationPath result;
  std::string_view rest = path;
  const std::string_view top = Take(&rest, '/');
  if (top == "global") {
    result.tablespace = kGlobalTablespaceOid;
  } else if (top == "base") {
    result.tablespace = kDefaultTablespaceOid;
    if (!ParseNumber(Take(&rest, '/'), &result.database)) return std::nullopt;
  } else if (top == "pg_tblspc") {
    if (!ParseNumber(Take(&rest, '/'), &result.tablespace)) return std::nullopt;
    const std::string_view version = Take(&rest, '/');
    if (version.substr(0, 3) != "PG_" || !ParseNumber(Take(&rest, '/'), &result.database)) return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (rest.find('/') != std::string_view::npos || !ParseBasename(rest, &result)) return std::nullopt;
  return result;
}

std::optional<uint32_t> FirstBlockOfSegment(uint32_t segment, uint32_t blocks_per_segment) {
  const uint64_t block = uint64_t{segment} * blocks_per_segment;
  if (block >= UINT32_MAX) return std::nullopt;  // UINT32_MAX is InvalidBlockNumber
  return static_cast<uint32_t>(block);
}

// Every file that basebackup.c excepts (pg_control, pg_filenode.map, pg_internal.init, PG_VERSION) fails the name rule;
// the list is there for PostgreSQL's own wider rule, which takes any other name in these directories.
bool IsChecksummedFile(std::string_view path) { return ParseRelationPath(path).has_value(); }

bool IsPagedFile(std::string_view path) {
  const std::optional<RelationPath> relation = ParseRelationPath(path);
  return relation.has_value() && relation->tablespace != kGlobalTablespaceOid && !relation->temporary &&
         relation->fork == RelationFork::kMain;
}

}  // namespace walrig
