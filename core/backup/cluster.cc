#include "core/backup/cluster.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "core/base/errno_status.h"
#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/postgres/data_dir.h"
#include "core/postgres/version.h"

namespace walrig {
namespace {

constexpr int kControlReadsMax = 20;
constexpr uint64_t kControlPauseNs = 5'000'000;

Result<std::string> RealPath(const std::string& path) {
  std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr), &std::free);
  if (!real) return ErrnoStatus(errno, "resolve " + path);
  return std::string(real.get());
}

Status OwnerHint(Status status) {
  return std::move(status).Hint("run walrig as the user that owns the data directory");
}

}  // namespace

Result<std::string> ReadControlFile(const Context& ctx, const std::string& data_directory, ControlData* parsed) {
  const std::string path = data_directory + "/" + std::string(kControlFilePath);
  for (int round = 1;; ++round) {
    Result<std::string> bytes = ReadWholeFile(path, kControlFileBytes);
    if (!bytes.ok()) return OwnerHint(std::move(bytes).status());
    Result<ControlData> control = ParseControlFile(AsBytes(*bytes));
    if (control.ok()) {
      *parsed = *control;
      return bytes;
    }
    if (round == kControlReadsMax || control.status().code() == Code::kNotSupported)
      return std::move(control).status().With(path);
    ctx.clock->SleepNs(kControlPauseNs, ctx.stop.fd());
    WALRIG_TRY(ctx.Poll());
  }
}

Result<Cluster> LookAtCluster(const Context& ctx, BackupServer& server, const std::string& data_directory,
                              uint64_t wal_segment_bytes) {
  Cluster cluster;
  WALRIG_ASSIGN(cluster.server, server.Info(ctx));
  WALRIG_TRY(CheckSupported(PgVersion{cluster.server.version}));
  Result<std::string> given = RealPath(data_directory);
  if (!given.ok()) return std::move(given).status().Hint("run walrig where the server's files are, as their owner");
  Result<std::string> shown = RealPath(cluster.server.data_directory);
  if (!shown.ok() || *shown != *given)
    return InvalidArgument(fmt::format("the data directory of the command line, '{}', is not that of the server, '{}'",
                                       *given, cluster.server.data_directory))
        .Hint("give the server's data directory, or set PGHOST and PGPORT to the server that you mean");
  cluster.data_directory = *given;
  WALRIG_TRY(OwnerHint(ReadWholeFile(*given + "/" + std::string(kPgVersionName), 64).status()));
  WALRIG_TRY(ReadControlFile(ctx, *given, &cluster.control).status());
  if (cluster.control.system_identifier != cluster.server.system_identifier)
    return InvalidArgument(fmt::format("the server's system identifier is {}, but that in {}/{} is {}",
                                       cluster.server.system_identifier, *given, kControlFilePath,
                                       cluster.control.system_identifier))
        .Hint("the server that answers runs on another host, or in another container, than these files");
  if (wal_segment_bytes != 0 && wal_segment_bytes != cluster.server.wal_segment_bytes)
    return ConfigError(fmt::format("WALG_PG_WAL_SIZE says {}, but the server's WAL segments have {}",
                                   FormatBytes(wal_segment_bytes), FormatBytes(cluster.server.wal_segment_bytes)))
        .Hint("unset WALG_PG_WAL_SIZE: walrig asks the server");
  return cluster;
}

}  // namespace walrig
