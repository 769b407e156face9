// Reading; manifest_write.cc builds the file.
#include "core/plugin/manifest.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/errno_status.h"
#include "core/base/string_util.h"
#include "core/plugin/schema.sql.h"
#include "core/plugin/sqlite.h"
#include "walrig/abi/options.h"

namespace walrig {

struct Manifest::Rep {
  Database db;
};

namespace {

constexpr uint64_t kManifestBytesMax = 256u << 20;
constexpr const char* kFileColumns =
    "d.path, f.basename, f.dev, f.ino, f.size, f.mtime_ns, f.ctime_ns, f.uid, f.mode, f.build_id, f.sha256,"
    " f.elf_machine, f.needed, f.closure, f.package, f.state, f.reason, f.probe_exit, f.probe_signal, f.probe_ms,"
    " f.load_ms, f.probed_at, f.file_id";
constexpr int kFileIdColumn = 22;

// "file:/path?..." with what has a meaning in a URI taken out of the path.
std::string UriOf(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '%' || c == '?' || c == '#' || byte < 0x20 || byte >= 0x7f) {
      uri += "%" + HexEncode({&byte, 1});
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1&mode=ro";
}

Result<std::vector<std::string>> ListOf(const std::string& text) {
  std::vector<std::string> list;
  if (text.empty()) return list;
  WALRIG_ASSIGN(const Json json, ParseJson(text, "the catalogue of plugins"));
  if (!json.is_array()) return Corruption("the catalogue of plugins holds something else than a list");
  for (const Json& item : json) {
    if (!item.is_string()) return Corruption("the catalogue of plugins holds something else than text in a list");
    list.push_back(item.get_ref<const std::string&>());
  }
  return list;
}

Result<CatalogueFile> FileOf(const Statement& row) {
  CatalogueFile file;
  file.dir = row.ColumnText(0);
  file.basename = row.ColumnText(1);
  file.identity = {row.ColumnUint(2), row.ColumnUint(3), row.ColumnUint(4), row.ColumnInt(5), row.ColumnInt(6)};
  file.uid = row.ColumnSmall(7);
  file.mode = row.ColumnSmall(8);
  file.build_id = HexEncode(AsBytes(row.ColumnBlob(9)));
  file.sha256 = HexEncode(AsBytes(row.ColumnBlob(10)));
  file.elf_machine = row.ColumnSmall(11);
  WALRIG_ASSIGN(file.needed, ListOf(row.ColumnText(12)));
  WALRIG_ASSIGN(file.closure, ListOf(row.ColumnText(13)));
  file.package = row.ColumnText(14);
  WALRIG_ASSIGN(file.state, ParseFileState(row.ColumnText(15)));
  file.reason = row.ColumnText(16);
  file.probe_exit = static_cast<int>(row.ColumnInt(17));
  file.probe_signal = static_cast<int>(row.ColumnInt(18));
  file.probe_ms = row.ColumnReal(19);
  file.load_ms = row.ColumnReal(20);
  file.probed_at_ns = row.ColumnInt(21);
  if (file.basename.empty() || file.basename.find('/') != std::string::npos || file.dir.empty() || file.dir[0] != '/') {
    return Corruption("the catalogue of plugins holds an impossible path");
  }
  return file;
}

Status CheckHeader(sqlite3* db) {
  const auto number = [&](const char* pragma) -> Result<int64_t> {
    WALRIG_ASSIGN(Statement statement, Statement::Prepare(db, pragma));
    WALRIG_ASSIGN(const bool row, statement.Step());
    return row ? statement.ColumnInt(0) : int64_t{0};
  };
  WALRIG_ASSIGN(const int64_t id, number("PRAGMA application_id"));
  WALRIG_ASSIGN(const int64_t version, number("PRAGMA user_version"));
  if (id != kManifestApplicationId) return Corruption("it is no catalogue of plugins");
  if (version != kManifestVersion) return Corruption("it has version " + std::to_string(version) + ", not 1");
  WALRIG_ASSIGN(Statement meta, Statement::Prepare(db, "SELECT value FROM meta WHERE key='triplet'"));
  WALRIG_ASSIGN(const bool row, meta.Step());
  if (!row || meta.ColumnText(0) != HostTriplet()) return Corruption("it was made for another kind of machine");
  return OkStatus();
}

Result<OptionSpec> OptionOf(const Statement& row) {
  OptionSpec option;
  option.name = row.ColumnText(0);
  const int64_t type = row.ColumnInt(1);
  if (type < WALRIG_OPT_STRING || type > WALRIG_OPT_LIST) return Corruption("the catalogue holds an unknown option type");
  option.type = static_cast<OptionType>(type);
  const int64_t flags = row.ColumnInt(2);
  option.required = (flags & WALRIG_OPTF_REQUIRED) != 0;
  option.secret = (flags & WALRIG_OPTF_SECRET) != 0;
  option.advanced = (flags & WALRIG_OPTF_ADVANCED) != 0;
  option.deprecated = (flags & WALRIG_OPTF_DEPRECATED) != 0;
  option.test_only = (flags & WALRIG_OPTF_TEST_ONLY) != 0;
  option.has_default = !row.IsNull(3);
  option.default_text = row.ColumnText(3);
  WALRIG_ASSIGN(option.choices, ListOf(row.ColumnText(4)));
  option.min_text = row.ColumnText(5);
  option.max_text = row.ColumnText(6);
  option.help = row.ColumnText(7);
  option.group = row.ColumnText(8);
  WALRIG_ASSIGN(option.aliases, ListOf(row.ColumnText(9)));
  WALRIG_ASSIGN(option.settings, ListOf(row.ColumnText(10)));
  option.replaced_by = row.ColumnText(11);
  return option;
}

Result<std::vector<OptionSpec>> OptionsOf(sqlite3* db, int64_t factory_id) {
  WALRIG_ASSIGN(Statement rows, Statement::Prepare(db,
                                                   "SELECT name, type, flags, dflt, choices, min_text, max_text, help,"
                                                   " grp, aliases, settings, replaced_by FROM option"
                                                   " WHERE factory_id=? ORDER BY ord"));
  rows.Int(1, factory_id);
  std::vector<OptionSpec> options;
  while (true) {
    WALRIG_ASSIGN(const bool more, rows.Step());
    if (!more) return options;
    WALRIG_ASSIGN(OptionSpec option, OptionOf(rows));
    options.push_back(std::move(option));
  }
}

Result<std::vector<FactoryInfo>> FactoriesOf(sqlite3* db, int64_t file_id) {
  WALRIG_ASSIGN(Statement rows, Statement::Prepare(db,
                                                   "SELECT factory_id, kind, name, caps, description, aliases,"
                                                   " extensions FROM factory WHERE file_id=? ORDER BY factory_id"));
  rows.Int(1, file_id);
  std::vector<FactoryInfo> factories;
  while (true) {
    WALRIG_ASSIGN(const bool more, rows.Step());
    if (!more) return factories;
    FactoryInfo factory;
    const int64_t kind = rows.ColumnInt(1);
    if (kind < 1 || kind > 4) return Corruption("the catalogue of plugins holds an unknown kind");
    factory.kind = static_cast<PluginKind>(kind);
    factory.name = rows.ColumnText(2);
    factory.caps = rows.ColumnUint(3);
    factory.description = rows.ColumnText(4);
    WALRIG_ASSIGN(factory.aliases, ListOf(rows.ColumnText(5)));
    WALRIG_ASSIGN(factory.extensions, ListOf(rows.ColumnText(6)));
    WALRIG_ASSIGN(factory.options, OptionsOf(db, rows.ColumnInt(0)));
    factories.push_back(std::move(factory));
  }
}

Result<std::optional<ModuleInfo>> ModuleOf(sqlite3* db, int64_t file_id) {
  WALRIG_ASSIGN(Statement row, Statement::Prepare(db,
                                                  "SELECT id, version, abi_major, abi_minor, min_host_minor, flags,"
                                                  " license, vendor, url, description, build FROM module"
                                                  " WHERE file_id=?"));
  row.Int(1, file_id);
  WALRIG_ASSIGN(const bool found, row.Step());
  if (!found) return std::optional<ModuleInfo>();
  ModuleInfo module;
  module.id = row.ColumnText(0);
  module.version = row.ColumnText(1);
  module.abi_major = row.ColumnSmall(2);
  module.abi_minor = row.ColumnSmall(3);
  module.min_host_minor = row.ColumnSmall(4);
  module.flags = row.ColumnUint(5);
  module.license = row.ColumnText(6);
  module.vendor = row.ColumnText(7);
  module.url = row.ColumnText(8);
  module.description = row.ColumnText(9);
  module.build = row.ColumnText(10);
  WALRIG_ASSIGN(module.factories, FactoriesOf(db, file_id));
  return std::optional<ModuleInfo>(std::move(module));
}

Result<std::vector<CatalogueDir>> ReadDirs(sqlite3* db) {
  WALRIG_ASSIGN(Statement rows, Statement::Prepare(db,
                                                   "SELECT path, origin, dev, ino, mtime_ns, ctime_ns, trust FROM dir"
                                                   " ORDER BY rank"));
  std::vector<CatalogueDir> dirs;
  while (true) {
    WALRIG_ASSIGN(const bool more, rows.Step());
    if (!more) return dirs;
    dirs.push_back({rows.ColumnText(0), rows.ColumnText(1), rows.ColumnUint(2), rows.ColumnUint(3), rows.ColumnInt(4),
                    rows.ColumnInt(5), rows.ColumnText(6)});
  }
}

}  // namespace

Manifest::Manifest(std::string path) : path_(std::move(path)), rep_(std::make_unique<Rep>()) {}
Manifest::~Manifest() = default;

Result<std::unique_ptr<Manifest>> Manifest::Open(const std::string& path) {
  struct stat st;
  if (stat(path.c_str(), &st) != 0) return ErrnoStatus(errno, "open " + path);
  if (!S_ISREG(st.st_mode) || static_cast<uint64_t>(st.st_size) > kManifestBytesMax) {
    return Corruption(path + " is no catalogue of plugins");
  }
  if (st.st_uid != 0 && st.st_uid != geteuid()) return PermissionDenied(path + " belongs to another user");
  if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) return PermissionDenied(path + " is writable by others than its owner");
  std::unique_ptr<Manifest> manifest(new Manifest(path));
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(UriOf(path).c_str(), &raw,
                                   SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  manifest->rep_->db.reset(raw);
  if (code != SQLITE_OK) return SqliteStatus(raw, code, path);
  // The file may have been damaged on purpose.
  sqlite3_exec(raw, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;", nullptr, nullptr, nullptr);
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, 4 << 20);
  Status status = CheckHeader(raw);
  if (!status.ok()) return std::move(status).With(path);
  return manifest;
}

Result<std::optional<CatalogueFile>> Manifest::FindFile(std::string_view dir, std::string_view basename) {
  const std::string sql = std::string("SELECT ") + kFileColumns +
                          " FROM dir d JOIN file f ON f.dir_id=d.dir_id WHERE d.path=? AND f.basename=?";
  WALRIG_ASSIGN(Statement row, Statement::Prepare(rep_->db.get(), sql.c_str()));
  row.Text(1, dir);
  row.Text(2, basename);
  WALRIG_ASSIGN(const bool found, row.Step());
  if (!found) return std::optional<CatalogueFile>();
  WALRIG_ASSIGN(CatalogueFile file, FileOf(row));
  return std::optional<CatalogueFile>(std::move(file));
}

Result<std::optional<Manifest::Location>> Manifest::Resolve(PluginKind kind, std::string_view name) {
  WALRIG_ASSIGN(Statement row,
                Statement::Prepare(rep_->db.get(),
                                   "SELECT d.path, f.basename FROM resolve r JOIN factory c ON"
                                   " c.factory_id=r.factory_id JOIN file f ON f.file_id=c.file_id JOIN dir d ON"
                                   " d.dir_id=f.dir_id WHERE r.kind=? AND r.name=?"));
  row.Int(1, static_cast<int64_t>(kind));
  row.Text(2, name);
  WALRIG_ASSIGN(const bool found, row.Step());
  if (!found) return std::optional<Location>();
  Location location{row.ColumnText(0), row.ColumnText(1)};
  if (location.basename.find('/') != std::string::npos) return Corruption("the catalogue holds an impossible path");
  return std::optional<Location>(std::move(location));
}

Result<std::optional<std::string>> Manifest::CompressorOfExtension(std::string_view extension) {
  WALRIG_ASSIGN(Statement row, Statement::Prepare(rep_->db.get(),
                                                  "SELECT c.name FROM extension e JOIN factory c ON"
                                                  " c.factory_id=e.factory_id WHERE e.extension=?"));
  row.Text(1, extension);
  WALRIG_ASSIGN(const bool found, row.Step());
  if (!found) return std::optional<std::string>();
  std::string name = row.ColumnText(0);
  if (!IsPluginName(name)) return Corruption("the catalogue holds an impossible name");
  return std::optional<std::string>(std::move(name));
}

Result<Catalogue> Manifest::ReadAll() {
  sqlite3* db = rep_->db.get();
  Catalogue catalogue;
  WALRIG_ASSIGN(Statement meta, Statement::Prepare(db, "SELECT key, value FROM meta"));
  while (true) {
    WALRIG_ASSIGN(const bool more, meta.Step());
    if (!more) break;
    const std::string key = meta.ColumnText(0);
    if (key == "core_version") catalogue.core_version = meta.ColumnText(1);
    if (key == "scanned_at_ns") {
      WALRIG_ASSIGN(catalogue.scanned_at_ns, ParseInt(meta.ColumnText(1)));
    }
  }
  WALRIG_ASSIGN(catalogue.dirs, ReadDirs(db));
  const std::string sql = std::string("SELECT ") + kFileColumns +
                          " FROM file f JOIN dir d ON d.dir_id=f.dir_id ORDER BY d.rank, f.basename";
  WALRIG_ASSIGN(Statement rows, Statement::Prepare(db, sql.c_str()));
  while (true) {
    WALRIG_ASSIGN(const bool more, rows.Step());
    if (!more) return catalogue;
    WALRIG_ASSIGN(CatalogueFile file, FileOf(rows));
    WALRIG_ASSIGN(file.module, ModuleOf(db, rows.ColumnInt(kFileIdColumn)));
    catalogue.files.push_back(std::move(file));
  }
}

}  // namespace walrig
