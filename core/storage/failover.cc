#include "core/storage/failover.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/layout/paths.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

// One storage's share of a merged page: entries after `after`, and whether there are more.
struct Share {
  std::vector<ObjectInfo> entries;
  bool more = false;
};

Result<Share> ShareOf(const Context& ctx, Storage& storage, const ListOptions& options, const std::string& after) {
  Share share;
  if (storage.capabilities().list_sorted) {
    ListOptions ask = options;
    ask.page_token.clear();
    ask.start_after = std::max(options.start_after, after);
    // A common prefix sorts before what is below it and comes again after itself: one more, so that a page moves on.
    ask.keys_max = options.keys_max == UINT32_MAX ? UINT32_MAX : options.keys_max + 1;
    // A page may hold nothing that counts and yet not be the last: it has no name that says where to go on.
    do {
      WALRIG_TRY(ctx.Poll());
      WALRIG_ASSIGN(ListPage page, storage.List(ctx, ask));
      if (!page.next_page_token.empty() && page.next_page_token == ask.page_token) {
        return ProtocolError(fmt::format("list {}: the storage gave the same page token twice", options.prefix));
      }
      ask.page_token = std::move(page.next_page_token);
      share.more = !ask.page_token.empty();
      share.entries = std::move(page.entries);
      std::erase_if(share.entries, [&](const auto& entry) { return !after.empty() && entry.key <= after; });
    } while (share.entries.empty() && share.more);
    return share;
  }
  // Without an order of its own all of it is read for each page.
  WALRIG_ASSIGN(share.entries, ListAll(ctx, storage, options.prefix, options.delimiter));
  std::erase_if(share.entries, [&](const auto& entry) { return entry.key <= options.start_after && !entry.is_prefix; });
  std::erase_if(share.entries, [&](const auto& entry) { return !after.empty() && entry.key <= after; });
  return share;
}

}  // namespace

Result<std::unique_ptr<FailoverStorage>> FailoverStorage::New(std::vector<FailoverMember> members) {
  for (const FailoverMember& member : members) {
    if (member.storage != nullptr) return std::unique_ptr<FailoverStorage>(new FailoverStorage(std::move(members)));
  }
  return NoneReached(members);
}

Status FailoverStorage::RequireAll() const {
  std::string reasons;
  for (const FailoverMember& member : members_) {
    if (member.storage != nullptr) continue;
    reasons += fmt::format("{}storage {} cannot be reached: {}", reasons.empty() ? "" : "; ", member.name, member.why.message());
  }
  if (reasons.empty()) return OkStatus();
  return WithHintsOf(members_, Unavailable("nothing is deleted: " + reasons))
      .Hint("its backups may need what would go elsewhere: make it reachable, name the one storage to delete from "
            "(--target-storage), or take a storage that is gone for good out of WALG_FAILOVER_STORAGES");
}

Storage& FailoverStorage::first() const {
  const auto alive = std::find_if(members_.begin(), members_.end(), [](const auto& m) { return m.storage != nullptr; });
  return *alive->storage;
}

StorageCapabilities FailoverStorage::capabilities() const {
  StorageCapabilities all{.range = true, .copy = true, .delimiter = true, .list_sorted = true,
                          .read_your_writes = true, .list_your_writes = true};
  for (const FailoverMember& member : members_) {
    if (member.storage == nullptr) continue;
    const StorageCapabilities one = member.storage->capabilities();
    all.range = all.range && one.range;
    all.copy = all.copy && one.copy;
    all.delimiter = all.delimiter && one.delimiter;
    all.read_your_writes = all.read_your_writes && one.read_your_writes;
    all.list_your_writes = all.list_your_writes && one.list_your_writes;
  }
  return all;
}

template <typename Call>
auto FailoverStorage::FirstThatHas(std::string_view key, Call&& call) -> decltype(call(std::declval<Storage&>())) {
  Status unknown;  // why it cannot be said that the object is absent
  for (const FailoverMember& member : members_) {
    if (member.storage == nullptr) {
      if (unknown.ok()) {
        unknown = Unavailable(std::string(member.why.message())).Hint(member.why.hint()).With("storage " + member.name);
      }
      continue;
    }
    auto found = call(*member.storage);
    if (found.ok() || found.status().code() == Code::kCancelled) return found;
    if (found.status().code() != Code::kNotFound && unknown.ok()) {
      unknown = std::move(found).status().With("storage " + member.name);
    }
  }
  if (!unknown.ok()) return unknown;
  return NotFound(fmt::format("{} is in no storage", key));
}

