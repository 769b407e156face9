// What a backup is made of, proven by its seal where it has one.
//
// A seal is checked before anything of the backup is used: walrig.json and the sentinel here, the documents that are
// streamed by ObjectReader when it is given the seal. THREADS: functions without state.
#pragma once

#include <optional>
#include <string>

#include "core/catalog/backup_objects.h"
#include "core/catalog/backups.h"
#include "core/catalog/codec_source.h"
#include "core/layout/proof.h"
#include "core/layout/seal.h"
#include "walrig/storage.h"

namespace walrig {

struct ProvenBackup {
  std::optional<Proof> proof;        // none when WAL-G wrote the backup
  std::optional<Seal> seal;
  std::optional<Sentinel> sentinel;  // with a seal: read again and proven; use this one
  bool seal_is_lost = false;         // walrig.json speaks of a seal that is not there
};

// Reads walrig.json and the seal of `entry`, and holds them against each other, the listing, sentinel and metadata. Tars that
// walrig.json does not list are taken out of `objects` (SetAsideUnlisted); in a sealed backup they are an error.
// FAILS WITH: kCorruption naming the document or object that is not the sealed one, or kCorruption when there is no seal and
// codecs.seal_required(); what opening the seal fails with (kPermission for a wrong or missing key).
Result<ProvenBackup> ProveBackup(const Context& ctx, Storage& storage, CodecProvider& codecs, const BackupEntry& entry,
                                 BackupObjects* objects);

}  // namespace walrig
