// walrig key new, list, rotate: the key ring of a cipher, as a file.
//
// The cipher's plugin makes keys and knows the text; here are the file, its lock and what is printed, never a key.
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <vector>

#include "cli/command.h"
#include "cli/commands/common.h"
#include "cli/output.h"
#include "cli/usage.h"
#include "cli/wiring.h"
#include "core/base/errno_status.h"
#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/io/durable_file.h"

namespace walrig {
namespace {

constexpr size_t kRingBytesMax = 256 * 1024;

// Bytes that are zeroed when they go.
class Wiped {
 public:
  explicit Wiped(size_t size) : bytes_(size) {}
  ~Wiped() { explicit_bzero(bytes_.data(), bytes_.size()); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  MutableByteSpan span() { return bytes_; }
  ByteSpan first(size_t n) const { return ByteSpan(bytes_).first(n); }

 private:
  std::vector<uint8_t> bytes_;
};

// The file of a ring, locked against another `walrig key` until the object goes. A ring that is replaced while somebody
// waits for the lock is another file by then, so it is opened anew.
class RingFile {
 public:
  Status Open(const std::string& path, bool may_be_missing) {
    path_ = path;
    for (;;) {
      fd_ = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!fd_.valid() && errno == ENOENT && may_be_missing) return OkStatus();
      if (!fd_.valid()) return ErrnoStatus(errno, "open " + path);
      struct stat there {};
      if (::flock(fd_.get(), LOCK_EX) != 0 || ::fstat(fd_.get(), &info_) != 0) return ErrnoStatus(errno, "lock " + path);
      if (!S_ISREG(info_.st_mode)) return ConfigError(path + " is not a file");
      // The file itself is replaced, not a link that leads to it.
      const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
      if (real == nullptr) continue;
      path_ = real.get();
      if (::stat(path_.c_str(), &there) == 0 && info_.st_ino == there.st_ino && info_.st_dev == there.st_dev) break;
    }
    while (size_ < kRingBytesMax) {
      const ssize_t got = ::read(fd_.get(), text_.span().data() + size_, kRingBytesMax - size_);
      if (got < 0 && errno != EINTR) return ErrnoStatus(errno, "read " + path);
      if (got == 0) return OkStatus();
      if (got > 0) size_ += static_cast<size_t>(got);
    }
    return TooLarge(path + " is too large for a key ring");
  }
  bool exists() const { return fd_.valid(); }
  ByteSpan text() const { return text_.first(size_); }

  // Puts `text` in the file's place. A file that was there keeps owner and mode: PostgreSQL's user must read it as before,
  // whoever rotates.
  Status Replace(const Context& ctx, ByteSpan text) {
    WALRIG_ASSIGN(auto file, DurableFile::Create(path_, {.mode = 0600, .replace = exists()}));
    WALRIG_TRY(file->Write(ctx, text));
    if (exists()) {
      struct stat made {};
      if (::fstat(file->fd(), &made) != 0) return ErrnoStatus(errno, "stat " + path_);
      const bool same = made.st_uid == info_.st_uid && made.st_gid == info_.st_gid;
      if (!same && ::fchown(file->fd(), info_.st_uid, info_.st_gid) != 0) {
        return ErrnoStatus(errno, "keep the owner of " + path_).Hint("run this as the file's owner, or as root");
      }
      if (::fchmod(file->fd(), info_.st_mode & 0777) != 0) return ErrnoStatus(errno, "keep the mode of " + path_);
    }
    return file->Commit(ctx);
  }

