// How a Session logs in: by the key that was named, or by the agent and the usual keys, then by password.
#include <libssh2.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "plugins/common/ssh/drive.h"
#include "plugins/common/ssh/key_file.h"
#include "plugins/common/ssh/session.h"

namespace walrig::ssh {
namespace {

constexpr int kAgentKeysMax = 6;  // sshd hangs up after MaxAuthTries, 6 by default

constexpr const char* kRsaHint =
    "RSA keys cannot be used: libssh2 signs with them only by SHA-1, which servers refuse; make an ed25519 or ECDSA key "
    "(ssh-keygen -t ed25519) and name it in SSH_PRIVATE_KEY_PATH";

std::string LocalUser() {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return entry.pw_name;
  return "";
}

bool Offers(const std::string& methods, std::string_view method) {
  return ("," + methods + ",").find("," + std::string(method) + ",") != std::string::npos;
}

struct FreeAgent {
  void operator()(LIBSSH2_AGENT* agent) const noexcept {
    libssh2_agent_disconnect(agent);
    libssh2_agent_free(agent);
  }
};

// "ssh-rsa" at the front of a public key's wire form.
bool IsRsaBlob(const unsigned char* blob, size_t length) {
  return TypeOfBlob({reinterpret_cast<const char*>(blob), length}) == "ssh-rsa";
}

}  // namespace

// libssh2 calls back with the session's own pointer; it frees what it is given with free().
struct KeyboardAnswer {
  static void Give(const char*, int, const char*, int, int prompts, const LIBSSH2_USERAUTH_KBDINT_PROMPT*,
                   LIBSSH2_USERAUTH_KBDINT_RESPONSE* responses, void** abstract) {
    const auto& self = *static_cast<Session*>(*abstract);
    for (int i = 0; i < prompts; ++i) {
      const std::string_view answer = self.answer_ != nullptr ? self.answer_->bytes() : std::string_view();
      auto* text = static_cast<char*>(std::malloc(answer.size() + 1));
      if (text == nullptr) return;
      std::memcpy(text, answer.data(), answer.size());
      text[answer.size()] = '\0';
      responses[i].text = text;
      responses[i].length = static_cast<unsigned>(answer.size());
    }
  }
};

Status Session::LogIn(const Context& ctx) {
  user_ = options_.user.empty() ? LocalUser() : options_.user;
  if (user_.empty()) return ConfigError("no user to log in as").Hint("set SSH_USERNAME");
  char* list = nullptr;
  WALRIG_ASSIGN(const long code, Drive(ctx, "ssh login", [&] {
                  list = libssh2_userauth_list(session_, user_.data(), static_cast<unsigned>(user_.size()));
                  return list == nullptr ? libssh2_session_last_errno(session_) : 0;
                }));
  if (list == nullptr) {
    if (libssh2_userauth_authenticated(session_) != 0) return OkStatus();
    return Failed(code, "ssh login");
  }
  const std::string methods = list;
  bool in = false;
  if (Offers(methods, "publickey")) {
    if (!options_.private_key_path.empty()) {
      WALRIG_ASSIGN(in, TryKey(ctx, options_.private_key_path, true));
    } else {
      WALRIG_ASSIGN(in, TryAgent(ctx));
      const char* home = std::getenv("HOME");
      for (const char* name : {"/.ssh/id_ed25519", "/.ssh/id_ecdsa"}) {
        const std::string path = (home != nullptr ? home : "") + std::string(name);
        if (in || home == nullptr || ::access(path.c_str(), R_OK) != 0) continue;
        WALRIG_ASSIGN(in, TryKey(ctx, path, false));
      }
    }
  }
  if (!in) {
    WALRIG_ASSIGN(in, TryPassword(ctx, methods));
  }
  if (in) return OkStatus();
  Status refused(Code::kUnauthenticated, "ssh login: " + options_.host + " does not let " + user_ + " in; tried: " +
                                             (tried_.empty() ? "nothing" : tried_) + "; the server takes: " + methods);
  return std::move(refused).Hint(saw_rsa_ ? kRsaHint
                                          : "check SSH_USERNAME, and SSH_PRIVATE_KEY_PATH (its public half belongs "
                                            "into the server's authorized_keys), the agent or SSH_PASSWORD");
}

Result<bool> Session::TryKey(const Context& ctx, const std::string& path, bool named) {
  WALRIG_ASSIGN(const KeyFile key, ReadKeyFile(path));
  if (key.kind == KeyKind::kDsa || key.kind == KeyKind::kOther) {
    return ConfigError("private key " + path + " is of a type that cannot be used")
        .Hint("make an ed25519 or ECDSA key: ssh-keygen -t ed25519");
  }
  saw_rsa_ = saw_rsa_ || key.kind == KeyKind::kRsa;
  sdk::Secret from_file;
  if (!options_.passphrase_file.empty()) {
    WALRIG_ASSIGN(from_file, ReadSecretFile(options_.passphrase_file));
  }
  std::string phrase(options_.passphrase_file.empty() ? options_.passphrase.bytes() : from_file.bytes());
  if (key.encrypted && phrase.empty()) {
    if (!named) return false;
    return ConfigError("private key " + path + " is encrypted, and no passphrase is set")
        .Hint("set WALRIG_SSH_KEY_PASSPHRASE or WALRIG_SSH_KEY_PASSPHRASE_FILE, or use the agent");
  }
  tried_ += (tried_.empty() ? "key " : ", key ") + path;
  const std::string_view text = key.text.bytes();
  const Result<long> code = Drive(ctx, "ssh login", [&] {
    return libssh2_userauth_publickey_frommemory(session_, user_.data(), user_.size(), nullptr, 0, text.data(),
                                                 text.size(), phrase.empty() ? nullptr : phrase.c_str());
  });
  sdk::Secret::WipeBytes(phrase.data(), phrase.size());
  if (!code.ok()) return code.status();
  if (*code == 0) return true;
  if (*code == LIBSSH2_ERROR_AUTHENTICATION_FAILED || *code == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED) return false;
  if (*code == LIBSSH2_ERROR_FILE || *code == LIBSSH2_ERROR_KEYFILE_AUTH_FAILED ||
      *code == LIBSSH2_ERROR_METHOD_NONE || *code == LIBSSH2_ERROR_PROTO || *code == LIBSSH2_ERROR_METHOD_NOT_SUPPORTED) {
    return ConfigError("private key " + path + ": " + (key.encrypted ? "the passphrase is wrong, or it" : "it") +
                       " cannot be read")
        .Hint("ssh-keygen -y -f " + path + " tells whether the key is whole");
  }
  return Failed(*code, "ssh login");
}

Result<bool> Session::TryAgent(const Context& ctx) {
  const char* place = std::getenv("SSH_AUTH_SOCK");
  if (!options_.use_agent || place == nullptr || *place == '\0') return false;
  tried_ += tried_.empty() ? "agent" : ", agent";
  const std::unique_ptr<LIBSSH2_AGENT, FreeAgent> agent(libssh2_agent_init(session_));
  // An agent that is not there is no reason to stop: there may be a password.
  if (agent == nullptr || libssh2_agent_connect(agent.get()) != 0 || libssh2_agent_list_identities(agent.get()) != 0) {
    tried_ += " (it does not answer)";
    return false;
  }
  libssh2_agent_publickey* last = nullptr;
  libssh2_agent_publickey* key = nullptr;
  int tries = 0;
  while (tries < kAgentKeysMax && libssh2_agent_get_identity(agent.get(), &key, last) == 0) {
    last = key;
    if (IsRsaBlob(key->blob, key->blob_len)) {
      saw_rsa_ = true;
      continue;
    }
    ++tries;
    WALRIG_ASSIGN(const long code, Drive(ctx, "ssh login", [&] {
                    return libssh2_agent_userauth(agent.get(), user_.c_str(), key);
                  }));
    if (code == 0) return true;
    if (code == LIBSSH2_ERROR_SOCKET_DISCONNECT || code == LIBSSH2_ERROR_SOCKET_RECV) return Failed(code, "ssh login");
  }
  if (tries == 0) tried_ += " (it has no ed25519 or ECDSA key)";
  return false;
}

Result<bool> Session::TryPassword(const Context& ctx, const std::string& methods) {
  sdk::Secret from_file;
  if (!options_.password_file.empty()) {
    WALRIG_ASSIGN(from_file, ReadSecretFile(options_.password_file));
  }
  const sdk::Secret& password = options_.password_file.empty() ? options_.password : from_file;
  if (password.bytes().empty()) return false;
  const auto user_bytes = static_cast<unsigned>(user_.size());
  Result<long> code = long{LIBSSH2_ERROR_AUTHENTICATION_FAILED};
  if (Offers(methods, "password")) {
    tried_ += tried_.empty() ? "password" : ", password";
    code = Drive(ctx, "ssh login", [&] {
      return libssh2_userauth_password_ex(session_, user_.data(), user_bytes, password.bytes().data(),
                                          static_cast<unsigned>(password.bytes().size()), nullptr);
    });
  } else if (Offers(methods, "keyboard-interactive")) {
    tried_ += tried_.empty() ? "keyboard-interactive" : ", keyboard-interactive";
    answer_ = &password;
    code = Drive(ctx, "ssh login", [&] {
      return libssh2_userauth_keyboard_interactive_ex(session_, user_.data(), user_bytes, &KeyboardAnswer::Give);
    });
    answer_ = nullptr;
  }
  if (!code.ok()) return code.status();
  if (*code == 0) return true;
  if (*code == LIBSSH2_ERROR_AUTHENTICATION_FAILED || *code == LIBSSH2_ERROR_PASSWORD_EXPIRED) return false;
  return Failed(*code, "ssh login");
}

}  // namespace walrig::ssh
