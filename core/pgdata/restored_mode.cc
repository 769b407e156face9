#include "core/pgdata/restored_mode.h"

#include "core/postgres/data_dir.h"

namespace walrig {
namespace {

constexpr uint32_t kSetGroupId = 02000, kGroupAccess = 0750;

bool LetsGroupIn(uint32_t root) { return (root & kGroupAccess) == kGroupAccess; }

bool ServerWrites(std::string_view name) {
  return PartOfDataDir(name) != DataDirPart::kOther || name == kBackupLabelName || name == kTablespaceMapName;
}

}  // namespace

uint32_t RestoredRootMode(uint32_t stored) {
  return (stored & (kGroupAccess | kSetGroupId)) | 0700u;
}

uint32_t RestoredDirectoryMode(uint32_t stored) { return (stored & (0777u | kSetGroupId)) | 0700u; }

uint32_t RestoredFileMode(std::string_view name, uint32_t stored, bool foreign) {
  uint32_t mode = stored & 0777u;
  if (foreign) {
    mode |= (mode & 070u) << 3 | (mode & 07u) << 6;
    if ((mode & 07u) == 0) mode &= 0700u;
  }
  return mode | (ServerWrites(name) ? 0600u : 0400u);
}

uint32_t MadeFileMode(uint32_t root) { return LetsGroupIn(root) ? 0640 : 0600; }

uint32_t MadeDirectoryMode(uint32_t root) { return LetsGroupIn(root) ? kGroupAccess : 0700; }

}  // namespace walrig
