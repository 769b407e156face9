#include "core/catalog/backup_objects.h"

#include <algorithm>

#include "core/layout/paths.h"
#include "core/layout/plugin_set.h"
#include "core/storage/objects.h"

namespace walrig {

std::optional<TarObject> ClassifyTarName(std::string_view file_name) {
  auto parsed = ParseTarName(file_name);
  if (!parsed) return std::nullopt;
  TarObject object;
  object.kind = parsed->kind == TarKind::kControl ? TarObject::Kind::kControl
                : parsed->kind == TarKind::kLabel ? TarObject::Kind::kLabel
                                                  : TarObject::Kind::kPart;
  object.file_name = file_name;
  object.stem = file_name.substr(0, file_name.find(".tar") + 4);
  object.extension = CanonicalExtension(parsed->extension);
  return object;
}

Result<BackupObjects> ListBackupObjects(const Context& ctx, Storage& storage, const std::string& backup_name) {
  const std::string folder = BackupFolder(backup_name);
  const std::string tars = TarFolderKey(backup_name);
  WALRIG_ASSIGN(std::vector<ObjectInfo> entries, ListAll(ctx, storage, folder));
  BackupObjects objects;
  for (const ObjectInfo& entry : entries) {
    if (entry.key == ManifestKey(backup_name)) {
      objects.has_manifest = true;
      objects.manifest_size_bytes = entry.size_bytes;
    }
    if (entry.key == FilesMetadataKey(backup_name)) objects.has_files_metadata = true;
    if (entry.key == ProofKey(backup_name)) objects.has_proof = true;
    if (entry.key == SealKey(backup_name)) objects.has_seal = true;
    if (entry.key.compare(0, tars.size(), tars) != 0) continue;
    auto object = ClassifyTarName(std::string_view(entry.key).substr(tars.size()));
    if (!object) {
      objects.foreign.push_back(entry.key);
      continue;
    }
    object->key = entry.key;
    object->size_bytes = entry.size_bytes;
    objects.stored_bytes += entry.size_bytes;
    auto& list = object->kind == TarObject::Kind::kControl ? objects.control
                 : object->kind == TarObject::Kind::kLabel ? objects.label
                                                           : objects.parts;
    list.push_back(*std::move(object));
  }
  std::stable_sort(objects.parts.begin(), objects.parts.end(),
                   [](const TarObject& a, const TarObject& b) { return a.size_bytes > b.size_bytes; });
  return objects;
}

}  // namespace walrig
