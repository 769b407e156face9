// BackupServer: what backup-push asks of the server, as an interface, so that tests need none.
//
// The libpq implementation keeps one session from Start to Stop: PostgreSQL ties a non-exclusive backup to it.
//
// THREADS: one at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/postgres/queries.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

class BackupServer {
 public:
  virtual ~BackupServer() = default;
  virtual Result<ServerInfo> Info(const Context& ctx) = 0;
  virtual Result<BackupStart> Start(const Context& ctx, const std::string& label) = 0;
  virtual Status Ping(const Context& ctx) = 0;
  virtual Result<BackupStop> Stop(const Context& ctx, const StopBackupOptions& options) = 0;
  // Ends a begun backup whatever happens: asks the server, and closes the session when it does not answer in time.
  // Harmless when none was begun. After it only destruction is allowed.
  virtual void Abort(const Context& ctx) noexcept = 0;
  virtual Result<uint32_t> Timeline(const Context& ctx) = 0;
  virtual Result<bool> InRecovery(const Context& ctx) = 0;
  virtual Result<ArchiverStats> Archiver(const Context& ctx) = 0;
  virtual Result<std::vector<DatabaseName>> Databases(const Context& ctx) = 0;
  // Relations of one database, through a session of its own.
  virtual Status EachRelation(const Context& ctx, const DatabaseName& database,
                              const std::function<Status(RelationFile)>& each) = 0;
};

Result<std::unique_ptr<BackupServer>> ConnectBackupServer(const Context& ctx, const ConnectOptions& options);

}  // namespace walrig
