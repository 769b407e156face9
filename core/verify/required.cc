#include "core/verify/required.h"

#include <string>

#include "core/layout/backup_name.h"
#include "core/layout/paths.h"

namespace walrig {
void CheckRequiredTars(BackupUnderTest& backup) {
  const std::string folder = TarFolderKey(backup.name);
  auto name = ParseBackupName(backup.name);
  if (backup.objects.parts.empty()) backup.record.Add(folder, "holds no tar with files");
  if (name.ok() && !name->wale_offset.empty()) return;
  if (backup.objects.control.empty()) backup.record.Add(folder + "pg_control.tar", "missing");
  const bool label_needed = backup.members.knows_files() && !backup.members.label_is_in_parts() &&
                            backup.sentinel.pg_version >= 90600;
  if (backup.objects.label.empty() && label_needed) backup.record.Add(folder + "backup_label.tar", "missing");
}

}  // namespace walrig
