#include "plugins/common/key/key_command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string_view>
#include <vector>

namespace walrig {
namespace {

// What holds a key, or words that open one, in walrig's settings. Other variables may be what the command needs itself.
constexpr std::string_view kHidden[] = {
    "WALRIG_GCRYPT_KEY",     "WALRIG_GCRYPT_PASSPHRASE", "WALG_LIBSODIUM_KEY",     "WALG_PGP_KEY",
    "WALG_PGP_KEY_PASSPHRASE", "WALG_ENVELOPE_PGP_KEY",
};

bool IsHidden(const char* variable) {
  const std::string_view text = variable;
  const std::string_view name = text.substr(0, text.find('='));
  return std::find(std::begin(kHidden), std::end(kHidden), name) != std::end(kHidden);
}

std::vector<char*> ChildEnvironment() {
  std::vector<char*> variables;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    if (!IsHidden(*each)) variables.push_back(*each);
  }
  variables.push_back(nullptr);
  return variables;
}

uint64_t NowMs() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1000 + static_cast<uint64_t>(t.tv_nsec) / 1'000'000;
}

// A shell in a process group of its own; ended and waited for when the object goes.
class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (read_fd_ >= 0) ::close(read_fd_);
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    (void)Reap();
  }

  Status Start(const std::string& command) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return IoError(std::string("pipe: ") + std::strerror(errno));
    read_fd_ = ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    sigset_t none, usual;
    ::sigemptyset(&none);
    ::sigemptyset(&usual);
    for (const int signal : {SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::sigaddset(&usual, signal);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &usual);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::vector<char*> environment = ChildEnvironment();
    std::string shell = "sh", option = "-c", text = command;
    char* const argv[] = {shell.data(), option.data(), text.data(), nullptr};
    const int error = ::posix_spawn(&pid_, "/bin/sh", &actions, &attributes, argv, environment.data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    ::close(ends[1]);
    if (error == 0) return OkStatus();
    pid_ = -1;
    if (error == ENOMEM) return OutOfMemory("the start of /bin/sh");
    return IoError(std::string("start /bin/sh: ") + std::strerror(error));
  }

  int fd() const { return read_fd_; }
  // Whether it has ended; its wait status then.
  bool Ended(int* status) {
    pid_t got;
    do got = ::waitpid(pid_, status, WNOHANG);
    while (got < 0 && errno == EINTR);
    if (got == 0) return false;
    // Who ignores SIGCHLD never learns how its children ended: what the command printed proves nothing then.
    if (got < 0) *status = 127 << 8;
    // Descendants that the shell left behind.
    ::kill(-pid_, SIGKILL);
    pid_ = -1;
    return true;
  }

 private:
  int Reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

  pid_t pid_ = -1;
  int read_fd_ = -1;
};

class Run {
 public:
  Run(const Context& ctx, const KeyCommand& command)
      : ctx_(ctx), command_(command), end_ms_(NowMs() + command.timeout_ms) {}

  Result<SecretBytes> Go() {
    WALRIG_ASSIGN(SecretBytes secret, SecretBytes::New(command_.max_bytes + 1));
    WALRIG_TRY(child_.Start(command_.command));
    size_t filled = 0;
    while (filled < secret.size()) {
      WALRIG_TRY(Wait(child_.fd()));
      const ssize_t got = ::read(child_.fd(), secret.data() + filled, secret.size() - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return IoError(std::string("read from the command: ") + std::strerror(errno));
      if (got == 0) break;
      filled += static_cast<size_t>(got);
    }
    if (filled > command_.max_bytes) {
      return TooLarge("the command printed more than " + std::to_string(command_.max_bytes) + " bytes");
    }
    int status = 0;
    while (!child_.Ended(&status)) WALRIG_TRY(Wait(-1));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
      secret.Resize(filled);
      return secret;
    }
    return ConfigError(WIFEXITED(status) ? "the command ended with code " + std::to_string(WEXITSTATUS(status))
                                         : std::string("the command was ended by a signal"));
  }

 private:
  // Until `fd` can be read, or for a moment when it is -1.
  Status Wait(int fd) {
    const int slice_ms = fd < 0 ? 5 : 100;
    for (;;) {
      WALRIG_TRY(ctx_.Poll());
      if (NowMs() >= end_ms_) {
        return Timeout("the command took more than " + std::to_string(command_.timeout_ms) + " ms");
      }
      pollfd waits[2] = {{fd, POLLIN, 0}, {ctx_.stop.fd(), POLLIN, 0}};
      const int n = ::poll(waits, 2, slice_ms);
      if (n < 0 && errno != EINTR) return IoError(std::string("poll: ") + std::strerror(errno));
      if (n > 0 && waits[1].revents != 0) return Cancelled();
      if (n > 0 && waits[0].revents != 0) return OkStatus();
      if (fd < 0) return OkStatus();
    }
  }

  const Context& ctx_;
  const KeyCommand& command_;
  const uint64_t end_ms_;
  Child child_;
};

}  // namespace

Result<SecretBytes> RunKeyCommand(const Context& ctx, const KeyCommand& command) {
  auto secret = Run(ctx, command).Go();
  if (!secret.ok()) return std::move(secret).status().With(command.what);
  return secret;
}

}  // namespace walrig
