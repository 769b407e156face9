// Connection: one session with a PostgreSQL server, through libpq, which is loaded on first use.
//
// Every call waits on the socket and on the stop token together: a stop cancels the running query on the server and
// comes back as kCancelled within a second. The session stays usable after a query that failed.
//
// OWNS: the session; the destructor closes it, and the server then ends a backup that the session had begun.
// THREADS: one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

struct ConnectOptions {
  // libpq keywords that win over its environment: {"host", "/run/postgresql"}. Empty values are left out.
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string database;           // "": PGDATABASE, else "postgres"
  std::string application_name = "walrig";  // PGAPPNAME wins
  // When neither host nor service is given: postmaster.pid of this directory tells where the server listens, and
  // localhost is tried last. "": only libpq's own default and localhost.
  std::string data_directory;
  uint32_t connect_timeout_s = 15;  // for each host; PGCONNECT_TIMEOUT wins
};

// The rows of a query, as text.
class QueryResult {
 public:
  struct Cell {
    bool null = true;
    std::string text;
  };

  QueryResult() = default;
  QueryResult(size_t columns, std::vector<Cell> cells) : columns_(columns), cells_(std::move(cells)) {}

  size_t columns() const { return columns_; }
  size_t rows() const { return columns_ == 0 ? 0 : cells_.size() / columns_; }
  // REQUIRES: row < rows(), column < columns().
  bool null(size_t row, size_t column) const { return at(row, column).null; }
  const std::string& text(size_t row, size_t column) const { return at(row, column).text; }
  // FAILS WITH: kProtocol when the cell is null or no such number.
  Result<int64_t> Int(size_t row, size_t column) const;
  Result<uint64_t> Uint(size_t row, size_t column) const;
  Result<bool> Bool(size_t row, size_t column) const;

 private:
  const Cell& at(size_t row, size_t column) const { return cells_[row * columns_ + column]; }

  size_t columns_ = 0;
  std::vector<Cell> cells_;  // row by row
};

class Connection {
 public:
  // FAILS WITH: kUnavailable (nobody listens, the server is starting), kUnauthenticated (password, pg_hba.conf),
  // kNotSupported (libpq is not installed, server older than 13 or a replication connection), kCancelled.
  static Result<std::unique_ptr<Connection>> Open(const Context& ctx, const ConnectOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // One statement; `parameters` are $1, $2, ... as text. Warnings and notices of the server go to ctx.log.
  // FAILS WITH: kUnavailable when the session is lost; kPermission, kTimeout (statement_timeout), kNotFound (no such
  // function, table) and kInvalidArgument by SQLSTATE, which stands in detail().native_name.
  Result<QueryResult> Query(const Context& ctx, const std::string& sql, std::span<const std::string> parameters = {});
  // As Query, for a caller that wants rows one by one and not all in memory. The row is valid during the call.
  using EachRow = std::function<Status(const QueryResult& one_row)>;
  Status QueryEach(const Context& ctx, const std::string& sql, std::span<const std::string> parameters,
                   const EachRow& each);

  int server_version() const { return server_version_; }  // 150004
  const ConnectOptions& options() const { return options_; }  // as they worked; a second session can be opened with them

 private:
  struct Impl;
  Connection(std::unique_ptr<Impl> impl, ConnectOptions options, int server_version);

  std::unique_ptr<Impl> impl_;
  ConnectOptions options_;
  int server_version_ = 0;
};

}  // namespace walrig
