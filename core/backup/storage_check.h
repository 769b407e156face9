// Whether a storage is the right place for the backups of a cluster.
//
// THREADS: functions without state.
#pragma once

#include <cstdint>
#include <string>

#include "core/backup/push.h"
#include "core/pgdata/file_set.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

// Before a backup begins: the storage does not lie in the cluster, and its latest backup is of this cluster; so of each
// other storage that may hold its WAL, where it can be asked. Says what killed runs left.
// FAILS WITH: kInvalidArgument, kPreconditionFailed, what listing fails with.
Status CheckStorage(const Context& ctx, const BackupPushOptions& options, const BackupPushDeps& deps,
                    const std::string& data_directory, uint64_t system_identifier);

// Looks whether the latest backup in the storage is of this cluster: two clusters under one prefix overwrite each other's
// WAL. A backup that does not say whose it is says nothing.
// FAILS WITH: kPreconditionFailed unless `allowed`, what listing fails with.
Status CheckSameCluster(const Context& ctx, Storage& storage, uint64_t system_identifier, bool allowed);

// After the walk: where it met this run's own claim the storage lies in the cluster, whatever mounts and hosts are between.
// FAILS WITH: kInvalidArgument.
Status CheckNotPacked(const FileSet& files, const std::string& claim_text);

}  // namespace walrig
