#include "core/postgres/tablespace.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/string_util.h"

namespace walrig {
namespace {

// An OID as a name in pg_tblspc: decimal, 32 bits, no leading zero. It becomes part of paths.
bool IsOidName(std::string_view name) {
  if (name.empty() || name.size() > 10 || name.front() == '0') return false;
  const Result<uint64_t> oid = ParseUint(name);
  return oid.ok() && *oid <= UINT32_MAX;
}

bool IsAbsolute(std::string_view path) {
  return !path.empty() && path.front() == '/' && path.find('\0') == std::string_view::npos;
}

std::string_view WithoutSlashes(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return path;
}

// Whether `inner` is `outer` or lies below it.
bool Contains(std::string_view outer, std::string_view inner) {
  outer = WithoutSlashes(outer);
  inner = WithoutSlashes(inner);
  if (outer == "/") return true;
  return StartsWith(inner, outer) && (inner.size() == outer.size() || inner[outer.size()] == '/');
}

Result<Tablespace> ReadOne(const Json& json, const std::string& name, std::string_view what) {
  if (!IsOidName(name)) return Corruption(fmt::format("{}: tablespace name '{}' is no OID", what, Printable(name)));
  const Json* entry = JsonFind(json, name);
  if (entry == nullptr || !entry->is_object()) {
    return Corruption(fmt::format("{}: tablespace {} is listed, but has no object", what, name));
  }
  const std::string place = fmt::format("{}: tablespace {}", what, name);
  Tablespace tablespace;
  tablespace.name = name;
  WALRIG_ASSIGN(tablespace.location, JsonString(*entry, "loc", place));
  WALRIG_ASSIGN(tablespace.link, JsonString(*entry, "link", place));
  if (!IsAbsolute(tablespace.location)) return Corruption(fmt::format("{}: loc is no absolute path", place));
  if (tablespace.link != "pg_tblspc/" + name) {
    return Corruption(fmt::format("{}: link is '{}', expected pg_tblspc/{}", place, Printable(tablespace.link), name));
  }
  return tablespace;
}

// Takes the part of a mapping up to an '=' that stands alone.
std::string TakeEscaped(std::string_view* text, bool* found) {
  std::string part;
  *found = false;
  while (!text->empty()) {
    const char c = text->front();
    text->remove_prefix(1);
    if (c == '\\' && !text->empty() && (text->front() == '=' || text->front() == '\\')) {
      part.push_back(text->front());
      text->remove_prefix(1);
    } else if (c == '=') {
      *found = true;
      return part;
    } else {
      part.push_back(c);
    }
  }
  return part;
}

}  // namespace

Result<TablespaceSpec> TablespaceSpec::FromJson(const Json& json, std::string_view what) {
  if (!json.is_object()) return Corruption(fmt::format("{}: the tablespace spec is no object", what));
  TablespaceSpec spec;
  WALRIG_ASSIGN(spec.base_prefix_, JsonString(json, "base_prefix", what));
  if (spec.base_prefix_.find('\0') != std::string::npos) return Corruption(fmt::format("{}: base_prefix holds a NUL", what));
  const Json* names = JsonFind(json, "tablespaces");
  if (names == nullptr || names->is_null()) return spec;
  if (!names->is_array()) return Corruption(fmt::format("{}: tablespaces is no array", what));
  for (const Json& name : *names) {
    if (!name.is_string()) return Corruption(fmt::format("{}: tablespaces holds a value that is no string", what));
    WALRIG_ASSIGN(Tablespace tablespace, ReadOne(json, name.get_ref<const std::string&>(), what));
    if (spec.Find(tablespace.name) != nullptr) {
      return Corruption(fmt::format("{}: tablespace {} is listed twice", what, tablespace.name));
    }
    spec.tablespaces_.push_back(std::move(tablespace));
  }
  return spec;
}

Result<TablespaceSpec> TablespaceSpec::Parse(std::string_view text, std::string_view what) {
  WALRIG_ASSIGN(const Json json, ParseJson(text, what));
  return FromJson(json, what);
}

Json TablespaceSpec::ToJson() const {
  std::vector<const Tablespace*> sorted;
  Json names = Json::array();
  for (const Tablespace& tablespace : tablespaces_) {
    sorted.push_back(&tablespace);
    names.push_back(tablespace.name);
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  Json json = Json::object();
  for (const Tablespace* tablespace : sorted) {
    json[tablespace->name] = Json{{"loc", tablespace->location}, {"link", tablespace->link}};
  }
  json["base_prefix"] = base_prefix_;
  json["tablespaces"] = std::move(names);
  return json;
}

const Tablespace* TablespaceSpec::Find(std::string_view name) const {
  for (const Tablespace& tablespace : tablespaces_) {
    if (tablespace.name == name) return &tablespace;
  }
  return nullptr;
}

Status TablespaceSpec::Add(std::string_view name, std::string_view location) {
  if (!IsOidName(name)) return InvalidArgument(fmt::format("tablespace name '{}' is no OID", Printable(name)));
  if (!IsAbsolute(location)) {
    return InvalidArgument(fmt::format("tablespace {}: '{}' is no absolute path", name, Printable(location)));
  }
  if (Find(name) != nullptr) return InvalidArgument(fmt::format("tablespace {} is there twice", name));
  tablespaces_.push_back({std::string(name), std::string(location), "pg_tblspc/" + std::string(name)});
  return OkStatus();
}

Status TablespaceSpec::Remap(std::string_view mapping) {
  std::string_view rest = mapping;
  bool found = false;
  const std::string from = TakeEscaped(&rest, &found);
  bool another = false;
  const std::string to = TakeEscaped(&rest, &another);
  if (!found || another || from.empty() || !IsAbsolute(to)) {
    return InvalidArgument(fmt::format("'{}' is no tablespace mapping", Printable(mapping)))
        .Hint("write OLD=NEW with absolute paths; '=' in a path is written \\=");
  }
  for (Tablespace& tablespace : tablespaces_) {
    if (tablespace.name == from || WithoutSlashes(tablespace.location) == WithoutSlashes(from)) {
      tablespace.location = std::string(WithoutSlashes(to));
      return OkStatus();
    }
  }
  std::vector<std::string> places;
  for (const Tablespace& tablespace : tablespaces_) places.push_back(tablespace.name + "=" + Printable(tablespace.location));
  Status status = NotFound(fmt::format("the backup has no tablespace at '{}'", Printable(from)));
  if (places.empty()) return std::move(status).Hint("it has no tablespaces at all");
  return std::move(status).Hint("its tablespaces, as they are mapped now: " + Join(places, ", "));
}

Status TablespaceSpec::CheckPlaces(std::string_view data_directory) const {
  for (size_t i = 0; i < tablespaces_.size(); ++i) {
    const Tablespace& one = tablespaces_[i];
    if (Contains(data_directory, one.location) || Contains(one.location, data_directory)) {
      return InvalidArgument(fmt::format("tablespace {} at '{}' and the data directory '{}' lie in one another", one.name,
                                         Printable(one.location), Printable(data_directory)));
    }
    for (size_t j = 0; j < i; ++j) {
      const Tablespace& other = tablespaces_[j];
      if (Contains(one.location, other.location) || Contains(other.location, one.location)) {
        return InvalidArgument(fmt::format("tablespaces {} and {} lie in one another: '{}' and '{}'", other.name, one.name,
                                           Printable(other.location), Printable(one.location)));
      }
    }
  }
  return OkStatus();
}

}  // namespace walrig
