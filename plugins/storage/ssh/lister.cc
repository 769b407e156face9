#include "plugins/storage/ssh/lister.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "plugins/common/ssh/wait.h"
#include "plugins/storage/fs/names.h"
#include "walrig/sdk/call.h"

namespace walrig::ssh {
namespace {

// Page tokens: the last entry given, and what it was.
constexpr char kAfterKey = 'k';
constexpr char kAfterPrefix = 'p';
constexpr size_t kReadAhead = 4;         // requests for names under way
constexpr size_t kKeptMax = 16'384;      // names of one folder
constexpr uint64_t kKeptMs = 10'000;
constexpr size_t kDepthMax = 512;        // as many parts as a key of 1024 bytes can have

}  // namespace

void ListMemory::Put(Names names) {
  const std::lock_guard lock(mutex_);
  names_ = std::move(names);
}

ListMemory::Names ListMemory::Take(const std::string& folder, const std::string& prefix, std::string_view after,
                                   bool temporary) {
  const std::lock_guard lock(mutex_);
  Names names = std::exchange(names_, Names());
  const bool covers = !names.entries.empty() && names.folder == folder && names.prefix == prefix && names.temporary == temporary &&
                      names.after <= after && MonotonicMs() - names.read_ms < kKeptMs;
  if (!covers) return {};
  std::erase_if(names.entries, [&](const FolderEntry& entry) {
    return entry.name <= after && !(entry.is_folder && after.starts_with(entry.name));
  });
  return names;
}

Lister::Lister(const Context& ctx, Sftp& sftp, const Folders& folders, ListMemory& memory, const ListOptions& options,
               Kind kind)
    : ctx_(ctx),
      sftp_(sftp),
      folders_(folders),
      memory_(memory),
      options_(options),
      kind_(kind),
      count_max_(std::max<size_t>(options.keys_max, 1)),
      after_(options.start_after) {}

Result<ListPage> Lister::Page() {
  WALRIG_TRY(UseToken());
  const size_t slash = options_.prefix.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : options_.prefix.substr(0, slash + 1);
  // No object can have such a name, so there is nothing below it, and "../" must not be opened.
  if (!folder.empty() && !fs::CheckKey(folder + "x").ok()) return std::move(page_);
  Result<bool> room = Walk(folder);
  if (!room.ok()) WALRIG_TRY(AbsentIsEmpty(std::move(room).status()));
  return std::move(page_);
}

// A folder that is not there holds nothing, unless all of the storage is not there.
Status Lister::AbsentIsEmpty(Status status) {
  Status confirmed = folders_.ConfirmAbsent(ctx_, sftp_, std::move(status));
  return confirmed.code() == Code::kNotFound ? OkStatus() : confirmed;
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

std::string Lister::AfterIn(const std::string& folder) const {
  return after_.size() > folder.size() && after_.starts_with(folder) ? after_.substr(folder.size()) : "";
}

Result<bool> Lister::Walk(const std::string& folder) {
  if (static_cast<size_t>(std::count(folder.begin(), folder.end(), '/')) > kDepthMax) return true;
  std::string after;
  while (true) {
    bool whole = false;
    WALRIG_ASSIGN(std::vector<FolderEntry> entries, Smallest(folder, after, &whole));
    for (size_t i = 0; i < entries.size(); ++i) {
      WALRIG_ASSIGN(const bool room, Visit(folder, entries[i]));
      if (room) continue;
      // The entry that did not fit, or whose contents did not, begins the next page. Folders around this one are small
      // beside it, or were read with it.
      if (std::exchange(kept_, true)) return false;
      const std::string last = i > 0 ? entries[i - 1].name : after;
      entries.erase(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(i));
      memory_.Put({folder, options_.prefix, last, std::move(entries), whole, kind_ == Kind::kTemporary, MonotonicMs()});
      return false;
    }
    if (whole || entries.empty()) return true;
    after = entries.back().name;
  }
}

Result<bool> Lister::Visit(const std::string& folder, const FolderEntry& entry) {
  ObjectInfo info;
  info.key = folder + entry.name;
  const size_t prefix_bytes = options_.prefix.size();
  if (entry.is_folder) {
    if (options_.delimiter == "/" && info.key.size() > prefix_bytes) {
      WALRIG_ASSIGN(info.is_prefix, HasObject(info.key));
      return !info.is_prefix || Add(std::move(info));
    }
    Result<bool> room = Walk(info.key);
    if (room.ok()) return room;
    WALRIG_TRY(AbsentIsEmpty(std::move(room).status()));
    return true;
  }
  if (!options_.delimiter.empty()) {
    if (const size_t at = info.key.find(options_.delimiter, prefix_bytes); at != std::string::npos) {
      info.key.resize(at + options_.delimiter.size());
      info.is_prefix = true;
      const bool again = !page_.entries.empty() && page_.entries.back().key == info.key;
      return again || Add(std::move(info));
    }
  }
  info.size_bytes = entry.size_bytes;
  info.mtime_ns = entry.mtime_ns;
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

Result<std::vector<FolderEntry>> Lister::Smallest(const std::string& folder, const std::string& after, bool* whole) {
  if (!options_.page_token.empty() && after.empty()) {
    ListMemory::Names kept = memory_.Take(folder, options_.prefix, AfterIn(folder), kind_ == Kind::kTemporary);
    std::erase_if(kept.entries, [&](const FolderEntry& entry) { return !Wanted(folder, entry); });
    if (!kept.entries.empty()) {
      *whole = kept.whole;
      return std::move(kept.entries);
    }
  }
  std::vector<FolderEntry> heap;  // the greatest of those kept stands first
  const size_t kept_max = std::max(count_max_ + 1, kKeptMax);
  *whole = true;
  WALRIG_TRY(Scan(folder, [&](FolderEntry&& entry) {
    if (!after.empty() && entry.name <= after) return true;
    if (heap.size() == kept_max) {
      *whole = false;
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

Status Lister::Scan(const std::string& folder, const std::function<bool(FolderEntry&&)>& use) {
  const std::string path = folders_.PathOf(folder.empty() ? folder : folder.substr(0, folder.size() - 1));
  WALRIG_ASSIGN(const AnswerPacket opened,
                sftp_.Call(ctx_, Request::kOpendir, [&](PacketBuilder& p) { p.Text(path); }));
  if (opened.IsStatus()) {
    const Status status = ExpectOk(opened, "list folder " + folder);
    return status.ok() ? ProtocolError("sftp: a folder was opened without a handle") : status;
  }
  WALRIG_ASSIGN(const std::string handle, opened.ReadHandle());
  const Status status = ScanHandle(folder, handle, use);
  if (!sftp_.usable()) return status;
  WALRIG_ASSIGN(const uint32_t close, sftp_.Start(Request::kClose, [&](PacketBuilder& p) { p.Text(handle); }));
  sftp_.Forget(close);
  return status;
}

Status Lister::ScanHandle(const std::string& folder, const std::string& handle,
                          const std::function<bool(FolderEntry&&)>& use) {
  std::deque<uint32_t> asked;
  Status status;
  bool more = true;
  while (status.ok() && more) {
    while (status.ok() && asked.size() < kReadAhead) {
      Result<uint32_t> id = sftp_.Start(Request::kReaddir, [&](PacketBuilder& p) { p.Text(handle); });
      if (id.ok()) asked.push_back(*id);
      status = std::move(id).status();
    }
    if (!status.ok()) break;
    Result<AnswerPacket> answer = sftp_.Await(ctx_, asked.front());
    asked.pop_front();
    status = answer.status();
    if (!status.ok()) break;
    if (answer->IsStatus()) {
      std::string text;
      WALRIG_ASSIGN(const Fx code, answer->ReadStatus(&text));
      if (code != Fx::kEof) status = StatusOf(code, text, "list folder " + folder);
      break;
    }
    Result<std::vector<NamedEntry>> names = answer->ReadNames();
    status = names.status();
    if (!status.ok()) break;
    Result<bool> on = UseNames(folder, std::move(names).value(), use);
    status = on.status();
    more = on.ok() && *on;
  }
  for (const uint32_t id : asked) sftp_.Forget(id);
  return status;
}

Result<bool> Lister::UseNames(const std::string& folder, std::vector<NamedEntry> names,
                              const std::function<bool(FolderEntry&&)>& use) {
  for (NamedEntry& found : names) {
    // A server's word: what is no name of one part could lead us elsewhere.
    if (found.name.empty() || found.name == "." || found.name == ".." || found.name.find('/') != std::string::npos ||
        found.name.find('\0') != std::string::npos) {
      continue;
    }
    Attributes is = found.attributes;
    if (!is.mode) {
      Result<Attributes> looked = folders_.Look(ctx_, sftp_, folder + found.name);
      if (!looked.ok() && looked.status().code() == Code::kNotFound) continue;
      WALRIG_TRY(looked.status());
      is = *looked;
    }
    if (is.IsLink() && !warned_of_link_) {
      warned_of_link_ = true;
      ctx_.log->Write(LogLevel::kWarning, "storage/ssh",
                      "not listing the symbolic link " + folder + found.name + " in the storage's directory");
    }
    const bool temporary = is.IsFile() && fs::IsTempName(found.name);
    if (!is.IsFolder() && (!is.IsFile() || temporary != (kind_ == Kind::kTemporary))) continue;
    FolderEntry entry;
    entry.name = std::move(found.name);
    entry.is_folder = is.IsFolder();
    if (entry.is_folder) entry.name += '/';
    entry.size_bytes = is.size_bytes.value_or(0);
    if (is.mtime_s) entry.mtime_ns = int64_t{*is.mtime_s} * 1'000'000'000;
    if (Wanted(folder, entry) && !use(std::move(entry))) return false;
  }
  return true;
}

// Compares without putting the key together: a folder may have very many names.
bool Lister::Wanted(const std::string& folder, const FolderEntry& entry) const {
  const std::string_view name = entry.name;
  if (folder.size() + name.size() > fs::kKeyBytesMax) return false;
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
  std::vector<std::string> folders{folder};
  while (!folders.empty()) {
    const std::string next = std::move(folders.back());
    folders.pop_back();
    bool found = false;
    const Status status = Scan(next, [&](FolderEntry&& entry) {
      found = !entry.is_folder;
      if (entry.is_folder) folders.push_back(next + entry.name);
      return !found;
    });
    if (!status.ok()) WALRIG_TRY(AbsentIsEmpty(status));
    if (found) return true;
  }
  return false;
}

}  // namespace walrig::ssh
