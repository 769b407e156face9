// TablespaceSpec: where a cluster's tablespaces lie; the sentinel's "Spec" and the format of --restore-spec files.
//
//   {"base_prefix": "/pgdata", "tablespaces": ["16387"], "16387": {"loc": "/fast/ts1", "link": "pg_tblspc/16387"}}
//
// (WAL-G internal/databases/postgres/tablespace_spec.go.) THREADS: a value.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "walrig/result.h"

namespace walrig {

struct Tablespace {
  std::string name;      // of the entry in pg_tblspc: its OID in decimal
  std::string location;  // what the link points to, absolute
  std::string link;      // relative to the data directory: "pg_tblspc/16387"

  friend bool operator==(const Tablespace&, const Tablespace&) = default;
};

class TablespaceSpec {
 public:
  TablespaceSpec() = default;
  explicit TablespaceSpec(std::string base_prefix) : base_prefix_(std::move(base_prefix)) {}

  // FAILS WITH: kCorruption, naming the key, when base_prefix or a listed tablespace is missing or of another type, a
  // name is not decimal, a link is not pg_tblspc/NAME, or a location is not absolute.
  static Result<TablespaceSpec> FromJson(const Json& json, std::string_view what);
  // The same from the text of a --restore-spec file.
  static Result<TablespaceSpec> Parse(std::string_view text, std::string_view what);
  // Keys in byte order, as Go writes a map.
  Json ToJson() const;

  const std::string& base_prefix() const { return base_prefix_; }
  void set_base_prefix(std::string prefix) { base_prefix_ = std::move(prefix); }
  const std::vector<Tablespace>& tablespaces() const { return tablespaces_; }
  bool empty() const { return tablespaces_.empty(); }
  const Tablespace* Find(std::string_view name) const;

  // FAILS WITH: kInvalidArgument for a name that is no OID or is there already, and a location that is not absolute.
  Status Add(std::string_view name, std::string_view location);
  // --tablespace-mapping OLD=NEW: moves the tablespace at OLD (absolute path or OID). '=' and '\' in a path are written
  // "\=" and "\\" (as pg_basebackup). FAILS WITH: kInvalidArgument, kNotFound when nothing lies at OLD.
  Status Remap(std::string_view mapping);
  // Two tablespaces at one place, or one inside another or inside `data_directory`, or the other way round.
  // FAILS WITH: kInvalidArgument.
  Status CheckPlaces(std::string_view data_directory) const;

  friend bool operator==(const TablespaceSpec&, const TablespaceSpec&) = default;

 private:
  std::string base_prefix_;
  std::vector<Tablespace> tablespaces_;  // in the order of the document
};

}  // namespace walrig
