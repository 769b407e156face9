// NameClaim: which of two backup-push runs may write a backup's folder.
//
// A backup's name comes from the start of its WAL. Two runs get the same one when two standbys (or two sessions of one
// server) begin between the same two checkpoints. Both would write part_001 into one folder, and the later would take
// the parts of the earlier for what an interrupted run left. So a run puts its token into <backup>/walrig.claim first;
// the last one to do so owns the folder, and whoever finds another token there gives up without touching anything. The
// token goes when the sentinel is there.
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

 private:
  Storage& storage_;
  const std::string key_;
  const std::string backup_name_;
  const std::string token_;
};

}  // namespace walrig
