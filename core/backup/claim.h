// NameClaim: which of two backup-push runs may write a backup's folder.
//
// A backup's name comes from the start of its WAL. Two runs get the same one when two standbys (or two sessions of one
// server) begin between the same two checkpoints. Both would write part_001 into one folder, and the later would take
// the parts of the earlier for what an interrupted run left. So a run puts its token into <backup>/walrig.claim first;
// the last one to do so owns the folder, and whoever finds another token there gives up without touching anything. The
// token goes when the sentinel is there. What is emptied, and when, hangs on that token; so it is done here.
//
// THREADS: one at a time.
#pragma once

#include <string>

#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/storage.h"

namespace walrig {

class NameClaim {
 public:
  // With a token of its own. `storage` must outlive it.
  NameClaim(Storage& storage, const std::string& backup_name);

  const std::string& key() const { return key_; }
  // Takes the folder over, whoever has it.
  Status Take(const Context& ctx);
  // Whether our token lies there. FAILS WITH: what reading fails with; an absent one is simply not ours.
  Result<bool> IsOurs(const Context& ctx) const;
  // FAILS WITH: kConflict when it is not ours, else as IsOurs.
  Status Check(const Context& ctx) const;
  Status Remove(const Context& ctx);

  // Deletes what an interrupted backup left in the folder, and says so: a stale part among ours would be restored with
  // them. REQUIRES: Take.
  Status ClearFolder(const Context& ctx);
  // Deletes the whole folder where the claim is still ours, the claim included, and before it the sentinel where that may
  // be ours too: without it nobody takes what is left for a backup. False when another run has the folder: it is as it
  // was. FAILS WITH: what the storage fails with; then objects may be left.
  Result<bool> GiveUp(const Context& ctx, bool sentinel_may_be_ours);

 private:
  Storage& storage_;
  const std::string key_;
  const std::string backup_name_;
  const std::string token_;
};

}  // namespace walrig
