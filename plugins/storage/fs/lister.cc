#include "plugins/storage/fs/lister.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "plugins/storage/fs/folder.h"
#include "plugins/storage/fs/names.h"

namespace walrig::fs {
namespace {

// Page tokens: the last entry given, and what it was.
constexpr char kAfterKey = 'k';
constexpr char kAfterPrefix = 'p';

}  // namespace

Lister::Lister(const Context& ctx, const Tree& tree, const ListOptions& options)
    : ctx_(ctx),
      tree_(tree),
      options_(options),
      count_max_(std::max<size_t>(options.keys_max, 1)),
      after_(options.start_after) {}

Result<ListPage> Lister::List(const Context& ctx, const Tree& tree, const ListOptions& options) {
  Lister lister(ctx, tree, options);
  WALRIG_TRY(lister.UseToken());
  const size_t slash = options.prefix.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : options.prefix.substr(0, slash + 1);
  // No object can have such a name, so there is nothing below it, and "../" must not be opened.
  if (!folder.empty() && !CheckKey(folder + "x").ok()) return std::move(lister.page_);
  Result<bool> room = lister.Walk(folder);
  if (!room.ok() && room.status().code() != Code::kNotFound) return std::move(room).status();
  return std::move(lister.page_);
}

Status Lister::UseToken() {
  const std::string& token = options_.page_token;
  if (token.empty()) return OkStatus();
  if (token[0] != kAfterKey && token[0] != kAfterPrefix) return InvalidArgument("list: unknown page token");
  const std::string last = token.substr(1);
  if (last > after_) after_ = last;
  if (token[0] == kAfterPrefix) skip_prefix_ = last;
  return OkStatus();
}

Result<bool> Lister::Walk(const std::string& folder) {
  WALRIG_ASSIGN(const Fd folder_fd, tree_.OpenFolder(folder.empty() ? folder : folder.substr(0, folder.size() - 1)));
  std::string after;
  while (true) {
    WALRIG_ASSIGN(const std::vector<Entry> entries, Smallest(folder_fd.get(), folder, after));
    for (const Entry& entry : entries) {
      WALRIG_ASSIGN(const bool room, Visit(folder_fd.get(), folder, entry));
      if (!room) return false;
    }
    if (entries.size() <= count_max_) return true;
    after = entries.back().name;
  }
}

Result<bool> Lister::Visit(int folder_fd, const std::string& folder, const Entry& entry) {
  ObjectInfo info;
  info.key = folder + entry.name;
  const size_t prefix_bytes = options_.prefix.size();
  if (entry.is_folder) {
    if (options_.delimiter == "/" && info.key.size() > prefix_bytes) {
      WALRIG_ASSIGN(info.is_prefix, HasObject(info.key));
      return !info.is_prefix || Add(std::move(info));
    }
    Result<bool> room = Walk(info.key);
    if (!room.ok() && room.status().code() == Code::kNotFound) return true;
    return room;
  }
  if (!options_.delimiter.empty()) {
    if (const size_t at = info.key.find(options_.delimiter, prefix_bytes); at != std::string::npos) {
      info.key.resize(at + options_.delimiter.size());
      info.is_prefix = true;
      const bool again = !page_.entries.empty() && page_.entries.back().key == info.key;
      return again || Add(std::move(info));
    }
  }
  struct stat s{};
  if (::fstatat(folder_fd, entry.name.c_str(), &s, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return true;
    return ErrnoStatus(errno, "stat object " + info.key);
  }
  if (!S_ISREG(s.st_mode)) return true;
  info.size_bytes = static_cast<uint64_t>(s.st_size);
  info.mtime_ns = MtimeNs(s);
  info.etag = EtagOf(s);
  return Add(std::move(info));
}

bool Lister::Add(ObjectInfo info) {
  if (page_.entries.size() < count_max_) {
    page_.entries.push_back(std::move(info));
    return true;
  }
  // One more than fits: so there is another page.
  const ObjectInfo& last = page_.entries.back();
  page_.next_page_token = (last.is_prefix ? kAfterPrefix : kAfterKey) + last.key;
  return false;
}

Result<std::vector<Lister::Entry>> Lister::Smallest(int folder_fd, const std::string& folder, std::string_view after) {
  std::vector<Entry> heap;  // the greatest of those kept stands first
  const size_t kept_max = count_max_ + 1;
  WALRIG_TRY(Scan(folder_fd, folder, [&](Entry&& entry) {
    if (!after.empty() && entry.name <= after) return true;
    if (heap.size() == kept_max) {
      if (!(entry < heap.front())) return true;
      std::pop_heap(heap.begin(), heap.end());
      heap.pop_back();
    }
    heap.push_back(std::move(entry));
    std::push_heap(heap.begin(), heap.end());
    return true;
  }));
  std::sort_heap(heap.begin(), heap.end());
  return heap;
}

template <typename Use>
Status Lister::Scan(int folder_fd, const std::string& folder, Use use) {
  return ForEachEntry(ctx_, folder_fd, folder, [&](const dirent& found, unsigned char type) {
    if (type == DT_LNK && !warned_of_link_) {
      warned_of_link_ = true;
      ctx_.log->Write(LogLevel::kWarning, "storage/fs",
                      "not following the symbolic link " + folder + found.d_name + " in the storage's directory");
    }
    if ((type != DT_REG && type != DT_DIR) || (type == DT_REG && IsTempName(found.d_name))) return true;
    Entry entry{found.d_name, type == DT_DIR};
    if (entry.is_folder) entry.name += '/';
    return !Wanted(folder, entry) || use(std::move(entry));
  });
}

// Compares without putting the key together: a folder may have very many names.
bool Lister::Wanted(const std::string& folder, const Entry& entry) const {
  const std::string_view name = entry.name;
  if (folder.size() + name.size() > kKeyBytesMax) return false;
  // What is left of `text` below this folder; `inside` tells whether it reaches here at all.
  const auto below = [&folder](const std::string& text, bool* inside) {
    *inside = text.size() > folder.size() && text.compare(0, folder.size(), folder) == 0;
    return *inside ? std::string_view(text).substr(folder.size()) : std::string_view();
  };
  bool inside = false;
  const std::string_view prefix = below(options_.prefix, &inside);
  // The walk begins in the prefix's folder, so outside of it means that all of this folder matches.
  if (inside && !name.starts_with(prefix)) return false;
  const std::string_view after = below(after_, &inside);
  if (inside && name <= after && !(entry.is_folder && after.starts_with(name))) return false;
  if (!inside && after_ >= folder && after_ != folder) return false;
  if (skip_prefix_.empty()) return true;
  const std::string_view skip = below(skip_prefix_, &inside);
  return !(inside && name.starts_with(skip));
}

Result<bool> Lister::HasObject(const std::string& folder) {
  std::vector<std::string> folders;
  bool found = false;
  {
    Result<Fd> fd = tree_.OpenFolder(folder.substr(0, folder.size() - 1));
    if (!fd.ok()) {
      if (fd.status().code() == Code::kNotFound) return false;
      return std::move(fd).status();
    }
    WALRIG_TRY(Scan(fd->get(), folder, [&](Entry&& entry) {
      found = !entry.is_folder;
      if (entry.is_folder) folders.push_back(std::move(entry.name));
      return !found;
    }));
  }
  for (size_t i = 0; i < folders.size() && !found; ++i) {
    WALRIG_ASSIGN(found, HasObject(folder + folders[i]));
  }
  return found;
}

}  // namespace walrig::fs
