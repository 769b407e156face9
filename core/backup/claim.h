// NameClaim: which of two backup-push runs may write a backup's folder.
//
// A backup's name comes from the start of its WAL. Two runs get the same one when two standbys (or two sessions of one
// server) begin between the same two checkpoints. Both would write part_001 into one folder, and the later would take
// the parts of the earlier for what an interrupted run left. So a run puts its claim into <backup>/walrig.claim first:
// its token, and which process it is.
//
// Where the storage can put an object only if it is absent, the first claim holds: a second run gives up before it has
// written anything. A claim whose process is known to be gone is what a killed run left, and is taken over. Where the
// storage cannot, the last claim holds, and whoever finds another token gives up without touching anything.
//
// The claim goes when the sentinel is there. What is emptied, and when, hangs on it; so it is done here.
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
  // What lies under key() while the claim is ours.
  const std::string& text() const { return text_; }

  // FAILS WITH: kConflict when another run has the folder and is not known to be gone.
  Status Take(const Context& ctx);
  // Whether our token lies there. FAILS WITH: what reading fails with; an absent one is simply not ours.
  Result<bool> IsOurs(const Context& ctx) const;
  // FAILS WITH: kConflict when it is not ours, else as IsOurs.
  Status Check(const Context& ctx) const;
  Status Remove(const Context& ctx);

  // Deletes what an interrupted backup left in the folder, and says so: a stale part among ours would be restored with
  // them. REQUIRES: Take.
  Status ClearFolder(const Context& ctx);
  // Deletes the whole folder where the claim is still ours, the claim included, and before it the sentinel where that
  // holds `our_sentinel` ("": none was put). False when the folder is another run's, or when a sentinel of this name
  // stands: then nothing is deleted, since parts below a sentinel are a backup's. FAILS WITH: what the storage fails with;
  // then objects may be left.
  Result<bool> GiveUp(const Context& ctx, const std::string& our_sentinel);

 private:
  Status TakeIfAbsent(const Context& ctx);
  Status RefuseUnlessGone(const Context& ctx, const std::string& found) const;

  Storage& storage_;
  const std::string key_;
  const std::string backup_name_;
  const std::string text_;
};

// Whether `key` holds exactly `text`; false when it is absent. FAILS WITH: what reading fails with.
Result<bool> HoldsText(const Context& ctx, Storage& storage, const std::string& key, const std::string& text);

}  // namespace walrig
