#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <set>

#include "core/base/errno_status.h"
#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/plugin/manifest.h"
#include "core/plugin/schema.sql.h"
#include "core/plugin/sqlite.h"
#include "walrig/abi/options.h"

namespace walrig {
namespace {

std::string ListText(const std::vector<std::string>& list) {
  Json json = Json::array();
  for (const std::string& text : list) json.push_back(text);
  return DumpJson(json);
}

int64_t FlagsOf(const OptionSpec& option) {
  return (option.required ? WALRIG_OPTF_REQUIRED : 0u) | (option.secret ? WALRIG_OPTF_SECRET : 0u) |
         (option.advanced ? WALRIG_OPTF_ADVANCED : 0u) | (option.deprecated ? WALRIG_OPTF_DEPRECATED : 0u) |
         (option.test_only ? WALRIG_OPTF_TEST_ONLY : 0u);
}

class Writer {
 public:
  explicit Writer(sqlite3* db) : db_(db) {}

  Status Write(const Catalogue& catalogue) {
    WALRIG_TRY(Run("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF;"));
    WALRIG_TRY(Run(kManifestSchema));
    WALRIG_TRY(Run("BEGIN"));
    WALRIG_TRY(Meta("triplet", HostTriplet()));
    WALRIG_TRY(Meta("core_version", catalogue.core_version));
    WALRIG_TRY(Meta("scanned_at_ns", std::to_string(catalogue.scanned_at_ns)));
    for (const CatalogueDir& dir : catalogue.dirs) WALRIG_TRY(Dir(dir));
    for (const CatalogueFile& file : catalogue.files) WALRIG_TRY(File(catalogue, file));
    WALRIG_TRY(Resolve(catalogue));
    WALRIG_TRY(Run("COMMIT"));
    return Check();
  }

 private:
  Status Run(const char* sql) {
    const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
    return code == SQLITE_OK ? OkStatus() : SqliteStatus(db_, code, "writing the catalogue of plugins");
  }
  static Status Done(Statement& statement) {
    auto row = statement.Step();
    return row.ok() ? OkStatus() : std::move(row).status();
  }

  Status Meta(std::string_view key, std::string_view value) {
    WALRIG_ASSIGN(Statement insert, Statement::Prepare(db_, "INSERT INTO meta VALUES(?,?)"));
    insert.Text(1, key);
    insert.Text(2, value);
    return Done(insert);
  }

  Status Dir(const CatalogueDir& dir) {
    WALRIG_ASSIGN(Statement insert, Statement::Prepare(db_, "INSERT INTO dir VALUES(?,?,?,?,?,?,?,?,?)"));
    insert.Int(1, ++dir_id_);
    insert.Text(2, dir.path);
    insert.Int(3, dir_id_);
    insert.Text(4, dir.origin);
    insert.Uint(5, dir.dev);
    insert.Uint(6, dir.ino);
    insert.Int(7, dir.mtime_ns);
    insert.Int(8, dir.ctime_ns);
    insert.Text(9, dir.trust);
    return Done(insert);
  }

