#include "core/st/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/storage/objects.h"

namespace walrig {
namespace {

constexpr std::string_view kFirst = "written by walrig st check write\n";
constexpr std::string_view kSecond = "written again by walrig st check write\n";

// The steps of StCheckWrite. Each is tried whatever became of those before it, unless it would say the same again.
class WriteCheck {
 public:
  WriteCheck(const Context& ctx, Storage& storage, std::string folder)
      : ctx_(ctx), storage_(storage), caps_(storage.capabilities()), folder_(std::move(folder)), plain_(folder_ + "object"), once_(folder_ + "once") {}

  void Write() {
    if (Try("put", WriteObject(ctx_, storage_, plain_, kFirst))) expected_.emplace_back(plain_, kFirst);
    if (first_.retryable()) return;  // it cannot be reached: the others would wait as long and say the same
    if (!caps_.put_if_absent) {
      limits_.push_back("an object cannot be made only if it is absent: two writers of one name replace each other's objects unnoticed");
    } else if (Try("put if absent", WriteObject(ctx_, storage_, once_, kFirst, {.only_if_absent = true}))) {
      expected_.emplace_back(once_, kFirst);
      Try("refuse a second put if absent", RefusedSecond());
    }
    if (!expected_.empty() && Try("replace", WriteObject(ctx_, storage_, expected_.front().first, kSecond))) {
      expected_.front().second = kSecond;
    }
  }

  void Read() {
    if (expected_.empty()) return;
    Try("read back", ReadBack());
    if (caps_.list_your_writes) {
      Try("list", Listed());
    } else {
      limits_.push_back("new objects may be listed late");
    }
  }

  // Of what was never put too: the attempt may have had its effect.
  void Delete() {
    if (!Try("delete", DeleteAll(ctx_, storage_, {plain_, once_})) || !caps_.read_your_writes) return;
    for (const std::string& key : {plain_, once_}) {
      const Result<bool> there = Exists(ctx_, storage_, key);
      if (!Try("delete", there.ok() && *there ? IoError(key + " is still there") : there.status())) return;
    }
  }

  Result<std::vector<std::string>> Take() {
    if (first_.ok()) return std::move(limits_);
    if (first_.code() == Code::kCancelled) return first_;
    return Status(first_.code(), "a backup needs what this storage cannot do: " + missing_).WithDetail(first_.detail()).Hint(std::string(first_.hint()));
  }

 private:
  bool Try(std::string_view what, Status status) {
    if (status.ok()) return true;
    missing_ += fmt::format("{}{} ({})", missing_.empty() ? "" : "; ", what, status.message());
    if (first_.ok()) first_ = std::move(status);
    return false;
  }

  Status RefusedSecond() {
    Status status = WriteObject(ctx_, storage_, once_, kSecond, {.only_if_absent = true});
    if (status.code() == Code::kAlreadyExists) return OkStatus();
    if (status.ok()) expected_.back().second = kSecond;
    return status.ok() ? NotSupported("it replaced the object").Hint("switch the storage's option put_if_absent off") : status;
  }

  Status ReadBack() {
    for (const auto& [key, content] : expected_) {
      WALRIG_ASSIGN(const std::string back, ReadObject(ctx_, storage_, key, 1 << 16));
      if (back != content) return Corruption("object " + key + " came back with another content");
    }
    return OkStatus();
  }

  Status Listed() {
    WALRIG_ASSIGN(const std::vector<ObjectInfo> found, ListAll(ctx_, storage_, folder_));
    for (const auto& [key, content] : expected_) {
      const bool listed = std::any_of(found.begin(), found.end(), [&key = key, &content = content](const ObjectInfo& info) {
        return info.key == key && info.size_bytes == content.size();
      });
      if (!listed) return ProtocolError("object " + key + " is not in the list, or with another size");
    }
    return OkStatus();
  }

  const Context& ctx_;
  Storage& storage_;
  const StorageCapabilities caps_;
  const std::string folder_, plain_, once_;
  std::vector<std::pair<std::string, std::string_view>> expected_;  // what was put, and what it holds
  std::vector<std::string> limits_;
  std::string missing_;
  Status first_;
};

}  // namespace

Status StCheckRead(const Context& ctx, Storage& storage, const std::vector<std::string>& keys) {
  WALRIG_TRY(storage.List(ctx, {.prefix = "", .delimiter = "/", .start_after = "", .page_token = "", .keys_max = 1}).status());
  std::string missing;
  for (const std::string& key : keys) {
    WALRIG_ASSIGN(const bool exists, Exists(ctx, storage, key));
    if (!exists) missing += (missing.empty() ? "" : ", ") + key;
  }
  return missing.empty() ? OkStatus() : NotFound("missing: " + missing);
}

Result<std::vector<std::string>> StCheckWrite(const Context& ctx, Storage& storage, uint64_t random) {
  WriteCheck check(ctx, storage, fmt::format("walrig_storage_check_{:016x}/", random));
  check.Write();
  check.Read();
  check.Delete();
  return check.Take();
}

}  // namespace walrig
