#include "plugins/common/key/key_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "plugins/common/key/key_command.h"

namespace walrig {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Status FileFailure(const std::string& place, int error) {
  const std::string text = place + ": " + std::strerror(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR: return ConfigError(text).Hint("is the path right, and the file there?");
    case EACCES:
    case EPERM: return PermissionDenied(text).Hint("the file must belong to the user that runs walrig");
    default: return IoError(text);
  }
}

Status TooLong(const std::string& place, size_t max_bytes) {
  return TooLarge(place + ": more than " + std::to_string(max_bytes) + " bytes are no key");
}

Result<SecretBytes> ReadDescriptor(int fd, const std::string& place, size_t max_bytes) {
  WALRIG_ASSIGN(SecretBytes secret, SecretBytes::New(max_bytes + 1));
  size_t filled = 0;
  while (filled < secret.size()) {
    const ssize_t got = ::read(fd, secret.data() + filled, secret.size() - filled);
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileFailure(place, errno);
    filled += static_cast<size_t>(got);
  }
  if (filled > max_bytes) return TooLong(place, max_bytes);
  secret.Resize(filled);
  return secret;
}

Result<SecretBytes> FromEnvironment(const KeySource& source, size_t max_bytes) {
  const char* const text = std::getenv(source.environment.c_str());
  const std::string place = source.what + ": environment variable " + source.environment;
  if (text == nullptr) return ConfigError(place + " is not set");
  const std::string_view value = text;
  if (value.size() > max_bytes) return TooLong(place, max_bytes);
  return SecretBytes::CopyOf(AsBytes(value));
}

Result<SecretBytes> FromCredential(const Context& ctx, const KeySource& source, size_t max_bytes) {
  const char* const directory = std::getenv("CREDENTIALS_DIRECTORY");
  const bool plain_name = source.credential.find('/') == std::string::npos && source.credential != "." &&
                          source.credential != "..";
  if (directory == nullptr || *directory == '\0' || !plain_name) {
    return ConfigError(source.what + ": there is no systemd credential of the name that is configured")
        .Hint("systemd passes credentials with LoadCredential= in $CREDENTIALS_DIRECTORY");
  }
  return ReadKeyFile(ctx, source.what, std::string(directory) + "/" + source.credential, max_bytes);
}

Result<SecretBytes> Read(const Context& ctx, const KeySource& source, size_t max_bytes) {
  if (!source.value.bytes().empty()) {
    if (source.value.bytes().size() > max_bytes) return TooLong(source.what, max_bytes);
    return SecretBytes::CopyOf(AsBytes(source.value.bytes()));
  }
  if (!source.file.empty()) return ReadKeyFile(ctx, source.what, source.file, max_bytes);
  if (!source.environment.empty()) return FromEnvironment(source, max_bytes);
  if (!source.credential.empty()) return FromCredential(ctx, source, max_bytes);
  if (!source.command.empty()) {
    return RunKeyCommand(ctx, {source.what, source.command, source.command_timeout_ms, max_bytes});
  }
  return ConfigError(source.what + " is not configured");
}

}  // namespace

Result<SecretBytes> ReadKey(const Context& ctx, const KeySource& source, size_t max_bytes) {
  WALRIG_ASSIGN(SecretBytes secret, Read(ctx, source, max_bytes));
  if (secret.empty()) return ConfigError(source.what + " is empty");
  return secret;
}

Result<SecretBytes> ReadKeyFile(const Context& ctx, const std::string& what, const std::string& path,
                                size_t max_bytes) {
  const std::string place = what + ": " + path;
  // Not blocking: a pipe without a writer would hold walrig for ever.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (file.get() < 0) return FileFailure(place, errno);
  struct stat st {};
  if (::fstat(file.get(), &st) != 0) return FileFailure(place, errno);
  if (S_ISDIR(st.st_mode)) return ConfigError(place + " is a directory");
  if (S_ISREG(st.st_mode) && (st.st_mode & S_IROTH) != 0 && ctx.log != nullptr) {
    ctx.log->Write(LogLevel::kWarning, "", place + " can be read by every user of this host; chmod 600 it");
  }
  WALRIG_ASSIGN(SecretBytes secret, ReadDescriptor(file.get(), place, max_bytes));
  if (secret.empty()) return ConfigError(place + " is empty");
  return secret;
}

}  // namespace walrig
