#include "plugins/storage/ssh/storage.h"

#include <algorithm>
#include <ctime>
#include <set>

#include "plugins/storage/fs/names.h"
#include "plugins/storage/ssh/reader.h"
#include "plugins/storage/ssh/writer.h"
#include "walrig/sdk/call.h"

namespace walrig::ssh {
namespace {

constexpr size_t kDeletesAtOnce = 64;
constexpr uint32_t kUnfinishedPage = 1000;
constexpr size_t kTempSuffixBytes = 38;  // ".tmp.20261123T101112Z-0123456789abcdef"

// The time that stands in a temporary name.
int64_t StartedNs(std::string_view name) {
  const std::string stamp(name.substr(name.size() - kTempSuffixBytes + 5, 16));
  tm utc{};
  if (::strptime(stamp.c_str(), "%Y%m%dT%H%M%SZ", &utc) == nullptr) return kUnknownTime;
  return static_cast<int64_t>(::timegm(&utc)) * 1'000'000'000;
}

}  // namespace

SshStorage::SshStorage(StorageOptions options)
    : options_(std::move(options)),
      folders_(options_.root, options_.sync),
      pool_(SftpPool::Limits{.connections_max = options_.connections_max},
            [this](const Context& ctx) { return Sftp::Open(ctx, options_.session); }) {}

StorageCapabilities SshStorage::capabilities() const {
  StorageCapabilities caps = kCapabilities;
  caps.put_if_absent = options_.put_if_absent;
  return caps;
}

Result<ObjectInfo> SshStorage::Stat(const Context& ctx, std::string_view key) {
  WALRIG_TRY(ctx.Poll());
  WALRIG_TRY(fs::CheckKey(key));
  WALRIG_ASSIGN(const SftpPool::Lease sftp, pool_.Take(ctx));
  const Result<Attributes> found = folders_.Look(ctx, *sftp, key);
  // Without a look at the root, as lists and reads take: a backup asks this before its first put makes the root.
  const bool missing = found.ok() ? !found->IsFile() : found.status().code() == Code::kNotFound;
  if (missing) return NotFound("object " + std::string(key) + " does not exist");
  WALRIG_TRY(found.status());
  ObjectInfo info;
  info.key = key;
  info.size_bytes = found->size_bytes.value_or(0);
  if (found->mtime_s) info.mtime_ns = int64_t{*found->mtime_s} * 1'000'000'000;
  return info;
}

Result<std::unique_ptr<Source>> SshStorage::Get(const Context& ctx, std::string_view key, const GetOptions& options) {
  WALRIG_TRY(ctx.Poll());
  WALRIG_TRY(fs::CheckKey(key));
  if (!options.if_match_etag.empty()) return PreconditionFailed("object " + std::string(key) + ": sftp knows no etags");
  WALRIG_ASSIGN(SftpPool::Lease sftp, pool_.Take(ctx));
  WALRIG_ASSIGN(std::unique_ptr<ObjectReader> reader,
                ObjectReader::Open(ctx, std::move(sftp), folders_, std::string(key), options,
                                   options_.in_flight_bytes));
  return std::unique_ptr<Source>(std::move(reader));
}

Result<std::unique_ptr<Sink>> SshStorage::Put(const Context& ctx, std::string_view key, const PutOptions& options) {
  WALRIG_TRY(ctx.Poll());
  WALRIG_TRY(fs::CheckKey(key));
  if (options.only_if_absent && !options_.put_if_absent) {
    return NotSupported("put_if_absent is off: this server cannot make an object only once");
  }
  WALRIG_ASSIGN(SftpPool::Lease sftp, pool_.Take(ctx));
  WALRIG_ASSIGN(std::unique_ptr<ObjectWriter> writer,
                ObjectWriter::New(ctx, folders_, std::move(sftp), key, options, options_.in_flight_bytes,
                                  [this](const Context& call) { return pool_.Take(call); }));
  return std::unique_ptr<Sink>(std::move(writer));
}

Result<ListPage> SshStorage::List(const Context& ctx, const ListOptions& options) {
  WALRIG_TRY(ctx.Poll());
  WALRIG_ASSIGN(const SftpPool::Lease sftp, pool_.Take(ctx));
  return Lister(ctx, *sftp, folders_, memory_, options, Lister::Kind::kObjects).Page();
}

Status SshStorage::Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) {
  each->assign(keys.size(), OkStatus());
  if (keys.empty()) return OkStatus();
  Result<SftpPool::Lease> sftp = pool_.Take(ctx);
  if (!sftp.ok()) {
    each->assign(keys.size(), sftp.status());
    return std::move(sftp).status();
  }
  for (size_t i = 0; i < keys.size(); ++i) (*each)[i] = fs::CheckKey(keys[i]);
  return Remove(ctx, **sftp, keys, each);
}

// REQUIRES: *each has a status a key; those that are not OK are left alone.
Status SshStorage::Remove(const Context& ctx, Sftp& sftp, std::span<const std::string> keys,
                          std::vector<Status>* each) {
  std::set<std::string> folders;
  for (size_t begin = 0; begin < keys.size(); begin += kDeletesAtOnce) {
    const size_t count = std::min(kDeletesAtOnce, keys.size() - begin);
    Status status = DeleteSome(ctx, sftp, keys.subspan(begin, count), std::span(*each).subspan(begin, count));
    if (!status.ok()) {
      // Some of these may be gone; deleting again does no harm.
      if (status.code() != Code::kCancelled) status = std::move(status).OutcomeUnknown();
      for (size_t i = begin; i < keys.size(); ++i) {
        if ((*each)[i].ok()) (*each)[i] = status;
      }
      return status;
    }
    for (size_t i = begin; i < begin + count; ++i) {
      if ((*each)[i].ok()) folders.insert(fs::SplitKey(keys[i]).first);
    }
  }
  std::set<std::string> left;
  for (const std::string& folder : folders) left.insert(folders_.Prune(ctx, sftp, folder));
  for (const std::string& folder : left) {
    if (Status status = folders_.Sync(ctx, sftp, folders_.PathOf(folder)); !status.ok()) {
      return std::move(status).OutcomeUnknown();
    }
  }
  return OkStatus();
}

