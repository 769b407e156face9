#include "plugins/cipher/openpgp/key_material.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "plugins/common/key/key_source.h"

namespace walrig::openpgp {
namespace {

constexpr size_t kKeysBytesMax = 1024 * 1024;  // a ring of many keys with many signatures

bool FitsInQuotes(std::string_view id) {
  return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != '\'' && c != 0x7f;
  });
}

}  // namespace

Result<SecretBytes> KeysFromSetting(std::string_view text) {
  WALRIG_ASSIGN(SecretBytes keys, SecretBytes::CopyOf(AsBytes(text)));
  uint8_t* const begin = keys.data();
  size_t out = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    const bool line_end = begin[i] == '\\' && i + 1 < keys.size() && begin[i + 1] == 'n';
    begin[out++] = line_end ? '\n' : begin[i];
    i += line_end ? 1 : 0;
  }
  keys.Resize(out);
  return keys;
}

Result<SecretBytes> KeysFromFile(const Context& ctx, const std::string& path) {
  // A public key may be read by everybody, so the reader's warning is left out.
  Context silent = ctx;
  silent.log = nullptr;
  WALRIG_ASSIGN(SecretBytes keys, ReadKeyFile(silent, "the OpenPGP key", path, kKeysBytesMax));
  struct stat st {};
  const bool secret = keys.text().find("PRIVATE KEY BLOCK") != std::string_view::npos;
  if (secret && ctx.log != nullptr && ::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IROTH)) {
    ctx.log->Write(LogLevel::kWarning, "",
                   "the secret OpenPGP key " + path + " can be read by every user of this host; chmod 600 it");
  }
  return keys;
}

Result<SecretBytes> KeysFromGnupg(const Context& ctx, const std::string& id, bool secret) {
  if (!FitsInQuotes(id)) return ConfigError("openpgp: WALG_GPG_KEY_ID is not the id of a key");
  KeySource source;
  source.what = secret ? "the secret OpenPGP key that gpg exports (WALG_GPG_KEY_ID)"
                       : "the OpenPGP key that gpg exports (WALG_GPG_KEY_ID)";
  source.command = std::string("exec gpg --batch --quiet --armor ") + (secret ? "--export-secret-keys" : "--export") +
                   " -- '" + id + "'";
  Result<SecretBytes> keys = ReadKey(ctx, source, kKeysBytesMax);
  if (keys.ok() || keys.status().code() != Code::kConfig) return keys;
  return std::move(keys).status().Hint(
      secret ? "a key with a passphrase cannot be exported unasked: export it to a file for WALG_PGP_KEY_PATH"
             : "`gpg --list-keys ID` must know the key, as the user that runs walrig");
}

}  // namespace walrig::openpgp
