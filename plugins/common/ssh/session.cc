#include "plugins/common/ssh/session.h"

#include <libssh2.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "plugins/common/ssh/base64.h"
#include "plugins/common/ssh/drive.h"
#include "plugins/common/ssh/library.h"
#include "plugins/common/ssh/wait.h"

namespace walrig::ssh {
namespace {

// RSA and DSA are left out: libssh2 1.10 knows them only with SHA-1.
constexpr std::array<const char*, 4> kHostKeyTypes = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                                                      "ecdsa-sha2-nistp521"};
// Counter mode costs least; SHA-2 for the packets' integrity.
constexpr const char* kCiphers = "aes128-ctr,aes192-ctr,aes256-ctr";
constexpr const char* kMacs = "hmac-sha2-256,hmac-sha2-512";
constexpr const char* kKeyExchanges =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
    "diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"
    "diffie-hellman-group14-sha256";
constexpr uint32_t kWindowBytes = 4u << 20;
constexpr uint32_t kPacketBytes = 32768;
// Larger reads go past our own buffer.
constexpr size_t kDirectBytes = 64 * 1024;

bool IsConnectionLoss(long code) {
  switch (code) {
    case LIBSSH2_ERROR_BANNER_RECV:
    case LIBSSH2_ERROR_BANNER_SEND:
    case LIBSSH2_ERROR_SOCKET_SEND:
    case LIBSSH2_ERROR_SOCKET_RECV:
    case LIBSSH2_ERROR_SOCKET_DISCONNECT:
    case LIBSSH2_ERROR_SOCKET_TIMEOUT:
    case LIBSSH2_ERROR_SOCKET_NONE:
    case LIBSSH2_ERROR_BAD_SOCKET:
    case LIBSSH2_ERROR_CHANNEL_CLOSED:
    case LIBSSH2_ERROR_CHANNEL_EOF_SENT: return true;
    default: return false;
  }
}

std::string HomeKnownHosts() {
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? std::string() : std::string(home) + "/.ssh/known_hosts";
}

Result<KnownHosts> LoadKnownHosts(const SessionOptions& options) {
  KnownHosts known;
  if (!options.known_hosts.empty()) {
    for (const std::string& path : options.known_hosts) WALRIG_TRY(known.AddFile(path, true));
    return known;
  }
  for (const std::string& path :
       {HomeKnownHosts(), HomeKnownHosts() + "2", std::string("/etc/ssh/ssh_known_hosts")}) {
    if (path.size() > 1) WALRIG_TRY(known.AddFile(path, false));
  }
  return known;
}

std::string WhereToAdd(const SessionOptions& options) {
  if (!options.known_hosts.empty()) return options.known_hosts.front();
  const std::string home = HomeKnownHosts();
  return home.empty() ? "/etc/ssh/ssh_known_hosts" : home;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::Open(const Context& ctx, const SessionOptions& options) {
  WALRIG_TRY(StartLibrary());
  std::unique_ptr<Session> session(new Session(options));
  WALRIG_TRY(session->Connect(ctx));
  return session;
}

Session::~Session() {
  if (session_ == nullptr) return;
  libssh2_session_set_blocking(session_, 0);
  // One try: a peer that does not read must not hold us up.
  libssh2_session_disconnect(session_, "done");
  ::shutdown(socket_.get(), SHUT_RDWR);
  // With the socket shut nothing can be left to send, so this ends; the bound is for what we do not know.
  for (int i = 0; i < 16 && libssh2_session_free(session_) == LIBSSH2_ERROR_EAGAIN; ++i) {
  }
}

Status Session::Failed(long code, const char* what) {
  char* text = nullptr;
  int length = 0;
  libssh2_session_last_error(session_, &text, &length, 0);
  std::string message = std::string(what) + ": " + options_.host + ": ";
  if (text != nullptr && length > 0) {
    for (const char c : std::string_view(text, static_cast<size_t>(length))) {
      message += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
  } else {
    message += "the connection failed";
  }
  if (code == LIBSSH2_ERROR_ALLOC) return OutOfMemory("libssh2");
  Status::Detail detail;
  detail.native_code = static_cast<int32_t>(code);
  detail.retryable = true;
  Code result = Code::kUnavailable;
  if (code == LIBSSH2_ERROR_TIMEOUT) result = Code::kTimeout;
  if (code == LIBSSH2_ERROR_INVALID_MAC || code == LIBSSH2_ERROR_DECRYPT) message += " (damaged on the way)";
  return Status(result, std::move(message)).WithDetail(std::move(detail));
}

ssize_t Session::Receive(int socket, void* buffer, size_t length, int flags, void** abstract) {
  auto& self = *static_cast<Session*>(*abstract);
  if (self.received_begin_ == self.received_end_) {
    const bool direct = length >= kDirectBytes;
    ssize_t n = 0;
    do {
      n = direct ? ::recv(socket, buffer, length, flags | MSG_NOSIGNAL)
                 : ::recv(socket, self.received_.data(), self.received_.size(), flags | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    if (n == 0) return 0;
    self.heard_ms_ = MonotonicMs();
    self.moved_bytes_ += static_cast<uint64_t>(n);
    if (direct) return n;
    self.received_begin_ = 0;
    self.received_end_ = static_cast<size_t>(n);
  }
  const size_t give = std::min(length, self.received_end_ - self.received_begin_);
  std::copy_n(self.received_.data() + self.received_begin_, give, static_cast<uint8_t*>(buffer));
  self.received_begin_ += give;
  return static_cast<ssize_t>(give);
}

Status Session::Connect(const Context& ctx) {
  end_ms_ = MonotonicMs() + options_.connect_timeout_ms;
  WALRIG_ASSIGN(const KnownHosts known, LoadKnownHosts(options_));
  WALRIG_ASSIGN(socket_, ConnectTcp(ctx, options_.host, options_.port, options_.connect_timeout_ms));
  session_ = libssh2_session_init_ex(nullptr, nullptr, nullptr, this);
  if (session_ == nullptr) return OutOfMemory("libssh2");
  libssh2_session_set_blocking(session_, 0);
  libssh2_session_callback_set(session_, LIBSSH2_CALLBACK_RECV, reinterpret_cast<void*>(&Session::Receive));
  WALRIG_TRY(PreferHostKeys(known.TypesOf(options_.host, options_.port)));
  WALRIG_ASSIGN(const long code, Drive(ctx, "ssh handshake", [this] {
                  return libssh2_session_handshake(session_, socket_.get());
                }));
  if (code != 0) {
    const bool agreed = libssh2_session_methods(session_, LIBSSH2_METHOD_MAC_SC) != nullptr;
    if (IsConnectionLoss(code) || agreed) return Failed(code, "ssh handshake");
    // libssh2 does not tell a server that hung up in mid-exchange from one that has nothing in common with us.
    return Failed(code, "ssh handshake")
        .Hint("the server needs a host key of type ed25519 or ECDSA, a cipher aes*-ctr, a MAC hmac-sha2-* and a "
              "current key exchange such as curve25519-sha256");
  }
  WALRIG_TRY(CheckHostKey(known));
  WALRIG_TRY(LogIn(ctx));
  libssh2_keepalive_config(session_, 1, options_.keepalive_s);
  return OkStatus();
}

// As OpenSSH: types of which a key is known come first, or a server with several keys would show one that is not known.
Status Session::PreferHostKeys(const std::vector<std::string>& known_types) {
  std::vector<std::string> order;
  for (const bool want_known : {true, false}) {
    for (const char* type : kHostKeyTypes) {
      const bool is_known = std::find(known_types.begin(), known_types.end(), type) != known_types.end();
      if (is_known == want_known) order.emplace_back(type);
    }
  }
  std::string list;
  for (const std::string& type : order) list += (list.empty() ? "" : ",") + type;
  const std::pair<int, const char*> wishes[] = {
      {LIBSSH2_METHOD_HOSTKEY, list.c_str()}, {LIBSSH2_METHOD_KEX, kKeyExchanges},
      {LIBSSH2_METHOD_CRYPT_CS, kCiphers},    {LIBSSH2_METHOD_CRYPT_SC, kCiphers},
      {LIBSSH2_METHOD_MAC_CS, kMacs},         {LIBSSH2_METHOD_MAC_SC, kMacs},
  };
  for (const auto& [method, names] : wishes) {
    if (const int code = libssh2_session_method_pref(session_, method, names); code != 0) {
      return Failed(code, "choose ssh algorithms");
    }
  }
  return OkStatus();
}

Status Session::CheckHostKey(const KnownHosts& known) {
  size_t length = 0;
  int kind = 0;
  const char* key = libssh2_session_hostkey(session_, &length, &kind);
  if (key == nullptr) return ProtocolError("the ssh server showed no host key");
  const std::string_view blob(key, length);
  KnownHosts::Entry entry;
  const HostVerdict verdict = known.Check(options_.host, options_.port, blob, &entry);
  if (verdict == HostVerdict::kKnown) return OkStatus();
  const char* digest = libssh2_hostkey_hash(session_, LIBSSH2_HOSTKEY_HASH_SHA256);
  std::string print = digest != nullptr ? EncodeBase64({digest, 32}) : "";
  while (print.ends_with('=')) print.pop_back();
  const std::string name = KnownHosts::NameOf(options_.host, options_.port);
  const std::string type = TypeOfBlob(blob);
  const std::string what = type + " key SHA256:" + print + " of " + name;
  if (verdict == HostVerdict::kRevoked) {
    return PermissionDenied("host key refused: the " + what + " is revoked in " + entry.where);
  }
  if (verdict == HostVerdict::kChanged) {
    return PermissionDenied("host key refused: IT HAS CHANGED, somebody may be listening: the " + what +
                            " is not the one in " + entry.where)
        .Hint("ask the server's administrator; if the change is right, take that line away and add: " + name + " " + type +
              " " + EncodeBase64(blob));
  }
  std::string others;
  for (const std::string& other : known.TypesOf(options_.host, options_.port)) others += " " + other;
  if (!others.empty()) others = " (known of this host:" + others + ")";
  return PermissionDenied("host key refused: the " + what + " is not known" + others)
      .Hint("compare the fingerprint with the server's, then add this line to " + WhereToAdd(options_) + ": " + name + " " +
            type + " " + EncodeBase64(blob));
}

Status Session::StartChannel(const Context& ctx, std::string_view request, std::string_view argument) {
  const std::string what = "open ssh " + std::string(argument);
  WALRIG_TRY(Drive(ctx, what.c_str(), [this] {
               channel_ = libssh2_channel_open_ex(session_, "session", 7, kWindowBytes, kPacketBytes, nullptr, 0);
               return channel_ == nullptr ? libssh2_session_last_errno(session_) : 0;
             }).status());
  if (channel_ == nullptr) return Failed(libssh2_session_last_errno(session_), what.c_str());
  WALRIG_ASSIGN(const long code, Drive(ctx, what.c_str(), [&] {
                  return libssh2_channel_process_startup(channel_, request.data(),
                                                         static_cast<unsigned>(request.size()), argument.data(),
                                                         static_cast<unsigned>(argument.size()));
                }));
  if (code == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED || code == LIBSSH2_ERROR_CHANNEL_FAILURE) {
    return NotSupported(what + ": " + options_.host + " refuses it").Hint("enable it in the server's sshd_config");
  }
  if (code != 0) return Failed(code, what.c_str());
  // What a login script prints to its standard error must not fill the window.
  libssh2_channel_handle_extended_data2(channel_, LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
  return OkStatus();
}

Result<size_t> Session::Write(ByteSpan bytes) {
  const ssize_t n =
      libssh2_channel_write_ex(channel_, 0, reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (n == LIBSSH2_ERROR_EAGAIN) return size_t{0};
  if (n < 0) return Failed(n, "ssh send");
  moved_bytes_ += static_cast<uint64_t>(n);
  return static_cast<size_t>(n);
}

Result<size_t> Session::Read(MutableByteSpan buffer) {
  const ssize_t n = libssh2_channel_read_ex(channel_, 0, reinterpret_cast<char*>(buffer.data()), buffer.size());
  if (n > 0) return static_cast<size_t>(n);
  if (n != LIBSSH2_ERROR_EAGAIN && n < 0) return Failed(n, "ssh receive");
  if (libssh2_channel_eof(channel_) != 0) {
    return Unavailable("ssh receive: " + options_.host + " closed the channel").Retryable();
  }
  return size_t{0};
}

short Session::PollEvents() const {
  const int directions = libssh2_session_block_directions(session_);
  short events = POLLIN;
  if ((directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0) events = POLLIN | POLLOUT;
  return events;
}

bool Session::SendBlocked() const {
  return (libssh2_session_block_directions(session_) & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0;
}

void Session::KeepAlive() {
  if (options_.keepalive_s == 0 || SendBlocked()) return;
  int next_s = 0;
  // A failure shows at the next read.
  libssh2_keepalive_send(session_, &next_s);
}

}  // namespace walrig::ssh