// A folder or a link is not an object, and unlink would take the link: so all are looked at first, at once.
Status SshStorage::DeleteSome(const Context& ctx, Sftp& sftp, std::span<const std::string> keys,
                              std::span<Status> each) {
  WALRIG_TRY(sdk::PollStop(ctx));
  const auto for_all = [&](Request type, std::vector<bool>* wanted, const auto& use) -> Status {
    std::vector<uint32_t> ids(keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      if (!(*wanted)[i]) continue;
      const std::string path = folders_.PathOf(keys[i]);
      WALRIG_ASSIGN(ids[i], sftp.Start(type, [&](PacketBuilder& p) { p.Text(path); }));
    }
    for (size_t i = 0; i < keys.size(); ++i) {
      if (!(*wanted)[i]) continue;
      WALRIG_ASSIGN(const AnswerPacket answer, sftp.Await(ctx, ids[i]));
      WALRIG_TRY(use(i, answer));
    }
    return OkStatus();
  };
  std::vector<bool> wanted(keys.size()), is_file(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) wanted[i] = each[i].ok();
  WALRIG_TRY(for_all(Request::kLstat, &wanted, [&](size_t i, const AnswerPacket& answer) -> Status {
    if (answer.IsStatus()) {
      each[i] = ExpectOk(answer, "delete object " + keys[i]);
      if (each[i].code() == Code::kNotFound) each[i] = OkStatus();
      return OkStatus();
    }
    WALRIG_ASSIGN(const Attributes attributes, answer.ReadAttributes());
    is_file[i] = attributes.IsFile();
    return OkStatus();
  }));
  return for_all(Request::kRemove, &is_file, [&](size_t i, const AnswerPacket& answer) -> Status {
    each[i] = ExpectOk(answer, "delete object " + keys[i]);
    if (each[i].code() == Code::kNotFound) each[i] = OkStatus();
    each[i] = folders_.Explain(ctx, sftp, each[i]);
    return OkStatus();
  });
}

Status SshStorage::Copy(const Context& ctx, std::string_view from, std::string_view to) {
  WALRIG_TRY(ctx.Poll());
  WALRIG_TRY(fs::CheckKey(from));
  WALRIG_TRY(fs::CheckKey(to));
  WALRIG_ASSIGN(SftpPool::Lease sftp, pool_.Take(ctx));
  if (!sftp->extensions().copy_data) {
    return NotSupported("copy object " + std::string(from) + ": this sftp server cannot copy")
        .Hint("it needs copy-data, as OpenSSH's sftp-server has it since 9.0");
  }
  WALRIG_ASSIGN(std::unique_ptr<ObjectReader> source,
                ObjectReader::Open(ctx, std::move(sftp), folders_, std::string(from), {},
                                   options_.in_flight_bytes));
  if (from == to) return OkStatus();
  const uint64_t size_bytes = source->size_bytes();
  // Both files must be open on one connection.
  WALRIG_ASSIGN(std::unique_ptr<ObjectWriter> target,
                ObjectWriter::New(ctx, folders_, source->ShareLease(), to, PutOptions{.size_bytes = size_bytes},
                                  options_.in_flight_bytes, nullptr));
  WALRIG_TRY(target->CopyFrom(ctx, source->handle(), size_bytes));
  return target->Commit(ctx);
}

Result<UnfinishedPage> SshStorage::ListUnfinished(const Context& ctx, std::string_view prefix,
                                                  std::string_view page_token) {
  WALRIG_TRY(ctx.Poll());
  ListOptions options;
  options.prefix = prefix;
  options.page_token = page_token;
  options.keys_max = kUnfinishedPage;
  WALRIG_ASSIGN(const SftpPool::Lease sftp, pool_.Take(ctx));
  WALRIG_ASSIGN(ListPage found, Lister(ctx, *sftp, folders_, memory_, options, Lister::Kind::kTemporary).Page());
  UnfinishedPage page;
  for (ObjectInfo& object : found.entries) {
    UnfinishedUpload upload;
    upload.key = object.key.substr(0, object.key.size() - kTempSuffixBytes);
    upload.started_ns = StartedNs(object.key);
    upload.size_bytes = object.size_bytes;
    upload.id = std::move(object.key);
    page.entries.push_back(std::move(upload));
  }
  page.next_page_token = std::move(found.next_page_token);
  return page;
}

Status SshStorage::AbortUnfinished(const Context& ctx, std::span<const UnfinishedUpload> uploads,
                                   std::vector<Status>* each) {
  each->assign(uploads.size(), OkStatus());
  std::vector<std::string> names;
  for (size_t i = 0; i < uploads.size(); ++i) {
    const std::string& id = uploads[i].id;
    const auto [folder, name] = fs::SplitKey(id);
    const std::string checked = (folder.empty() ? "" : folder + "/") + "x";
    if (!fs::CheckKey(checked).ok() || !fs::IsTempName(name)) {
      (*each)[i] = InvalidArgument("this is no id of an unfinished upload");
    }
    names.push_back(id);
  }
  if (names.empty()) return OkStatus();
  WALRIG_ASSIGN(const SftpPool::Lease sftp, pool_.Take(ctx));
  return Remove(ctx, *sftp, names, each);
}

}  // namespace walrig::ssh
