#include "core/postgres/connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "core/base/errno_status.h"
#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/postgres/libpq.h"

namespace walrig {
namespace {

constexpr uint64_t kNsPerS = 1'000'000'000;
// After a cancel request the server answers at once, or the session is given up.
constexpr uint64_t kCancelWaitNs = 3 * kNsPerS;

using Parameters = std::vector<std::pair<std::string, std::string>>;

bool EnvironmentHas(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool Has(const Parameters& parameters, std::string_view keyword) {
  return std::any_of(parameters.begin(), parameters.end(),
                     [&](const auto& p) { return p.first == keyword && !p.second.empty(); });
}

// Where the server of this data directory listens, by its postmaster.pid: lines 4 and 5 are port and socket directory
// (src/include/utils/pidfile.h).
std::optional<Parameters> FromPidFile(const std::string& data_directory) {
  if (data_directory.empty()) return std::nullopt;
  Result<std::string> text = ReadWholeFile(data_directory + "/postmaster.pid", 64 * 1024);
  if (!text.ok()) return std::nullopt;
  const std::vector<std::string> lines = Split(*text, '\n');
  if (lines.size() < 6 || lines[3].empty()) return std::nullopt;
  std::string host(Trim(lines[4]));
  if (host.empty()) host = "localhost";
  return Parameters{{"host", host}, {"port", std::string(Trim(lines[3]))}};
}

// "/run/postgresql/.s.PGSQL.5432": the socket itself, which WAL-G's driver takes for a host; libpq wants its directory
// and its port.
std::optional<Parameters> FromSocketPath(std::string_view host) {
  constexpr std::string_view kName = "/.s.PGSQL.";
  const size_t at = host.rfind(kName);
  if (!host.starts_with('/') || at == std::string_view::npos) return std::nullopt;
  const std::string_view port = host.substr(at + kName.size());
  if (port.empty() || port.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return Parameters{{"host", std::string(at == 0 ? "/" : host.substr(0, at))}, {"port", std::string(port)}};
}

// The host that libpq would take, of its parameters or its environment; "" when there is none.
std::string HostOf(const Parameters& parameters) {
  for (const auto& [keyword, value] : parameters) {
    if (keyword == "host") return value;
  }
  const char* host = EnvironmentHas("PGHOST") && !EnvironmentHas("PGSERVICE") ? std::getenv("PGHOST") : "";
  return host;
}

// The parameter sets to be tried, best first.
std::vector<Parameters> Attempts(const ConnectOptions& options) {
  Parameters base;
  for (const auto& parameter : options.parameters)
    if (!parameter.second.empty()) base.push_back(parameter);
  const bool service = Has(base, "service") || EnvironmentHas("PGSERVICE");
  if (!options.database.empty())
    base.emplace_back("dbname", options.database);
  else if (!service && !Has(base, "dbname") && !EnvironmentHas("PGDATABASE"))
    base.emplace_back("dbname", "postgres");
  base.emplace_back("fallback_application_name", options.application_name);
  base.emplace_back("client_encoding", "UTF8");
  const bool host = service || Has(base, "host") || Has(base, "hostaddr") || EnvironmentHas("PGHOST") ||
                    EnvironmentHas("PGHOSTADDR");
  const bool port = Has(base, "port") || EnvironmentHas("PGPORT");
  if (const std::optional<Parameters> socket = FromSocketPath(HostOf(base))) {
    std::erase_if(base, [](const auto& p) { return p.first == "host" || p.first == "port"; });
    base.insert(base.end(), socket->begin(), socket->end());
  }
  if (host) return {base};

  std::vector<Parameters> attempts;
  auto with = [&](Parameters more) {
    more.insert(more.end(), base.begin(), base.end());
    attempts.push_back(std::move(more));
  };
  if (!port)
    if (std::optional<Parameters> found = FromPidFile(options.data_directory)) with(std::move(*found));
  with({});
  with({{"host", "localhost"}});
  return attempts;
}

Code CodeOfSqlState(std::string_view state) {
  if (state == "42501") return Code::kPermission;
  if (state == "57014") return Code::kTimeout;
  if (state == "55000" || state == "55006") return Code::kConflict;
  if (state == "42883" || state == "42P01" || state == "3D000") return Code::kNotFound;
  if (state.starts_with("08") || state.starts_with("57P") || state.starts_with("53")) return Code::kUnavailable;
  if (state.starts_with("28")) return Code::kUnauthenticated;
  if (state.starts_with("XX") || state.starts_with("58")) return Code::kIoError;
  return Code::kInvalidArgument;
}

// libpq's messages are lines, the last one ended, some indented; ours are one line without a full stop.
std::string OneLine(const char* text) {
  std::string line;
  for (char c : Trim(text == nullptr ? "" : text)) {
    const bool blank = c == '\n' || c == '\t' || c == ' ';
    if (!blank) line.push_back(c);
    else if (line.back() != ' ') line.push_back(' ');
  }
  if (line.ends_with('.')) line.pop_back();
  return line;
}

Status ConnectError(const char* libpq_message) {
  const std::string text = OneLine(libpq_message);
  const std::string lower = ToLower(text);
  auto says = [&](const char* part) { return lower.find(part) != std::string::npos; };
  if (says("authentication failed") || says("pg_hba.conf") || says("no password supplied") || says("does not exist"))
    return Status(Code::kUnauthenticated, "connecting to PostgreSQL: " + text)
        .Hint("set PGUSER, PGDATABASE and PGPASSWORD or PGPASSFILE, or allow the role in pg_hba.conf");
  return Unavailable("connecting to PostgreSQL: " + text)
      .Hint("is the server running, and do PGHOST (directory of the socket, or a host) and PGPORT name it?");
}

}  // namespace

Result<int64_t> QueryResult::Int(size_t row, size_t column) const {
  if (null(row, column)) return ProtocolError("the server answered null where a number must be");
  Result<int64_t> value = ParseInt(text(row, column));
  if (!value.ok()) return ProtocolError(fmt::format("the server answered '{}', not a number", text(row, column)));
  return value;
}

Result<uint64_t> QueryResult::Uint(size_t row, size_t column) const {
  if (null(row, column)) return ProtocolError("the server answered null where a number must be");
  Result<uint64_t> value = ParseUint(text(row, column));
  if (!value.ok()) return ProtocolError(fmt::format("the server answered '{}', not a number", text(row, column)));
  return value;
}

Result<bool> QueryResult::Bool(size_t row, size_t column) const {
  const std::string& value = text(row, column);
  if (value == "t" || value == "on" || value == "true") return true;
  if (value == "f" || value == "off" || value == "false") return false;
  return ProtocolError(fmt::format("the server answered '{}', neither true nor false", value));
}

struct Connection::Impl {
  LazyLibrary library{{"libpq.so.5", "libpq5", "to talk to PostgreSQL"}};
  LibpqApi pq;
  PGconn* session = nullptr;
  Log* log = nullptr;  // of the running query; notices arrive during one
  bool idle = true;    // no query runs and no result is left to be read

  ~Impl() { Close(); }
  void Close() {
    if (session != nullptr) pq.finish(session);
    session = nullptr;
  }

  static void OnNotice(void* self, const PGresult* result);
  Status Connect(const Context& ctx, const Parameters& parameters, uint64_t timeout_ns);
  // Waits until the socket is ready for `events`. FAILS WITH: kCancelled, kTimeout, kIoError.
  Status Wait(const Context& ctx, short events, uint64_t until_ns);
  Status Send(const Context& ctx, const std::string& sql, std::span<const std::string> parameters, bool single_row);
  Status Receive(const Context& ctx, const EachRow& each, QueryResult* all);
  // The next result; null after the last.
  Result<PGresult*> NextResult(const Context& ctx, uint64_t until_ns);
  // Asks the server to stop the query and reads what still comes; closes a session that does not answer.
  void CancelQuery();
  Status ResultError(const PGresult* result) const;
  Status SessionError();
  QueryResult Rows(const PGresult* result) const;
};

void Connection::Impl::OnNotice(void* self, const PGresult* result) {
  auto* impl = static_cast<Impl*>(self);
  if (impl->log == nullptr) return;
  const char* severity = impl->pq.error_field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  const char* message = impl->pq.error_field(result, PG_DIAG_MESSAGE_PRIMARY);
  const bool warning = severity != nullptr && std::string_view(severity) == "WARNING";
  try {
    impl->log->Write(warning ? LogLevel::kWarning : LogLevel::kInfo, "postgres", "server: " + OneLine(message));
  } catch (...) {
    return;  // a notice is no reason to unwind through libpq
  }
}

Status Connection::Impl::Wait(const Context& ctx, short events, uint64_t until_ns) {
  pollfd fds[2] = {{pq.socket(session), events, 0}, {ctx.stop.fd(), POLLIN, 0}};
  for (;;) {
    WALRIG_TRY(ctx.Poll());
    const uint64_t now = ctx.clock->MonotonicNs();
    if (until_ns != 0 && now >= until_ns) return Timeout("no answer from PostgreSQL in time");
    uint64_t ms = 1000;
    if (until_ns != 0) ms = std::min<uint64_t>(ms, (until_ns - now) / 1'000'000 + 1);
    const int ready = poll(fds, ctx.stop.fd() >= 0 ? 2 : 1, static_cast<int>(ms));
    if (ready < 0 && errno != EINTR) return ErrnoStatus(errno, "poll");
    if (ready > 0 && fds[0].revents != 0) return OkStatus();
  }
}

Status Connection::Impl::Connect(const Context& ctx, const Parameters& parameters, uint64_t timeout_ns) {
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : parameters) keywords.push_back(keyword.c_str()), values.push_back(value.c_str());
  keywords.push_back(nullptr), values.push_back(nullptr);
  Close();
  session = pq.connect_start(keywords.data(), values.data(), 0);
  if (session == nullptr) return OutOfMemory("libpq");
  const uint64_t until = ctx.clock->MonotonicNs() + timeout_ns;
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (pq.status(session) != CONNECTION_BAD && state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
    WALRIG_TRY(Wait(ctx, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until));
    state = pq.connect_poll(session);
  }
  if (pq.status(session) != CONNECTION_OK) return ConnectError(pq.error_message(session));
  pq.set_notice_receiver(session, &Impl::OnNotice, this);
  if (pq.set_nonblocking(session, 1) != 0) return SessionError();
  return OkStatus();
}

Status Connection::Impl::SessionError() {
  return Unavailable("session with PostgreSQL: " + OneLine(pq.error_message(session)))
      .Hint("the server was stopped or closed the session; its log says why");
}

Status Connection::Impl::ResultError(const PGresult* result) const {
  const char* state = pq.error_field(result, PG_DIAG_SQLSTATE);
  const char* message = pq.error_field(result, PG_DIAG_MESSAGE_PRIMARY);
  const char* hint = pq.error_field(result, PG_DIAG_MESSAGE_HINT);
  Status::Detail detail;
  detail.native_name = state == nullptr ? "" : state;
  const Code code = state == nullptr ? Code::kUnavailable : CodeOfSqlState(state);
  Status status =
      Status(code, "PostgreSQL: " + OneLine(message != nullptr ? message : pq.result_error(result))).WithDetail(detail);
  return hint == nullptr ? std::move(status) : std::move(status).Hint(OneLine(hint));
}

QueryResult Connection::Impl::Rows(const PGresult* result) const {
  const int rows = pq.row_count(result), columns = pq.column_count(result);
  std::vector<QueryResult::Cell> cells;
  cells.reserve(static_cast<size_t>(rows) * static_cast<size_t>(columns));
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      const bool null = pq.is_null(result, r, c) != 0;
      cells.push_back({null, null ? std::string()
                                  : std::string(pq.value(result, r, c), static_cast<size_t>(pq.length(result, r, c)))});
    }
  }
  return QueryResult(static_cast<size_t>(columns), std::move(cells));
}

