// Storage: a flat map from names to immutable objects. The contract of every storage plugin and of every wrapper.
//
// One call is one attempt: an implementation classifies its errors (Status::retryable, outcome_unknown,
// retry_after_ms) and never loops; core/storage/retrying is the only place that retries.
//
// Keys are bytes, UTF-8 by convention, parts separated by '/', relative to the storage's prefix, without a leading
// slash. A key that the storage cannot hold is kNameInvalid, never silently changed.
//
// THREADS: all methods may be called from any number of threads at once. A Source or Sink that it returns belongs to
// one thread at a time and must not outlive the storage.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/stream.h"

namespace walrig {

inline constexpr uint64_t kUnknownSize = UINT64_MAX;
inline constexpr int64_t kUnknownTime = INT64_MIN;

// What a storage can do; each bit is a promise that the conformance kit tests.
struct StorageCapabilities {
  bool range = false;             // Get honours offset and length
  bool put_if_absent = false;     // PutOptions::only_if_absent is atomic among all writers
  bool copy = false;              // Copy works without moving the bytes through us
  bool delimiter = false;         // ListOptions::delimiter collapses
  bool list_sorted = false;       // List answers in byte order of the keys
  bool read_your_writes = false;  // after Commit, Stat and Get see the object, from anywhere
  bool list_your_writes = false;  // after Commit, List sees the object, from anywhere
  bool unfinished = false;        // ListUnfinished and AbortUnfinished: what killed writers left can be found
};

struct ObjectInfo {
  std::string key;
  bool is_prefix = false;         // a common prefix from a delimited List, ends in the delimiter; the rest is unset
  uint64_t size_bytes = 0;
  int64_t mtime_ns = kUnknownTime;  // last modification, since 1970 UTC
  std::string etag;               // opaque; empty when the storage has none
};

struct GetOptions {
  uint64_t offset = 0;
  uint64_t length = kUnknownSize;  // to the end; a range past the end is cut to it
  std::string if_match_etag;       // kPreconditionFailed when the object is another one by now
};

struct PutOptions {
  uint64_t size_bytes = kUnknownSize;  // what will be written, if known; a Commit after another count fails
  bool only_if_absent = false;         // kAlreadyExists, at open or at Commit, when the key exists
  uint64_t memory_budget_bytes = 32u << 20;  // what the writer may buffer
};

struct ListOptions {
  std::string prefix;        // of keys, not of directories: "a" lists "a/b" and "ab"
  std::string delimiter;     // "" lists everything below; "/" collapses to common prefixes
  std::string start_after;   // only keys greater than this
  std::string page_token;    // from the page before; "" begins
  uint32_t keys_max = 1000;  // entries a page at the most; an implementation may answer fewer
};

struct ListPage {
  std::vector<ObjectInfo> entries;
  std::string next_page_token;  // "" when this was the last page
};

// What a writer began and did not end: a multipart upload, a temporary object. It takes room and is no object.
struct UnfinishedUpload {
  std::string key;                    // what it would have become; as near to it as can be known
  std::string id;                     // opaque; with the key it names the upload
  int64_t started_ns = kUnknownTime;  // since 1970 UTC
  uint64_t size_bytes = kUnknownSize;  // stored so far, when the storage says so without another call
};

struct UnfinishedPage {
  std::vector<UnfinishedUpload> entries;
  std::string next_page_token;  // "" when this was the last page
};

class Storage {
 public:
  virtual ~Storage() = default;

  virtual StorageCapabilities capabilities() const = 0;

  // FAILS WITH: kNotFound when there is no such object.
  virtual Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) = 0;

  // Opens an object, or a range of it. FAILS WITH: kNotFound (here, not at the first Read), kPreconditionFailed.
  virtual Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) = 0;

  // Opens a new object. Nothing is visible under `key` before Commit returns OK; after it, the object is whole and
  // durable. An existing object is replaced at Commit, atomically: a reader sees the old or the new one.
  // FAILS WITH: kNameInvalid, kAlreadyExists, kNoSpace, kPermission, kReadOnly.
  virtual Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) = 0;

  // One page of names. A prefix under which there is nothing is an empty page, not an error.
  virtual Result<ListPage> List(const Context& ctx, const ListOptions& options) = 0;

  // Deletes keys; a missing one counts as deleted. `each` gets one status per key, in order, and is sized by the
  // callee. The returned status is OK when the call as such worked, even if single keys failed: look at `each`.
  virtual Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) = 0;

  // Copies within the storage; the target is replaced atomically. FAILS WITH: kNotSupported without the capability.
  virtual Status Copy(const Context& ctx, std::string_view from, std::string_view to) = 0;

  // One page of uploads whose keys begin with `prefix`, in no order; `page_token` from the page before, "" begins.
  // Those of living writers are left out where the storage can tell (fs: by a lock); where it cannot (s3), they are
  // listed too, and the caller has to judge by started_ns. FAILS WITH: kNotSupported without the capability.
  virtual Result<UnfinishedPage> ListUnfinished(const Context& /*ctx*/, std::string_view /*prefix*/,
                                                std::string_view /*page_token*/) {
    return NotSupported("this storage cannot list unfinished uploads");
  }

  // Removes uploads that ListUnfinished gave; one that is gone meanwhile counts as removed, and its writer, if it
  // lives, fails at Commit. `each` as for Delete. FAILS WITH: kNotSupported; in `each`: kConflict when the upload is
  // known to be a living writer's.
  virtual Status AbortUnfinished(const Context& /*ctx*/, std::span<const UnfinishedUpload> /*uploads*/,
                                 std::vector<Status>* each) {
    each->clear();
    return NotSupported("this storage cannot remove unfinished uploads");
  }
};

}  // namespace walrig
