// The manifest of plugins, damaged or forged: any bytes as the database file, and any values as the rows of a sound one.
//
// An input that begins as SQLite's files do is the file. Another is lines of a table's name and its values, separated
// by tabs, "#5" a number, "!" a null, "x..." a blob, "=..." text:
//   dir  #1  =/usr/lib/walrig/plugins-1  #1  =installed  #5  #6  #7  #8  =ok
#include <sqlite3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>

#include "core/base/string_util.h"
#include "core/plugin/manifest.h"
#include "core/plugin/schema.sql.h"
#include "tests/fuzz/fuzz_support.h"
#include "tests/support/temp_dir.h"

namespace walrig::fuzz {
namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);

const std::string& Path() {
  static const test::TempDir dir;
  static const std::string path = dir.Write("manifest.db", "");
  return path;
}

void WriteFile(std::string_view bytes) {
  std::ofstream(Path(), std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  WALRIG_ASSERT(chmod(Path().c_str(), 0600) == 0);
}

void Bind(sqlite3_stmt* statement, int at, std::string_view field) {
  const char kind = field.empty() ? '!' : field[0];
  const std::string text(field.substr(field.empty() ? 0 : 1));
  const int size_bytes = static_cast<int>(text.size());
  if (kind == '#') sqlite3_bind_int64(statement, at, std::strtoll(text.c_str(), nullptr, 10));
  if (kind == 'x') sqlite3_bind_blob(statement, at, text.data(), size_bytes, SQLITE_TRANSIENT);
  if (kind == '=') sqlite3_bind_text(statement, at, text.data(), size_bytes, SQLITE_TRANSIENT);
}

void Insert(sqlite3* db, std::string_view line) {
  const std::vector<std::string> fields = Split(line, '\t');
  if (fields.size() < 2 || fields.size() > 40 || fields[0].empty()) return;
  for (const char c : fields[0]) {
    if (c < 'a' || c > 'z') return;
  }
  std::string sql = "INSERT OR REPLACE INTO " + fields[0] + " VALUES(?";
  for (size_t i = 2; i < fields.size(); ++i) sql += ",?";
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, (sql + ")").c_str(), -1, &statement, nullptr) == SQLITE_OK) {
    for (size_t i = 1; i < fields.size(); ++i) Bind(statement, static_cast<int>(i), fields[i]);
    sqlite3_step(statement);
  }
  sqlite3_finalize(statement);
}

// A manifest as the writer makes it, but empty.
const std::string& EmptyManifest() {
  static const std::string bytes = [] {
    std::filesystem::remove(Path());
    WALRIG_ASSERT(WriteManifest(Path(), Catalogue()).ok());
    std::ifstream in(Path(), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }();
  return bytes;
}

void WriteRows(std::string_view lines) {
  WriteFile(EmptyManifest());
  sqlite3* db = nullptr;
  WALRIG_ASSERT(sqlite3_open(Path().c_str(), &db) == SQLITE_OK);
  sqlite3_exec(db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA ignore_check_constraints=ON; BEGIN", nullptr,
               nullptr, nullptr);
  for (const std::string& line : Split(lines, '\n')) Insert(db, line);
  sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
  sqlite3_close(db);
}

void UseFile(Manifest& manifest, const CatalogueFile& file) {
  WALRIG_ASSERT(!file.basename.empty() && file.basename.find('/') == std::string::npos);
  WALRIG_ASSERT(!file.dir.empty() && file.dir[0] == '/');
  const auto found = manifest.FindFile(file.dir, file.basename);
  if (!found.ok()) CheckMessage(found.status());
}

void Use(Manifest& manifest) {
  const auto all = manifest.ReadAll();
  if (!all.ok()) CheckMessage(all.status());
  if (all.ok()) {
    for (const CatalogueFile& file : all->files) UseFile(manifest, file);
    for (const PluginKind kind : {PluginKind::kStorage, PluginKind::kCompressor}) (void)FindInCatalogue(*all, kind, "fs");
  }
  for (const PluginKind kind : {PluginKind::kStorage, PluginKind::kCompressor}) {
    const auto location = manifest.Resolve(kind, kind == PluginKind::kStorage ? "fs" : "zstd");
    if (!location.ok()) CheckMessage(location.status());
    if (location.ok() && location->has_value()) WALRIG_ASSERT((*location)->basename.find('/') == std::string::npos);
  }
  const auto name = manifest.CompressorOfExtension("zst");
  if (!name.ok()) CheckMessage(name.status());
  if (name.ok() && name->has_value()) WALRIG_ASSERT(IsPluginName(**name));
}

}  // namespace
}  // namespace walrig::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  using namespace walrig::fuzz;
  const std::string_view input = AsText({data, size_bytes});
  if (StartsWith(input, kMagic)) {
    WriteFile(input);
  } else {
    WriteRows(input);
  }
  const auto manifest = Manifest::Open(Path());
  if (manifest.ok()) Use(**manifest);
  if (!manifest.ok()) CheckMessage(manifest.status());
  return 0;
}
