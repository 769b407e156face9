// backup_manifest as it is, and with a right checksum line put behind it.
#include "core/base/checksum.h"
#include "core/postgres/backup_manifest.h"
#include "tests/fuzz/fuzz_support.h"

namespace {

using namespace walrig;

class Looker final : public BackupManifestVisitor {
 public:
  Status OnFile(ManifestFile file) override {
    fuzz::Check(!file.path.empty() && file.path.front() != '/' && file.path.find('\0') == std::string::npos);
    return OkStatus();
  }
  Status OnWalRange(const ManifestWalRange& range) override { return fuzz::Check(range.start <= range.end), OkStatus(); }
};

void Read(std::string_view text) {
  const Context ctx;
  Looker looker;
  fuzz::PieceSource source(text);
  static_cast<void>(ReadBackupManifest(ctx, source, looker));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = fuzz::Text(data, size);
  Read(text);
  Result<Sha256> hash = Sha256::New();
  if (!hash.ok()) return 0;
  std::string sealed(text.substr(0, text.rfind("\"Manifest-Checksum\"")));
  hash->Update(AsBytes(sealed));
  Read(sealed + "\"Manifest-Checksum\": \"" + hash->Hex() + "\"}\n");
  return 0;
}
