#include "core/backup/server.h"

#include <utility>

namespace walrig {
namespace {

// How long an interrupted backup may take to be ended on the server before its session is simply closed.
constexpr uint64_t kAbortWaitNs = 5'000'000'000;

class LibpqBackupServer final : public BackupServer {
 public:
  explicit LibpqBackupServer(std::unique_ptr<Connection> session) : session_(std::move(session)) {}

  Result<ServerInfo> Info(const Context& ctx) override { return QueryServerInfo(ctx, *session_); }

  Result<BackupStart> Start(const Context& ctx, const std::string& label) override {
    // Unknown outcomes count as begun: Abort then closes the session.
    begun_ = true;
    Result<BackupStart> start = StartBackup(ctx, *session_, label);
    return start;
  }

  Status Ping(const Context& ctx) override { return session_->Query(ctx, "SELECT 1").status(); }

  Result<BackupStop> Stop(const Context& ctx, const StopBackupOptions& options) override {
    Result<BackupStop> stop = StopBackup(ctx, *session_, options);
    if (stop.ok()) begun_ = false;
    return stop;
  }

  void Abort(const Context& ctx) noexcept override {
    if (session_ == nullptr) return;
    if (begun_) {
      Context quick = ctx;
      quick.stop = StopToken();
      quick.deadline_ns = ctx.clock->MonotonicNs() + kAbortWaitNs;
      Stop(quick, {.wait_for_archive = false, .timeout_ms = kAbortWaitNs / 1'000'000})
          .status()
          .Ignore("closing the session ends the backup, too");
    }
    session_.reset();
    begun_ = false;
  }

  Result<uint32_t> Timeline(const Context& ctx) override { return QueryTimeline(ctx, *session_); }
  Result<bool> InRecovery(const Context& ctx) override { return QueryInRecovery(ctx, *session_); }
  Result<ArchiverStats> Archiver(const Context& ctx) override { return QueryArchiver(ctx, *session_); }
  Result<std::vector<DatabaseName>> Databases(const Context& ctx) override { return QueryDatabases(ctx, *session_); }

  Status EachRelation(const Context& ctx, const DatabaseName& database,
                      const std::function<Status(RelationFile)>& each) override {
    ConnectOptions options = session_->options();
    options.database = database.name;
    WALRIG_ASSIGN(auto session, Connection::Open(ctx, options));
    return QueryRelations(ctx, *session, each);
  }

 private:
  std::unique_ptr<Connection> session_;
  bool begun_ = false;
};

}  // namespace

Result<std::unique_ptr<BackupServer>> ConnectBackupServer(const Context& ctx, const ConnectOptions& options) {
  WALRIG_ASSIGN(auto session, Connection::Open(ctx, options));
  return std::unique_ptr<BackupServer>(std::make_unique<LibpqBackupServer>(std::move(session)));
}

}  // namespace walrig