Result<Storage*> FailoverStorage::HolderOfBackup(const Context& ctx, std::string_view key) {
  if (!key.starts_with(kBackupsFolder)) return nullptr;
  const std::string_view rest = key.substr(kBackupsFolder.size());
  const size_t slash = rest.find('/');
  if (slash == rest.npos || slash == 0) return nullptr;
  const std::string backup(rest.substr(0, slash));
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = holders_.find(backup); known != holders_.end()) return known->second;
  }
  Storage* holder = nullptr;
  const Result<ObjectInfo> sentinel = FirstThatHas(key, [&](Storage& storage) {
    holder = &storage;
    return storage.Stat(ctx, SentinelKey(backup));
  });
  if (sentinel.status().code() == Code::kNotFound) return nullptr;  // a backup that nobody finished
  if (!sentinel.ok()) return sentinel.status();
  const std::lock_guard lock(mutex_);
  holders_.emplace(backup, holder);
  return holder;
}

Result<ObjectInfo> FailoverStorage::Stat(const Context& ctx, std::string_view key) {
  WALRIG_ASSIGN(Storage* const holder, HolderOfBackup(ctx, key));
  if (holder != nullptr) return holder->Stat(ctx, key);
  return FirstThatHas(key, [&](Storage& storage) { return storage.Stat(ctx, key); });
}

Result<std::unique_ptr<Source>> FailoverStorage::Get(const Context& ctx, std::string_view key,
                                                     const GetOptions& options) {
  WALRIG_ASSIGN(Storage* const holder, HolderOfBackup(ctx, key));
  if (holder != nullptr) return holder->Get(ctx, key, options);
  return FirstThatHas(key, [&](Storage& storage) { return storage.Get(ctx, key, options); });
}

Result<std::unique_ptr<Sink>> FailoverStorage::Put(const Context& ctx, std::string_view key,
                                                   const PutOptions& options) {
  return first().Put(ctx, key, options);
}

Result<ListPage> FailoverStorage::List(const Context& ctx, const ListOptions& options) {
  if (options.keys_max == 0) return InvalidArgument("a page of no keys was asked for");
  WALRIG_ASSIGN(Storage* const holder, HolderOfBackup(ctx, options.prefix));
  if (holder != nullptr && holder->capabilities().list_sorted) {
    WALRIG_ASSIGN(Share share, ShareOf(ctx, *holder, options, options.page_token));
    ListPage page{std::move(share.entries), {}};
    const bool cut = page.entries.size() > options.keys_max;
    if (cut) page.entries.resize(options.keys_max);
    if ((cut || share.more) && !page.entries.empty()) page.next_page_token = page.entries.back().key;
    return page;
  }
  ListPage page;
  std::optional<std::string> bound;  // beyond it some storage has more than it told
  for (const FailoverMember& member : members_) {
    if (member.storage == nullptr || (holder != nullptr && member.storage.get() != holder)) continue;
    Result<Share> share = ShareOf(ctx, *member.storage, options, options.page_token);
    if (!share.ok()) return std::move(share).status().With("storage " + member.name);
    if (share->more && !share->entries.empty()) {
      const std::string& last = share->entries.back().key;
      bound = bound.has_value() ? std::min(*bound, last) : last;
    }
    std::move(share->entries.begin(), share->entries.end(), std::back_inserter(page.entries));
  }
  // Stable: of equal names the first storage's comes first and stays.
  std::stable_sort(page.entries.begin(), page.entries.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  page.entries.erase(std::unique(page.entries.begin(), page.entries.end(),
                                 [](const auto& a, const auto& b) { return a.key == b.key; }),
                     page.entries.end());
  if (bound.has_value()) std::erase_if(page.entries, [&](const auto& entry) { return entry.key > *bound; });
  const bool cut = page.entries.size() > options.keys_max;
  if (cut) page.entries.resize(options.keys_max);
  if ((cut || bound.has_value()) && !page.entries.empty()) page.next_page_token = page.entries.back().key;
  return page;
}

Status FailoverStorage::Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) {
  each->assign(keys.size(), OkStatus());
  WALRIG_TRY(RequireAll());
  for (const FailoverMember& member : members_) {
    std::vector<Status> answers;
    WALRIG_TRY(member.storage->Delete(ctx, keys, &answers).With("storage " + member.name));
    for (size_t i = 0; i < keys.size() && i < answers.size(); ++i) {
      if ((*each)[i].ok()) (*each)[i] = std::move(answers[i]).With("storage " + member.name);
    }
  }
  return OkStatus();
}

Status FailoverStorage::Copy(const Context& ctx, std::string_view from, std::string_view to) {
  const Result<ObjectInfo> copied = FirstThatHas(from, [&](Storage& storage) -> Result<ObjectInfo> {
    WALRIG_ASSIGN(ObjectInfo info, storage.Stat(ctx, from));
    WALRIG_TRY(storage.Copy(ctx, from, to));
    return info;
  });
  return copied.status();
}

}  // namespace walrig
