// Folders: the storage's place on the server: names below it, folders made and removed, errors told apart.
//
// Making a folder syncs its parent where the server can sync, before any object in it counts as stored. Symbolic links on
// the way to an object are followed by the server: SFTP cannot forbid it.
//
// THREADS: any number at once.
#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "plugins/storage/ssh/sftp.h"

namespace walrig::ssh {

class Folders {
 public:
  // `root` is absolute; it is made with the first object. `sync`: make durable what the server can.
  Folders(std::string root, bool sync) : root_(std::move(root)), sync_(sync) {}

  bool sync() const noexcept { return sync_; }
  // "" is the root.
  std::string PathOf(std::string_view key) const;

  // What is there, links not followed. FAILS WITH: kNotFound.
  Result<Attributes> Look(const Context& ctx, Sftp& sftp, std::string_view key) const;

  // For what was looked for and is kNotFound: whether it is that, below a root that is there. Another `status` stays.
  // FAILS WITH: kConfig when the root is not there: then its disk may not be mounted, and the archive is no empty one.
  Status ConfirmAbsent(const Context& ctx, Sftp& sftp, Status status) const;

  // Makes the folder and those above it. FAILS WITH: kNameInvalid when an object stands in the way.
  Status Make(const Context& ctx, Sftp& sftp, const std::string& folder);
  // Until folders that other threads are making were synced, and those whose making broke off. Called before an object in
  // one counts as stored.
  Status Await(const Context& ctx, Sftp& sftp);

  // Removes the folder and those above as far as they are empty; never the root. Returns the first that stayed.
  std::string Prune(const Context& ctx, Sftp& sftp, const std::string& folder) const;

  // Syncs a folder's entries. OK where the server cannot: then nothing is promised beyond its own habits. FAILS WITH: what
  // the server says where it can; kUnavailable, kTimeout when the connection breaks.
  Status Sync(const Context& ctx, Sftp& sftp, const std::string& folder);

  // SFTP has one code for a full disk, a read-only one and much else: asks the server which it is.
  Status Explain(const Context& ctx, Sftp& sftp, Status status) const;

 private:
  Result<Fx> MakeOne(const Context& ctx, Sftp& sftp, const std::string& path);
  Status MakeWithParents(const Context& ctx, Sftp& sftp, const std::string& path);
  Status SyncLeft(const Context& ctx, Sftp& sftp);

  const std::string root_;
  const bool sync_;
  // Held from mkdir to the sync of its parent, so across IO, on purpose: a thread that finds the folder already there
  // must not report its object safe before the folder is.
  std::timed_mutex making_;
  // Folders in which one was made, or may have been, whose sync nobody has seen. Guarded by making_.
  std::set<std::string> unsynced_;
  std::atomic<bool> opens_folders_{false};  // the server does: one that it does not open is an error
};

}  // namespace walrig::ssh