 private:
  Fd fd_;
  std::string path_;   // without links when the file exists
  struct stat info_ {};
  Wiped text_{kRingBytesMax};
  size_t size_ = 0;
};

Result<std::string> RingPath(const Invocation& call) {
  std::string path = call.Argument(0);
  if (path.empty()) path = call.settings.Text("WALRIG_GCRYPT_KEY_FILE");
  if (!path.empty()) return path;
  return ConfigError("no key ring is named").Hint("name its file, or set WALRIG_GCRYPT_KEY_FILE");
}

// A cipher that has no key yet and needs none for this.
Result<std::unique_ptr<Cipher>> OpenCipher(Invocation& call, Wiring& wiring) {
  std::string name = "gcrypt";
  if (const auto named = call.settings.FindExplicit("WALRIG_CIPHER"); named.has_value()) {
    name = named->text.substr(0, named->text.find(','));
  }
  if (name != "gcrypt") {
    return NotSupported("cipher " + Printable(name) + " keeps no key ring").Hint("walrig key makes keys of cipher gcrypt");
  }
  WALRIG_ASSIGN(Registry* const plugins, wiring.registry(call.ctx));
  return plugins->NewCipher(call.ctx, name, {{"purpose", "keys"}}, SettingLookup());
}

struct KeyLine {
  std::string id, kind, created, use;
};

Result<std::vector<KeyLine>> List(Cipher& cipher, ByteSpan ring) {
  std::vector<uint8_t> out(kRingBytesMax);
  size_t size = 0;
  WALRIG_TRY(cipher.EditKeys(KeyVerb::kList, "", ring, out, &size));
  std::vector<KeyLine> lines;
  for (const std::string& line : Split(AsText(ByteSpan(out).first(size)), '\n')) {
    const std::vector<std::string> words = Split(line, '\t');
    if (words.size() == 4) lines.push_back({words[0], words[1], words[2], words[3]});
  }
  return lines;
}

Json ToJson(const KeyLine& key) {
  return {{"id", key.id}, {"kind", key.kind}, {"created", key.created}, {"writes", key.use == "write"}};
}

Result<ExitCode> Change(Invocation& call, KeyVerb verb) {
  WALRIG_ASSIGN(const std::string path, RingPath(call));
  WALRIG_TRY(ForbidCoreDumps(call.settings));
  RingFile ring;
  WALRIG_TRY(ring.Open(path, verb == KeyVerb::kAdd));
  Wiring wiring(call.settings, call.log);
  WALRIG_ASSIGN(auto cipher, OpenCipher(call, wiring));
  std::set<std::string> before;
  if (ring.exists()) {
    WALRIG_ASSIGN(const auto keys, List(*cipher, ring.text()));
    for (const KeyLine& key : keys) before.insert(key.id);
  }
  Wiped changed(kRingBytesMax);
  size_t size = 0;
  WALRIG_TRY(cipher->EditKeys(verb, call.Text("kind"), ring.text(), changed.span(), &size));
  WALRIG_TRY(ring.Replace(call.ctx, changed.first(size)));
  WALRIG_ASSIGN(const auto keys, List(*cipher, changed.first(size)));
  for (const KeyLine& key : keys) {
    if (before.count(key.id) != 0) continue;
    if (call.Has("json")) {
      call.out.Json(ToJson(key));
    } else {
      call.out.Write(fmt::format("key {} ({}) is in {}{}\n", key.id, key.kind, path,
                                 key.use == "write" ? "; new objects are written with it" : ""));
    }
  }
  if (!call.Has("json")) call.out.Write("keep a copy of the file apart from the backups: without it they cannot be read\n");
  return ExitCode::kOk;
}

Result<ExitCode> RunNew(Invocation& call) { return Change(call, KeyVerb::kAdd); }
Result<ExitCode> RunRotate(Invocation& call) { return Change(call, KeyVerb::kRotate); }

Result<ExitCode> RunList(Invocation& call) {
  WALRIG_ASSIGN(const std::string path, RingPath(call));
  WALRIG_TRY(ForbidCoreDumps(call.settings));
  RingFile ring;
  WALRIG_TRY(ring.Open(path, false));
  Wiring wiring(call.settings, call.log);
  WALRIG_ASSIGN(auto cipher, OpenCipher(call, wiring));
  if (call.Has("public")) {
    std::vector<uint8_t> halves(kRingBytesMax);
    size_t size = 0;
    WALRIG_TRY(cipher->EditKeys(KeyVerb::kPublic, "", ring.text(), halves, &size));
    call.out.Write(std::string(AsText(ByteSpan(halves).first(size))));
    return ExitCode::kOk;
  }
  WALRIG_ASSIGN(const auto keys, List(*cipher, ring.text()));
  Json all = Json::array();
  for (const KeyLine& key : keys) {
    all.push_back(ToJson(key));
    if (!call.Has("json")) call.out.Write(fmt::format("{}  {:13}  {:20}  {}\n", key.id, key.kind, key.created, key.use));
  }
  if (call.Has("json")) call.out.Json(all);
  return ExitCode::kOk;
}

constexpr CliOption kKind{.name = "kind",
                          .kind = OptionKind::kValue,
                          .value_name = "KIND",
                          .help = "symmetric, or x25519 for a key whose public half is enough to write",
                          .choices = "symmetric|x25519"};
constexpr CliOption kKeyJson{.name = "json", .help = "Print JSON"};
constexpr CliOption kChangeOptions[] = {kKind, kKeyJson};
constexpr CliOption kKeyListOptions[] = {
    {.name = "public", .help = "Print a key ring of the public halves, for hosts that write and must not read"}, kKeyJson};

Result<ExitCode> RunKeyAlone(Invocation& call) {
  if (!call.arguments.empty()) return UsageError(call, "key: new, list or rotate");
  call.out.Write(CommandHelp(KeyCommands()[0]));
  return ExitCode::kOk;
}

constexpr Command kKeyCommands[] = {
    {.name = "key",
     .summary = "Make, show and rotate keys for cipher gcrypt",
     .arguments_max = 1000,
     .hidden = true,
     .needs_settings = false,
     .run = RunKeyAlone},
    {.name = "key new",
     .summary = "Make a key for cipher gcrypt",
     .arguments = "[FILE]",
     .description = "Adds a key to the key ring FILE, which is made if it is not there, readable by its owner alone.\n"
                    "The first key of a ring is the one that new objects are written with. FILE defaults to\n"
                    "WALRIG_GCRYPT_KEY_FILE.",
     .options = kChangeOptions,
     .arguments_max = 1,
     .hint = ArgumentHint::kFile,
     .run = RunNew},
    {.name = "key list",
     .summary = "Show the keys of a key ring, without the keys themselves",
     .arguments = "[FILE]",
     .options = kKeyListOptions,
     .arguments_max = 1,
     .hint = ArgumentHint::kFile,
     .run = RunList},
    {.name = "key rotate",
     .summary = "Make a new key and write new objects with it",
     .arguments = "[FILE]",
     .description = "The keys that were there stay in the ring, so that everything older remains readable.",
     .options = kChangeOptions,
     .arguments_max = 1,
     .hint = ArgumentHint::kFile,
     .run = RunRotate},
};

}  // namespace

std::span<const Command> KeyCommands() { return kKeyCommands; }

}  // namespace walrig
