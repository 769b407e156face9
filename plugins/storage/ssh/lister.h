// Lister: one page of names, in byte order of the keys, read from the server's folders.
//
// As storage/fs: a folder is ordered as its name and a '/'; of each folder only the smallest names that can still be on
// the page are kept, so memory is bounded however many objects there are. A folder cannot be read from its middle, and
// over a network reading it anew for each page costs: the names that follow a page are kept in a ListMemory, some 16000
// of one folder, for the call that asks for the next page soon after.
//
// THREADS: one at a time; a ListMemory any number.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/storage/ssh/folders.h"
#include "plugins/storage/ssh/sftp.h"
#include "walrig/storage.h"

namespace walrig::ssh {

// A name within a folder; a folder's own ends in '/', which makes the order of names that of keys.
struct FolderEntry {
  std::string name;
  bool is_folder = false;
  uint64_t size_bytes = 0;
  int64_t mtime_ns = kUnknownTime;
  bool operator<(const FolderEntry& other) const { return name < other.name; }
};

// What was read of a folder and not given yet.
class ListMemory {
 public:
  struct Names {
    std::string folder, prefix;
    std::string after;                 // all names behind this one, up to the last kept
    std::vector<FolderEntry> entries;  // sorted
    bool whole = false;                // nothing of the folder follows them
    bool temporary = false;
    uint64_t read_ms = 0;
  };
  void Put(Names names);
  // Those of the folder, if they were kept and cover what follows `after`; empty otherwise.
  Names Take(const std::string& folder, const std::string& prefix, std::string_view after, bool temporary);

 private:
  std::mutex mutex_;
  Names names_;
};

class Lister {
 public:
  enum class Kind { kObjects, kTemporary };

  Lister(const Context& ctx, Sftp& sftp, const Folders& folders, ListMemory& memory, const ListOptions& options,
         Kind kind);
  // FAILS WITH: kInvalidArgument for a page token that Page did not give; kConfig when the storage's root is not there.
  Result<ListPage> Page();

 private:
  Status UseToken();
  Status AbsentIsEmpty(Status status);
  // Lists what is in `folder`, "" or "a/b/". The answer: has the page room for more?
  Result<bool> Walk(const std::string& folder);
  Result<bool> Visit(const std::string& folder, const FolderEntry& entry);
  // The smallest wanted entries that come after `after`, sorted, and whether these are all.
  Result<std::vector<FolderEntry>> Smallest(const std::string& folder, const std::string& after, bool* whole);
  // Calls `use` for each entry that can be, or hold, something wanted, in no order, until it says false.
  Status Scan(const std::string& folder, const std::function<bool(FolderEntry&&)>& use);
  Status ScanHandle(const std::string& folder, const std::string& handle,
                    const std::function<bool(FolderEntry&&)>& use);
  Result<bool> UseNames(const std::string& folder, std::vector<NamedEntry> names,
                        const std::function<bool(FolderEntry&&)>& use);
  bool Wanted(const std::string& folder, const FolderEntry& entry) const;
  std::string AfterIn(const std::string& folder) const;
  Result<bool> HasObject(const std::string& folder);
  bool Add(ObjectInfo info);

  const Context& ctx_;
  Sftp& sftp_;
  const Folders& folders_;
  ListMemory& memory_;
  const ListOptions& options_;
  const Kind kind_;
  size_t count_max_;
  std::string after_;        // only keys greater than this
  std::string skip_prefix_;  // and none that begins with this: a common prefix that was already given
  bool warned_of_link_ = false;
  bool kept_ = false;  // names of the innermost folder are in memory_
  ListPage page_;
};

}  // namespace walrig::ssh
