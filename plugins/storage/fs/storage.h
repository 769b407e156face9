// FsStorage: objects as files below a directory, readable and writable by WAL-G's file storage.
//
// Each object is written under a temporary name beside its place, synced, renamed (or linked when it must not exist),
// and its folder synced. Symbolic links below the directory are never followed. Reading makes nothing (WAL-G makes
// empty folders). Deleting removes folders that became empty.
//
// OWNS: a descriptor of the directory. THREADS: as walrig::Storage.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/storage/fs/tree.h"
#include "walrig/storage.h"

namespace walrig::fs {

inline constexpr StorageCapabilities kCapabilities = {.range = true, .put_if_absent = true, .copy = true,
                                                      .delimiter = true, .list_sorted = true,
                                                      .read_your_writes = true, .list_your_writes = true,
                                                      .unfinished = true};

struct FsOptions {
  bool sync = true;           // fsync what is committed
  bool put_if_absent = true;  // false for file systems that can neither rename without replacing nor link
};

class FsStorage final : public Storage {
 public:
  // `prefix` may begin with "file://localhost" or "file://".
  // FAILS WITH: kConfig when the directory is missing or is none, naming the setting; kPermission.
  static Result<std::unique_ptr<Storage>> Open(std::string_view prefix, const FsOptions& options);

  StorageCapabilities capabilities() const override;
  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override;
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override;
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override;
  Result<ListPage> List(const Context& ctx, const ListOptions& options) override;
  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override;
  Status Copy(const Context& ctx, std::string_view from, std::string_view to) override;
  Result<UnfinishedPage> ListUnfinished(const Context& ctx, std::string_view prefix,
                                        std::string_view page_token) override;
  Status AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                         std::vector<Status>* each) override;

 private:
  FsStorage(Fd root, const FsOptions& options) : options_(options), tree_(std::move(root), options.sync) {}

  // Opens an object that is a regular file and says what it is. FAILS WITH: kNotFound.
  Result<Fd> OpenObject(std::string_view key, int flags, struct stat* s) const;
  Status DeleteOne(const std::string& key);

  const FsOptions options_;
  Tree tree_;
};

}  // namespace walrig::fs
