// What a restored directory needs besides its files: recovery settings, and a manifest that tells the truth about it.
//
// THREADS: functions without state.
#pragma once

#include "core/backup/fetch.h"
#include "core/pgdata/file_unwrap.h"
#include "core/postgres/backup_manifest.h"
#include "core/postgres/recovery_conf.h"

namespace walrig {

// Checked translation of what the user asked for. FAILS WITH: kInvalidArgument.
Result<RecoverySettings> RecoverySettingsOf(const RecoveryOptions& options);

// Appends the settings to postgresql.auto.conf (pg_verifybackup does not look at it) and creates recovery.signal. A
// symbolic link in the place of one of them gives way to the file: where it leads is no part of the restore.
Status WriteRecoveryFiles(const Context& ctx, TreeWriter& tree, const RecoverySettings& settings);

// Copies a manifest from `source` to backup_manifest. With `dropped`, a path, the entry of that file is left out, and the
// manifest gets a new checksum. `info` is what an earlier reading of the same manifest said.
Status WriteManifest(const Context& ctx, Source& source, const BackupManifestInfo& info, std::string_view dropped,
                     TreeWriter& tree);

}  // namespace walrig
