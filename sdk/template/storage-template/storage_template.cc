// SPDX-License-Identifier: MIT-0
// A whole storage plugin: each object is one file in one directory. Replace the files by your store.
//
// What to keep when you do: nothing is visible before Commit; Commit replaces atomically; an uncommitted Sink leaves
// nothing; one call is one attempt, and its Status says whether it may be tried again (Status::Retryable) and whether
// it may have happened all the same (Status::OutcomeUnknown).
//
// The file of an object is named by the hexadecimal digits of its key and ".object", so that any key can be held. (A
// file name has 255 bytes, so keys have 120 at the most: what cannot be held is refused, never changed.)
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "walrig/export.h"

namespace {

using namespace walrig;

constexpr size_t kKeyBytesMax = 120;
constexpr std::string_view kEnding = ".object";

Status Failed(const std::string& what) {
  const int err = errno;
  Code code = Code::kIoError;
  if (err == ENOENT) code = Code::kNotFound;
  if (err == EEXIST) code = Code::kAlreadyExists;
  if (err == ENOSPC || err == EDQUOT) code = Code::kNoSpace;
  if (err == EACCES || err == EPERM) code = Code::kPermission;
  if (err == EROFS) code = Code::kReadOnly;
  return {code, what + ": " + std::generic_category().message(err)};
}

Status CheckKey(std::string_view key) {
  const bool good = !key.empty() && key.size() <= kKeyBytesMax && key.front() != '/' && key.back() != '/' &&
                    key.find("//") == key.npos && key.find('\0') == key.npos;
  return good ? OkStatus() : NameInvalid("this storage cannot hold an object of this name");
}

std::string FileName(std::string_view key) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string name;
  for (const char c : key) {
    name += kDigits[static_cast<unsigned char>(c) >> 4];
    name += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return name.append(kEnding);
}

int DigitOf(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

// False for files that are not ours, temporary ones among them.
bool KeyOf(std::string_view name, std::string* key) {
  if (!name.ends_with(kEnding)) return false;
  name.remove_suffix(kEnding.size());
  if (name.size() % 2 != 0) return false;
  key->clear();
  for (size_t i = 0; i < name.size(); i += 2) {
    const int high = DigitOf(name[i]), low = DigitOf(name[i + 1]);
    if (high < 0 || low < 0) return false;
    *key += static_cast<char>(high * 16 + low);
  }
  return CheckKey(*key).ok();
}

// An owned descriptor.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

ObjectInfo InfoOf(std::string_view key, const struct stat& s) {
  ObjectInfo info;
  info.key = key;
  info.size_bytes = static_cast<uint64_t>(s.st_size);
  info.mtime_ns = static_cast<int64_t>(s.st_mtim.tv_sec) * 1'000'000'000 + s.st_mtim.tv_nsec;
  info.etag = std::to_string(s.st_ino) + "-" + std::to_string(info.mtime_ns);
  return info;
}

class FileReader final : public Source {
 public:
  FileReader(Fd fd, uint64_t offset, uint64_t length) : fd_(std::move(fd)), offset_(offset), left_(length) {}

  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
    WALRIG_TRY(ctx.Poll());
    if (left_ == 0) return size_t{0};
    const size_t want = static_cast<size_t>(std::min<uint64_t>(left_, buffer.size()));
    const ssize_t n = ::pread(fd_.get(), buffer.data(), want, static_cast<off_t>(offset_));
    if (n < 0) return Failed("read");
    // Only who knows the data to be whole may answer 0.
    if (n == 0) return Truncated("the file became shorter while it was read");
    offset_ += static_cast<uint64_t>(n);
    left_ -= static_cast<uint64_t>(n);
    return static_cast<size_t>(n);
  }

 private:
  Fd fd_;
  uint64_t offset_, left_;
};

class FileWriter final : public Sink {
 public:
  FileWriter(int directory, std::string temp, std::string name, Fd fd, const PutOptions& options)
      : directory_(directory), temp_(std::move(temp)), name_(std::move(name)), fd_(std::move(fd)), options_(options) {}
  ~FileWriter() override { Abort(); }