  Status File(const Catalogue& catalogue, const CatalogueFile& file) {
    int64_t dir_id = 0;
    for (size_t i = 0; i < catalogue.dirs.size(); ++i) {
      if (catalogue.dirs[i].path == file.dir) dir_id = static_cast<int64_t>(i) + 1;
    }
    if (dir_id == 0) return Internal("a file of the catalogue lies in no directory of it");
    WALRIG_ASSIGN(const std::string build_id, HexDecode(file.build_id));
    WALRIG_ASSIGN(const std::string sha256, HexDecode(file.sha256));
    const std::string needed = ListText(file.needed), closure = ListText(file.closure);
    WALRIG_ASSIGN(Statement insert,
                  Statement::Prepare(db_, "INSERT INTO file VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    insert.Int(1, ++file_id_);
    insert.Int(2, dir_id);
    insert.Text(3, file.basename);
    insert.Uint(4, file.identity.dev);
    insert.Uint(5, file.identity.ino);
    insert.Uint(6, file.identity.size_bytes);
    insert.Int(7, file.identity.mtime_ns);
    insert.Int(8, file.identity.ctime_ns);
    insert.Int(9, file.uid);
    insert.Int(10, file.mode);
    insert.Blob(11, build_id);
    insert.Blob(12, sha256);
    insert.Int(13, file.elf_machine);
    insert.Text(14, needed);
    insert.Text(15, closure);
    insert.TextOrNull(16, file.package);
    insert.Text(17, FileStateName(file.state));
    insert.TextOrNull(18, file.reason);
    insert.Int(19, file.probe_exit);
    insert.Int(20, file.probe_signal);
    insert.Real(21, file.probe_ms);
    insert.Real(22, file.load_ms);
    insert.Int(23, file.probed_at_ns);
    WALRIG_TRY(Done(insert));
    return file.module.has_value() ? Module(*file.module) : OkStatus();
  }

  Status Module(const ModuleInfo& module) {
    WALRIG_ASSIGN(Statement insert, Statement::Prepare(db_, "INSERT INTO module VALUES(?,?,?,?,?,?,?,?,?,?,?,?)"));
    insert.Int(1, file_id_);
    insert.Text(2, module.id);
    insert.Text(3, module.version);
    insert.Int(4, module.abi_major);
    insert.Int(5, module.abi_minor);
    insert.Int(6, module.min_host_minor);
    insert.Uint(7, module.flags);
    insert.Text(8, module.license);
    insert.TextOrNull(9, module.vendor);
    insert.TextOrNull(10, module.url);
    insert.TextOrNull(11, module.description);
    insert.TextOrNull(12, module.build);
    WALRIG_TRY(Done(insert));
    for (const FactoryInfo& factory : module.factories) WALRIG_TRY(Factory(factory));
    return OkStatus();
  }

  Status Factory(const FactoryInfo& factory) {
    const std::string aliases = ListText(factory.aliases), extensions = ListText(factory.extensions);
    WALRIG_ASSIGN(Statement insert, Statement::Prepare(db_, "INSERT OR IGNORE INTO factory VALUES(?,?,?,?,?,?,?,?)"));
    insert.Int(1, ++factory_id_);
    insert.Int(2, file_id_);
    insert.Int(3, static_cast<int64_t>(factory.kind));
    insert.Text(4, factory.name);
    insert.Uint(5, factory.caps);
    insert.TextOrNull(6, factory.description);
    insert.Text(7, aliases);
    insert.Text(8, extensions);
    WALRIG_TRY(Done(insert));
    int64_t order = 0;
    for (const OptionSpec& option : factory.options) WALRIG_TRY(Option(option, ++order));
    return OkStatus();
  }

  Status Option(const OptionSpec& option, int64_t order) {
    const std::string choices = ListText(option.choices), aliases = ListText(option.aliases),
                      settings = ListText(option.settings);
    WALRIG_ASSIGN(Statement insert,
                  Statement::Prepare(db_, "INSERT OR IGNORE INTO option VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    insert.Int(1, factory_id_);
    insert.Int(2, order);
    insert.Text(3, option.name);
    insert.Int(4, static_cast<int64_t>(option.type));
    insert.Int(5, FlagsOf(option));
    if (option.has_default) insert.Text(6, option.default_text);
    insert.Text(7, choices);
    insert.TextOrNull(8, option.min_text);
    insert.TextOrNull(9, option.max_text);
    insert.TextOrNull(10, option.help);
    insert.TextOrNull(11, option.group);
    insert.Text(12, aliases);
    insert.Text(13, settings);
    insert.TextOrNull(14, option.replaced_by);
    return Done(insert);
  }

  // The winner for every name and alias, computed here so that a reader asks by primary key.
  Status Resolve(const Catalogue& catalogue) {
    std::set<std::string> extensions;
    for (const CatalogueFile& file : catalogue.files) {
      if (!file.module.has_value()) continue;
      for (const FactoryInfo& factory : file.module->factories) {
        std::vector<std::string> names = factory.aliases;
        names.insert(names.begin(), factory.name);
        for (const std::string& name : names) WALRIG_TRY(ResolveName(catalogue, file, factory, name));
        if (factory.kind != PluginKind::kCompressor || file.state != FileState::kOk) continue;
        for (const std::string& extension : factory.extensions) {
          if (extensions.insert(extension).second) WALRIG_TRY(Extension(file, factory, extension));
        }
      }
    }
    return OkStatus();
  }

  static constexpr const char* kFactoryOf =
      "(SELECT c.factory_id FROM factory c JOIN file f ON f.file_id=c.file_id JOIN dir d ON d.dir_id=f.dir_id"
      " WHERE d.path=?1 AND f.basename=?2 AND c.kind=?3 AND c.name=?4)";

  Status ResolveName(const Catalogue& catalogue, const CatalogueFile& file, const FactoryInfo& factory,
                     const std::string& name) {
    const auto winner = FindInCatalogue(catalogue, factory.kind, name);
    if (!winner.has_value() || winner->file != &file || winner->factory != &factory) return OkStatus();
    const std::string sql = std::string("INSERT OR IGNORE INTO resolve VALUES(?3,?5,") + kFactoryOf + ",?6,0)";
    WALRIG_ASSIGN(Statement insert, Statement::Prepare(db_, sql.c_str()));
    BindFactory(insert, file, factory);
    insert.Text(5, name);
    insert.Int(6, name == factory.name ? 0 : 1);
    return Done(insert);
  }

  Status Extension(const CatalogueFile& file, const FactoryInfo& factory, const std::string& extension) {
    const std::string sql = std::string("INSERT INTO extension VALUES(?5,") + kFactoryOf + ")";
    WALRIG_ASSIGN(Statement insert, Statement::Prepare(db_, sql.c_str()));
    BindFactory(insert, file, factory);
    insert.Text(5, extension);
    return Done(insert);
  }

  static void BindFactory(Statement& statement, const CatalogueFile& file, const FactoryInfo& factory) {
    statement.Text(1, file.dir);
    statement.Text(2, file.basename);
    statement.Int(3, static_cast<int64_t>(factory.kind));
    statement.Text(4, factory.name);
  }

  Status Check() {
    WALRIG_ASSIGN(Statement check, Statement::Prepare(db_, "PRAGMA integrity_check"));
    WALRIG_ASSIGN(const bool row, check.Step());
    if (!row || check.ColumnText(0) != "ok") return Corruption("the new catalogue of plugins is damaged");
    return OkStatus();
  }

  sqlite3* db_;
  int64_t dir_id_ = 0, file_id_ = 0, factory_id_ = 0;
};

Status Build(const std::string& path, const Catalogue& catalogue) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  const Database db(raw);
  if (code != SQLITE_OK) return SqliteStatus(raw, code, "create " + path);
  return Writer(raw).Write(catalogue);
}

Status Publish(const std::string& temp, const std::string& path) {
  if (chmod(temp.c_str(), 0644) != 0) return ErrnoStatus(errno, "chmod " + temp);
  WALRIG_ASSIGN(const Fd fd, OpenFd(temp, O_RDWR));
  WALRIG_TRY(FsyncFd(fd.get(), "sync " + temp));
  if (rename(temp.c_str(), path.c_str()) != 0) return ErrnoStatus(errno, "rename " + temp + " to " + path);
  const size_t slash = path.rfind('/');
  return FsyncDir(slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash));
}

}  // namespace

Status WriteManifest(const std::string& path, const Catalogue& catalogue) {
  const std::string temp = path + ".new";
  // A leftover of a scan that was killed; we hold the lock. Made here so that errno names what is wrong.
  if (unlink(temp.c_str()) != 0 && errno != ENOENT) return ErrnoStatus(errno, "remove " + temp);
  {
    auto created = OpenFd(temp, O_RDWR | O_CREAT | O_EXCL, 0644);
    if (!created.ok()) return std::move(created).status();
  }
  Status status = Build(temp, catalogue);
  if (status.ok()) status = Publish(temp, path);
  if (!status.ok()) unlink(temp.c_str());
  return status;
}

}  // namespace walrig
