// Session: one connection to an SSH server, its host key checked and its user logged in, over libssh2; and the one
// channel that it carries.
//
// Everything is non-blocking: Read and Write do what can be done at once, and PollEvents() says what to wait for.
// Connecting waits, and ends on a stop, a deadline or its timeout.
//
// libssh2 1.10 signs with RSA keys only by SHA-1, which servers refuse since OpenSSH 8.8: RSA keys are told apart and
// said so, RSA host keys are not asked for.
//
// OWNS: the socket, the libssh2 session and channel. THREADS: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/fd.h"
#include "plugins/common/ssh/known_hosts.h"
#include "walrig/bytes.h"
#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/sdk/config_reader.h"

struct _LIBSSH2_SESSION;
struct _LIBSSH2_CHANNEL;

namespace walrig::ssh {

struct SessionOptions {
  std::string host;
  uint16_t port = 22;
  std::string user;                       // "" is the user that runs the program
  sdk::Secret password;                   // empty: none
  std::string password_file;              // read at each login; "" is none
  std::string private_key_path;           // "": ~/.ssh/id_ed25519 and ~/.ssh/id_ecdsa, where they are
  sdk::Secret passphrase;                 // of the key; empty: none
  std::string passphrase_file;
  bool use_agent = true;                  // when SSH_AUTH_SOCK is set and no key is named
  std::vector<std::string> known_hosts;   // empty: the user's and the system's
  uint64_t connect_timeout_ms = 30'000;   // TCP, host key and login together
  uint64_t stall_timeout_ms = 60'000;     // the server says nothing, not even to a keepalive
  uint32_t keepalive_s = 15;
};

class Session {
 public:
  // FAILS WITH: kConfig (keys, files), kPermission (the host key is unknown, changed or revoked; with the line to add),
  // kUnauthenticated, kNotSupported (no algorithm in common), kUnavailable and kTimeout (retryable).
  static Result<std::unique_ptr<Session>> Open(const Context& ctx, const SessionOptions& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Starts "subsystem" with a name, or "exec" with a command. At most once. FAILS WITH: kNotSupported when the server
  // refuses it; as Open otherwise.
  Status StartChannel(const Context& ctx, std::string_view request, std::string_view argument);

  // Takes what it can of `bytes`, maybe nothing. After 0 the next call must begin with the same bytes. FAILS WITH:
  // kUnavailable (retryable) when the connection is gone.
  Result<size_t> Write(ByteSpan bytes);
  // Gives what is there, 0 when there is nothing now. FAILS WITH: kUnavailable, also at the end of the channel.
  Result<size_t> Read(MutableByteSpan buffer);

  // What to wait for, as poll() has it.
  int fd() const noexcept { return socket_.get(); }
  short PollEvents() const;
  // A half-sent packet is waiting for the socket: only the call that began it, Write or Read, may be made.
  bool SendBlocked() const;

  // Asks the server for a sign of life when nothing was heard for keepalive_s.
  void KeepAlive();
  uint64_t heard_ms() const noexcept { return heard_ms_; }  // MonotonicMs() of the last byte
  uint64_t moved_bytes() const noexcept { return moved_bytes_; }
  const SessionOptions& options() const noexcept { return options_; }

 private:
  explicit Session(const SessionOptions& options) : options_(options) {}

  Status Connect(const Context& ctx);
  Status PreferHostKeys(const std::vector<std::string>& known_types);
  Status CheckHostKey(const KnownHosts& known);
  // Calls `step` until it says anything but "again".
  template <typename Step>
  Result<long> Drive(const Context& ctx, const char* what, Step step);
  Status Failed(long code, const char* what);

  Status LogIn(const Context& ctx);
  Result<bool> TryKey(const Context& ctx, const std::string& path, bool named);
  Result<bool> TryAgent(const Context& ctx);
  Result<bool> TryPassword(const Context& ctx, const std::string& methods);

  static ssize_t Receive(int socket, void* buffer, size_t length, int flags, void** abstract);

  const SessionOptions& options_;
  common::Fd socket_;
  _LIBSSH2_SESSION* session_ = nullptr;
  _LIBSSH2_CHANNEL* channel_ = nullptr;
  std::string user_;
  std::string tried_;  // what was tried to log in, for the message
  bool saw_rsa_ = false;
  uint64_t end_ms_ = 0;  // of connecting
  uint64_t heard_ms_ = 0;
  uint64_t moved_bytes_ = 0;
  // libssh2 asks for 16 KiB at a time; a system call for each is too many.
  Buffer received_{256 * 1024};
  size_t received_begin_ = 0, received_end_ = 0;
  const sdk::Secret* answer_ = nullptr;  // for keyboard-interactive, while it lasts

  friend struct KeyboardAnswer;
};

}  // namespace walrig::ssh
