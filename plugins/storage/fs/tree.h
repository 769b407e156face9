// Tree: the storage's directory: making folders so that they last, and removing those that became empty.
//
// A new folder's entry is synced in its parent before any object in it counts as committed: otherwise a power loss
// could take the folder, and with it an object that was reported safe (WAL-G does not sync the parent).
//
// OWNS: the descriptor of the root. THREADS: any number at once.
#pragma once

#include <shared_mutex>
#include <string>

#include "plugins/storage/fs/posix.h"
#include "walrig/result.h"

namespace walrig::fs {

class Tree {
 public:
  // `root` is an open directory, `sync` whether anything is made durable at all.
  Tree(Fd root, bool sync) : root_(std::move(root)), sync_(sync) {}

  int root() const noexcept { return root_.get(); }
  bool sync() const noexcept { return sync_; }

  // Opens the folder ("" is the root) for reading and as a base of *at calls. FAILS WITH: kNotFound, also when a part
  // of it is no directory.
  Result<Fd> OpenFolder(const std::string& folder) const;

  // The same, making what is missing. FAILS WITH: kNameInvalid when an object stands where a folder is needed.
  Result<Fd> MakeFolder(const std::string& folder);

  // While held, no thread of this process prunes; taken from making a folder to making a file in it. Other processes
  // may prune all the same, so the making of a file is tried again.
  std::shared_lock<std::shared_mutex> HoldFolders() { return std::shared_lock(prune_mutex_); }

  // Waits until folders that other threads are making were synced. Called before an object in one of them is reported
  // as committed. FAILS WITH: the error of a folder that could not be synced and could not be taken away again either.
  Status AwaitFolders();

  // Removes the folder and its parents as far as they are empty; never the root. Returns the first that stayed. No
  // error is reported: somebody may be putting an object there right now, and then the folder stays.
  std::string PruneFolder(const std::string& folder);

 private:
  Status MakeMissing(const std::string& folder);

  Fd root_;
  bool sync_;
  // Held exclusively from mkdir to the sync of its parent, so across IO, on purpose: a thread that finds the folder
  // already there must not report its object safe before the folder is.
  std::shared_mutex folders_mutex_;
  Status unsynced_;  // guarded by folders_mutex_; stays: nobody can say any more what is on the disk
  // Taken before folders_mutex_.
  std::shared_mutex prune_mutex_;
};

}  // namespace walrig::fs