Status Connection::Impl::Send(const Context& ctx, const std::string& sql, std::span<const std::string> parameters,
                              bool single_row) {
  if (session == nullptr) return Unavailable("the session with PostgreSQL is closed");
  idle = false;
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  if (pq.send_query(session, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr,
                    0) != 1)
    return SessionError();
  if (single_row && pq.single_row(session) != 1) return SessionError();
  for (;;) {
    const int left = pq.flush(session);
    if (left == 0) return OkStatus();
    if (left < 0) return SessionError();
    WALRIG_TRY(Wait(ctx, POLLOUT | POLLIN, ctx.deadline_ns));
    if (pq.consume_input(session) != 1) return SessionError();
  }
}

Result<PGresult*> Connection::Impl::NextResult(const Context& ctx, uint64_t until_ns) {
  while (pq.is_busy(session) != 0) {
    WALRIG_TRY(Wait(ctx, POLLIN, until_ns));
    if (pq.consume_input(session) != 1) return SessionError();
  }
  return pq.get_result(session);
}

Status Connection::Impl::Receive(const Context& ctx, const EachRow& each, QueryResult* all) {
  Status outcome;
  for (;;) {
    WALRIG_ASSIGN(PGresult * result, NextResult(ctx, ctx.deadline_ns));
    if (result == nullptr) {
      idle = true;
      return outcome;
    }
    const ExecStatusType state = pq.result_status(result);
    if (state == PGRES_SINGLE_TUPLE) {
      if (outcome.ok()) outcome = each(Rows(result));
    } else if (state == PGRES_TUPLES_OK) {
      if (all != nullptr) *all = Rows(result);
    } else if (state != PGRES_COMMAND_OK) {
      if (outcome.ok()) outcome = ResultError(result);
    }
    pq.clear(result);
    if (pq.status(session) == CONNECTION_BAD) return outcome.ok() ? SessionError() : outcome;
    if (!outcome.ok() && state == PGRES_SINGLE_TUPLE) return outcome;  // the caller cancels what is left
  }
}