  Status Write(const Context& ctx, ByteSpan bytes) override {
    WALRIG_TRY(ctx.Poll());
    count_bytes_ += bytes.size();
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
      if (n < 0) return Failed("write");
      bytes = bytes.subspan(static_cast<size_t>(n));
    }
    return OkStatus();
  }

  Status Commit(const Context& ctx) override {
    WALRIG_TRY(ctx.Poll());
    if (options_.size_bytes != kUnknownSize && count_bytes_ != options_.size_bytes) {
      return InvalidArgument("another count of bytes than announced");
    }
    if (::fsync(fd_.get()) != 0) return Failed("sync");
    if (options_.only_if_absent) {
      // A link fails when the name is taken: atomic among all writers.
      if (::linkat(directory_, temp_.c_str(), directory_, name_.c_str(), 0) != 0) return Failed("name the object");
      ::unlinkat(directory_, temp_.c_str(), 0);
    } else if (::renameat(directory_, temp_.c_str(), directory_, name_.c_str()) != 0) {
      return Failed("name the object");
    }
    temp_.clear();
    if (::fsync(directory_) != 0) return Failed("sync the directory").OutcomeUnknown();
    return OkStatus();
  }

  void Abort() noexcept override {
    if (!temp_.empty()) ::unlinkat(directory_, temp_.c_str(), 0);
    temp_.clear();
  }

 private:
  const int directory_;  // the storage's, which outlives this
  std::string temp_, name_;
  Fd fd_;
  const PutOptions options_;
  uint64_t count_bytes_ = 0;
};

constexpr StorageCapabilities kCapabilities = {.range = true, .put_if_absent = true, .copy = false, .delimiter = true,
                                               .list_sorted = true, .read_your_writes = true,
                                               .list_your_writes = true};

class DirectoryStorage final : public Storage {
 public:
  explicit DirectoryStorage(Fd directory) : directory_(std::move(directory)) {}

  StorageCapabilities capabilities() const override { return kCapabilities; }

  Result<ObjectInfo> Stat(const Context& ctx, std::string_view key) override {
    WALRIG_TRY(ctx.Poll());
    WALRIG_TRY(CheckKey(key));
    struct stat s{};
    if (::fstatat(directory_.get(), FileName(key).c_str(), &s, AT_SYMLINK_NOFOLLOW) != 0) return Failed("stat");
    return InfoOf(key, s);
  }

