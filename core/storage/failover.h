// FailoverStorage: several storages as one, for reading what was written while another was the first that lived.
//
// Stat, Get      each storage in order; the first that has the object wins. What belongs to one backup comes from the one
//                storage that has its sentinel, so that parts of two backups of one name are never joined
// List           the union; a name that several have is told once, as the first has it
// Put            into the first that can be reached
// Delete         in every storage, and in none while one of them cannot be reached: what it holds was not seen, and may
//                need what would go elsewhere
// An object is absent (kNotFound) only when every storage said so: with one that cannot be reached the answer is
// kUnavailable, since PostgreSQL takes an absent WAL file for the end of WAL. A list leaves such a storage out.
//
// OWNS: its storages. THREADS: as Storage.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "walrig/storage.h"

namespace walrig {

struct FailoverMember {
  std::string name;
  std::unique_ptr<Storage> storage;  // null: cannot be reached, `why` says why
  Status why = OkStatus();
};

// `status` with the hints of all that cannot be reached. A Member has name, storage (null) and why, as FailoverMember has.
template <typename Member>
Status WithHintsOf(const std::vector<Member>& members, Status status) {
  for (const Member& member : members) {
    if (member.storage == nullptr) status = std::move(status).Hint(std::string(member.why.hint()));
  }
  return status;
}

// kUnavailable, with all reasons and all hints.
template <typename Member>
Status NoneReached(const std::vector<Member>& members) {
  std::string reasons;
  for (const Member& member : members) {
    reasons += (reasons.empty() ? "" : "; ") + member.name + ": " + std::string(member.why.message());
  }
  return WithHintsOf(members, Unavailable("no storage can be reached: " + reasons));
}

class FailoverStorage final : public Storage {
 public:
  // FAILS WITH: kUnavailable when none can be reached.
  static Result<std::unique_ptr<FailoverStorage>> New(std::vector<FailoverMember> members);

  // FAILS WITH: kUnavailable when a storage cannot be reached; names it, and says what to do.
  Status RequireAll() const;

  // What all can that are there. Unfinished uploads are looked for storage by storage.
  StorageCapabilities capabilities() const override;
  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override;
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override;
  Result<ListPage> List(const Context& ctx, const ListOptions& options) override;
  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override;
  Status Copy(const Context& ctx, std::string_view from, std::string_view to) override;

 private:
  explicit FailoverStorage(std::vector<FailoverMember> members) : members_(std::move(members)) {}
  Storage& first() const;
  // The storage of the backup that `key` is a part of; null when it is of none.
  Result<Storage*> HolderOfBackup(const Context& ctx, std::string_view key);
  template <typename Call>
  auto FirstThatHas(std::string_view key, Call&& call) -> decltype(call(std::declval<Storage&>()));

  const std::vector<FailoverMember> members_;
  std::mutex mutex_;
  std::map<std::string, Storage*, std::less<>> holders_;  // by backup; guarded by mutex_
};

}  // namespace walrig
