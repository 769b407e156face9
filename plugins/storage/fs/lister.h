// Lister: one page of names, in byte order of the keys, straight from the directories.
//
// Byte order of keys is not that of names: "a.txt" comes before "a/b". So a folder is ordered as its name and a '/'.
// Of each folder on the path only the names that can still be on the page are kept, so memory is bounded by keys_max
// however many objects there are; each page reads its folders anew. A folder that vanishes meanwhile is empty.
// Temporary files (walrig's and WAL-G's), symbolic links and everything else that is neither file nor folder are not
// objects; a folder without an object is no common prefix.
//
// THREADS: one at a time. The tree must outlive it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugins/storage/fs/tree.h"
#include "walrig/storage.h"

namespace walrig::fs {

class Lister {
 public:
  // FAILS WITH: kInvalidArgument for a page token that List did not give.
  static Result<ListPage> List(const Context& ctx, const Tree& tree, const ListOptions& options);

 private:
  // A name within a folder; a folder's own ends in '/', which makes the order of names that of keys.
  struct Entry {
    std::string name;
    bool is_folder = false;
    bool operator<(const Entry& other) const { return name < other.name; }
  };

  Lister(const Context& ctx, const Tree& tree, const ListOptions& options);

  Status UseToken();
  // Lists what is in `folder`, "" or "a/b/". The answer: has the page room for more?
  Result<bool> Walk(const std::string& folder);
  Result<bool> Visit(int folder_fd, const std::string& folder, const Entry& entry);
  // The `count_max_` smallest wanted entries that come after `after`, sorted.
  Result<std::vector<Entry>> Smallest(int folder_fd, const std::string& folder, std::string_view after);
  // Calls `use(Entry&&)` for each entry that can be, or hold, something wanted, in no order, until it says false.
  template <typename Use>
  Status Scan(int folder_fd, const std::string& folder, Use use);
  bool Wanted(const std::string& folder, const Entry& entry) const;
  Result<bool> HasObject(const std::string& folder);
  bool Add(ObjectInfo info);

  const Context& ctx_;
  const Tree& tree_;
  const ListOptions& options_;
  size_t count_max_;
  std::string after_;        // only keys greater than this
  std::string skip_prefix_;  // and none that begins with this: a common prefix that was already given
  bool warned_of_link_ = false;
  ListPage page_;
};

}  // namespace walrig::fs
