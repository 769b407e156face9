// StorageWrapper: a Storage around a Storage that forwards everything; the base of every wrapper of this room.
//
// A worry that crosses rooms (retry, limit, meter, log, dry run) is a wrapper around the contract, never a flag in it.
// OWNS: the inner storage when made from a unique_ptr; borrows it, and must not outlive it, when made from a reference.
// THREADS: as Storage: any number at once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/storage.h"

namespace walrig {

class StorageWrapper : public Storage {
 public:
  // REQUIRES: inner != nullptr.
  explicit StorageWrapper(std::unique_ptr<Storage> inner) : owned_(std::move(inner)), inner_(*owned_) {}
  explicit StorageWrapper(Storage& inner) : inner_(inner) {}

  StorageCapabilities capabilities() const override { return inner_.capabilities(); }
  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override { return inner_.Stat(ctx, key); }
  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override {
    return inner_.Get(ctx, key, options);
  }
  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    return inner_.Put(ctx, key, options);
  }
  Result<ListPage> List(const Context& ctx, const ListOptions& options) override { return inner_.List(ctx, options); }
  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override {
    return inner_.Delete(ctx, keys, each);
  }
  Status Copy(const Context& ctx, std::string_view from, std::string_view to) override {
    return inner_.Copy(ctx, from, to);
  }
  Result<UnfinishedPage> ListUnfinished(const Context& ctx, std::string_view prefix,
                                        std::string_view page_token) override {
    return inner_.ListUnfinished(ctx, prefix, page_token);
  }
  Status AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                         std::vector<Status>* each) override {
    return inner_.AbortUnfinished(ctx, uploads, each);
  }

 protected:
  Storage& inner() { return inner_; }
  const Storage& inner() const { return inner_; }

 private:
  std::unique_ptr<Storage> owned_;
  Storage& inner_;
};

}  // namespace walrig