void Connection::Impl::CancelQuery() {
  if (session == nullptr || pq.status(session) == CONNECTION_BAD) return Close();
  PGcancel* cancel = pq.get_cancel(session);
  char error[256];
  const bool asked = cancel != nullptr && pq.cancel(cancel, error, sizeof error) == 1;
  if (cancel != nullptr) pq.free_cancel(cancel);
  if (!asked) return Close();
  pollfd fd = {pq.socket(session), POLLIN, 0};
  for (;;) {
    while (pq.is_busy(session) != 0) {
      const int ready = poll(&fd, 1, static_cast<int>(kCancelWaitNs / 1'000'000));
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0 || pq.consume_input(session) != 1) return Close();
    }
    PGresult* result = pq.get_result(session);
    if (result == nullptr) break;
    pq.clear(result);
  }
  idle = true;
}

Connection::Connection(std::unique_ptr<Impl> impl, ConnectOptions options, int server_version)
    : impl_(std::move(impl)), options_(std::move(options)), server_version_(server_version) {}

Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::Open(const Context& ctx, const ConnectOptions& options) {
  auto impl = std::make_unique<Impl>();
  WALRIG_ASSIGN(impl->pq, BindLibpq(impl->library));
  uint64_t timeout_s = options.connect_timeout_s;
  if (const char* text = std::getenv("PGCONNECT_TIMEOUT"))
    if (Result<uint64_t> wanted = ParseUint(text); wanted.ok() && *wanted > 0) timeout_s = std::min<uint64_t>(*wanted, 3600);
  Status first;
  for (const Parameters& parameters : Attempts(options)) {
    WALRIG_TRY(ctx.Poll());
    Status status = impl->Connect(ctx, parameters, timeout_s * kNsPerS);
    if (status.ok()) {
      ConnectOptions worked = options;
      worked.parameters = parameters;
      std::erase_if(worked.parameters, [](const auto& p) {
        return p.first == "dbname" || p.first == "fallback_application_name" || p.first == "client_encoding";
      });
      const int version = impl->pq.server_version(impl->session);
      return std::unique_ptr<Connection>(new Connection(std::move(impl), std::move(worked), version));
    }
    if (status.code() == Code::kCancelled) return status;
    if (first.ok()) first = std::move(status);
  }
  return first;
}

Result<QueryResult> Connection::Query(const Context& ctx, const std::string& sql,
                                      std::span<const std::string> parameters) {
  QueryResult all;
  impl_->log = ctx.log;
  Status status = impl_->Send(ctx, sql, parameters, false);
  if (status.ok()) status = impl_->Receive(ctx, {}, &all);
  if (!impl_->idle) impl_->CancelQuery();
  impl_->log = nullptr;
  if (!status.ok()) return status;
  return all;
}

Status Connection::QueryEach(const Context& ctx, const std::string& sql, std::span<const std::string> parameters,
                             const EachRow& each) {
  impl_->log = ctx.log;
  Status status = impl_->Send(ctx, sql, parameters, true);
  if (status.ok()) status = impl_->Receive(ctx, each, nullptr);
  if (!impl_->idle) impl_->CancelQuery();
  impl_->log = nullptr;
  return status;
}

}  // namespace walrig
