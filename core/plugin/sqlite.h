// SQLite's handles as owned types; only the manifest's .cc files include this.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>

#include "walrig/result.h"

namespace walrig {

struct DatabaseCloser {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct StatementFinalizer {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, DatabaseCloser>;

// What SQLite said last. FAILS WITH nothing: it is the failure.
inline Status SqliteStatus(sqlite3* db, int code, std::string_view what) {
  const std::string text = std::string(what) + ": " + (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:
    case SQLITE_SCHEMA: return Corruption(text);
    case SQLITE_FULL: return NoSpace(text);
    case SQLITE_READONLY: return ReadOnly(text);
    case SQLITE_PERM:
    case SQLITE_AUTH: return PermissionDenied(text);
    case SQLITE_NOMEM: return OutOfMemory("SQLite");
    default: return IoError(text);
  }
}

// A prepared statement. THREADS: one at a time.
class Statement {
 public:
  static Result<Statement> Prepare(sqlite3* db, const char* sql) {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v2(db, sql, -1, &raw, nullptr);
    if (code != SQLITE_OK) return SqliteStatus(db, code, "the catalogue of plugins");
    return Statement(db, raw);
  }
  // Bound text and blobs must live until the next Step.
  void Text(int at, std::string_view text) {
    sqlite3_bind_text(statement_.get(), at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  void TextOrNull(int at, std::string_view text) {
    if (!text.empty()) return Text(at, text);
    sqlite3_bind_null(statement_.get(), at);
  }
  void Blob(int at, std::string_view bytes) {
    sqlite3_bind_blob(statement_.get(), at, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
  }
  void Int(int at, int64_t value) { sqlite3_bind_int64(statement_.get(), at, value); }
  void Uint(int at, uint64_t value) { Int(at, static_cast<int64_t>(value)); }
  void Real(int at, double value) { sqlite3_bind_double(statement_.get(), at, value); }

  // True when there is a row. After the last one the statement can be bound and stepped anew.
  Result<bool> Step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) {
      Status status = SqliteStatus(db_, code, "the catalogue of plugins");
      sqlite3_reset(statement_.get());
      return status;
    }
    sqlite3_reset(statement_.get());
    return false;
  }
  void Reset() { sqlite3_reset(statement_.get()); }

  std::string ColumnText(int at) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), at));
    const int size_bytes = sqlite3_column_bytes(statement_.get(), at);
    return text == nullptr ? std::string() : std::string(text, static_cast<size_t>(size_bytes));
  }
  std::string ColumnBlob(int at) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), at));
    const int size_bytes = sqlite3_column_bytes(statement_.get(), at);
    return bytes == nullptr ? std::string() : std::string(bytes, static_cast<size_t>(size_bytes));
  }
  bool IsNull(int at) const { return sqlite3_column_type(statement_.get(), at) == SQLITE_NULL; }
  int64_t ColumnInt(int at) const { return sqlite3_column_int64(statement_.get(), at); }
  uint64_t ColumnUint(int at) const { return static_cast<uint64_t>(ColumnInt(at)); }
  uint32_t ColumnSmall(int at) const { return static_cast<uint32_t>(ColumnInt(at)); }
  double ColumnReal(int at) const { return sqlite3_column_double(statement_.get(), at); }

 private:
  Statement(sqlite3* db, sqlite3_stmt* raw) : db_(db), statement_(raw) {}
  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, StatementFinalizer> statement_;
};

}  // namespace walrig
