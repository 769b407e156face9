// What the target of a transfer or a copy has already: whether an object is the same, and whether the folder of a backup holds
// that backup and nothing else.
//
// THREADS: functions without state; they return after their threads have ended.
#pragma once

#include <string>
#include <vector>

#include "core/pipeline/codec.h"
#include "core/st/transfer.h"
#include "walrig/storage.h"

namespace walrig {

// How the bytes of both sides are read for the comparison; nothing: as they are stored.
struct SameAs {
  Cipher* source = nullptr;
  Cipher* target = nullptr;
};
// Whether the target has the object of this name with the same content. Both are read, unless their sizes tell already. What
// the target has and cannot be decoded is another object. FAILS WITH: what reading fails with.
Result<bool> SameObject(const Context& ctx, Storage& source, Storage& target, const ObjectInfo& object, const SameAs& as = {});

// The same for all of `objects`.
Result<bool> SameObjects(const Context& ctx, Storage& source, Storage& target, const std::vector<ObjectInfo>& objects,
                         const TransferOptions& options);

// Before a sentinel is put on top: what the target has in the backup's folder beside `parts` is of another backup, or of one
// that nobody finished. It is deleted with `may_delete`. FAILS WITH: kConflict without; and always when a backup-push claims
// the folder.
Status ClearStrangers(const Context& ctx, Storage& target, const std::string& backup, const std::vector<ObjectInfo>& parts,
                      bool may_delete);

}  // namespace walrig