  Result<std::unique_ptr<Source>> Get(const Context& ctx, std::string_view key, const GetOptions& options) override {
    WALRIG_TRY(ctx.Poll());
    WALRIG_TRY(CheckKey(key));
    Fd fd(::openat(directory_.get(), FileName(key).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat s{};
    if (!fd.valid() || ::fstat(fd.get(), &s) != 0) return Failed("open");
    const ObjectInfo info = InfoOf(key, s);
    if (!options.if_match_etag.empty() && options.if_match_etag != info.etag) {
      return PreconditionFailed("the object was replaced");
    }
    const uint64_t offset = std::min(options.offset, info.size_bytes);
    const uint64_t length = std::min(options.length, info.size_bytes - offset);
    return std::unique_ptr<Source>(std::make_unique<FileReader>(std::move(fd), offset, length));
  }

  Result<std::unique_ptr<Sink>> Put(const Context& ctx, std::string_view key, const PutOptions& options) override {
    WALRIG_TRY(ctx.Poll());
    WALRIG_TRY(CheckKey(key));
    std::string name = FileName(key);
    if (options.only_if_absent && ::faccessat(directory_.get(), name.c_str(), F_OK, 0) == 0) {
      return AlreadyExists("the object exists");
    }
    // Unique in this process by the counter, among processes by the id.
    std::string temp = "new-" + std::to_string(::getpid()) + "-" + std::to_string(next_++);
    Fd fd(::openat(directory_.get(), temp.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!fd.valid()) return Failed("create");
    return std::unique_ptr<Sink>(
        std::make_unique<FileWriter>(directory_.get(), std::move(temp), std::move(name), std::move(fd), options));
  }

  Result<ListPage> List(const Context& ctx, const ListOptions& options) override {
    WALRIG_ASSIGN(const std::vector<std::string> keys, SortedKeys(ctx, options.prefix));
    // The token is the last entry given; what a common prefix stood for is skipped with it.
    const std::string after = std::max(options.start_after, options.page_token);
    ListPage page;
    for (const std::string& key : keys) {
      ObjectInfo info;
      const size_t at = options.delimiter.empty() ? key.npos : key.find(options.delimiter, options.prefix.size());
      if (at != key.npos) {
        info.key = key.substr(0, at + options.delimiter.size());
        info.is_prefix = true;
        const bool given = !options.page_token.empty() && info.key <= options.page_token;
        const bool again = !page.entries.empty() && page.entries.back().key == info.key;
        if (given || again) continue;
      }
      if (key <= after) continue;
      if (!info.is_prefix) {
        Result<ObjectInfo> found = Stat(ctx, key);
        if (!found.ok() && found.status().code() == Code::kNotFound) continue;  // deleted meanwhile
        WALRIG_ASSIGN(info, std::move(found));
      }
      if (page.entries.size() == std::max(options.keys_max, 1u)) {
        page.next_page_token = page.entries.back().key;
        break;
      }
      page.entries.push_back(std::move(info));
    }
    return page;
  }

  Status Delete(const Context& ctx, std::span<const std::string> keys, std::vector<Status>* each) override {
    WALRIG_TRY(ctx.Poll());
    each->clear();
    for (const std::string& key : keys) {
      Status status = CheckKey(key);
      if (status.ok() && ::unlinkat(directory_.get(), FileName(key).c_str(), 0) != 0 && errno != ENOENT) {
        status = Failed("delete");
      }
      each->push_back(std::move(status));
    }
    return OkStatus();
  }

  Status Copy(const Context&, std::string_view, std::string_view) override {
    return NotSupported("this storage does not copy");
  }

 private:
  Result<std::vector<std::string>> SortedKeys(const Context& ctx, const std::string& prefix) const {
    const int fd = ::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(fd < 0 ? nullptr : ::fdopendir(fd), ::closedir);
    if (dir == nullptr) return Failed("list");
    std::vector<std::string> keys;
    std::string key;
    while (const dirent* entry = ::readdir(dir.get())) {
      // This may last: ask whether to go on.
      WALRIG_TRY(sdk::PollStop(ctx));
      if (KeyOf(entry->d_name, &key) && key.starts_with(prefix)) keys.push_back(key);
    }
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  const Fd directory_;
  std::atomic<uint64_t> next_{0};
};

Result<std::unique_ptr<Storage>> Create(const Context& ctx, const sdk::ConfigReader& config) {
  // The host has checked the options against the table below; here they are only read.
  WALRIG_ASSIGN(const std::string path, config.Text("directory"));
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) {
    return ConfigError("option directory: " + path + ": " + std::generic_category().message(errno))
        .Hint("name a directory that exists");
  }
  if (ctx.log->Enabled(LogLevel::kDebug)) ctx.log->Write(LogLevel::kDebug, "storage/template", "opened " + path);
  return std::unique_ptr<Storage>(std::make_unique<DirectoryStorage>(std::move(fd)));
}

constexpr const char* kDirectorySettings[] = {"WALRIG_TEMPLATE_DIRECTORY", nullptr};
constexpr walrig_option kOptions[] = {
    sdk::Option{.name = "directory",
                .type = OptionType::kPath,
                .required = true,
                .settings = kDirectorySettings,
                .help = "Directory that holds the objects. It must exist."},
};
constexpr walrig_factory kTemplate = sdk::StorageFactory<Create>(
    {.name = "template", .description = "One file an object, a template", .options = kOptions}, kCapabilities);

}  // namespace

WALRIG_EXPORT_PLUGIN("org.walrig.storage-template", WALRIG_PLUGIN_VERSION, "MIT-0", "storage:template",
                     "One file an object, a template", &kTemplate);
