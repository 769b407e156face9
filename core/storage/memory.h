// MemoryStorage: objects in a map. The reference implementation of the Storage contract: it has every capability, and
// the conformance suite passes on it first. Used by tests.
//
// Keys: any non-empty bytes without a leading slash, an empty part, a part "." or "..", or a NUL; others are kNameInvalid.
// An open Sink is an unfinished upload: there is no telling whether its writer will go on, so it is listed, as s3 does.
// OWNS: its objects. An object that is being read stays readable when it is replaced or deleted.
// THREADS: as Storage.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "walrig/storage.h"

namespace walrig {

class MemoryStorage : public Storage {
 public:
  MemoryStorage() = default;

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
  friend class MemoryStorageSink;

  struct Object {
    std::shared_ptr<const std::string> bytes;  // shared with the sources that read it
    int64_t mtime_ns = 0;
    uint64_t generation = 0;
  };

  Status Store(const Context& ctx, const std::string& key, std::shared_ptr<const std::string> bytes, bool only_if_absent);
  uint64_t BeginUpload(const Context& ctx, std::string_view key);
  // Whether it was there.
  bool EndUpload(uint64_t upload) noexcept;

  std::mutex mutex_;
  std::map<std::string, Object, std::less<>> objects_;  // guarded by mutex_
  uint64_t generation_ = 0;                             // guarded by mutex_
  std::map<uint64_t, UnfinishedUpload> uploads_;        // guarded by mutex_
  uint64_t uploads_begun_ = 0;                          // guarded by mutex_
};

}  // namespace walrig
