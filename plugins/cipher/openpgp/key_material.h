// From settings to keys: the text of a setting, a file, or what the local GnuPG exports. WAL-G's order: the first that
// is there counts. THREADS: functions without state; reading blocks.
#pragma once

#include <string>

#include "plugins/common/key/secret_bytes.h"
#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/sdk/config_reader.h"

namespace walrig::openpgp {

// WALG_PGP_KEY: every \n of two characters becomes a line end, as in WAL-G, so that a key fits on one line.
Result<SecretBytes> KeysFromSetting(std::string_view text);

// WALG_PGP_KEY_PATH. Warns through ctx.log when everybody may read a secret key.
Result<SecretBytes> KeysFromFile(const Context& ctx, const std::string& path);

// What `gpg` on PATH exports for `id`: the public keys, or the secret ones. FAILS WITH: kConfig.
Result<SecretBytes> KeysFromGnupg(const Context& ctx, const std::string& id, bool secret);

}  // namespace walrig::openpgp
