// Names in a storage: constants and builders, all relative to the storage's prefix.
//
//   basebackups_005/<backup>_backup_stop_sentinel.json    commit marker, written last
//   basebackups_005/<backup>/metadata.json, files_metadata.json, backup_manifest, walrig.json
//   basebackups_005/<backup>/tar_partitions/part_001.tar.zst, pg_control.tar.zst, backup_label.tar.zst
//   wal_005/<wal file>.zst
//   wal_005/walrig.archive
//
// docs/formats/storage_layout.md. Builders join; nothing is checked or normalised.
// THREADS: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace walrig {

inline constexpr std::string_view kBackupsFolder = "basebackups_005/";
inline constexpr std::string_view kWalFolder = "wal_005/";
// Says that here is an archive (core/catalog/archive_marker). Its name is not a WAL file's, in WAL-G's eyes neither.
inline constexpr std::string_view kArchiveMarkerKey = "wal_005/walrig.archive";
inline constexpr std::string_view kCatchupFolder = "catchup_005/";
inline constexpr std::string_view kTarFolder = "tar_partitions/";
inline constexpr std::string_view kSentinelSuffix = "_backup_stop_sentinel.json";
inline constexpr std::string_view kMetadataName = "metadata.json";
inline constexpr std::string_view kFilesMetadataName = "files_metadata.json";
inline constexpr std::string_view kManifestName = "backup_manifest";
inline constexpr std::string_view kProofName = "walrig.json";
inline constexpr std::string_view kSealName = "walrig.json.seal";
inline constexpr std::string_view kClaimName = "walrig.claim";  // only while the backup is being written

std::string SentinelKey(std::string_view backup);
// "basebackups_005/<backup>/": everything of a backup but its sentinel.
std::string BackupFolder(std::string_view backup);
std::string MetadataKey(std::string_view backup);
std::string FilesMetadataKey(std::string_view backup);
std::string ManifestKey(std::string_view backup);
std::string ProofKey(std::string_view backup);
std::string SealKey(std::string_view backup);
std::string TarFolderKey(std::string_view backup);

// "part_001.tar.zst"; extension "" gives "part_001.tar".
std::string PartName(uint32_t number, std::string_view extension);
std::string ControlTarName(std::string_view extension);
std::string LabelTarName(std::string_view extension);
std::string TarKey(std::string_view backup, std::string_view tar_name);

std::string WalKey(std::string_view wal_file, std::string_view extension);

// The backup whose sentinel `key` is, "base_..."; nothing for other keys, and for sentinels in sub-folders.
std::optional<std::string> BackupOfSentinelKey(std::string_view key);
// The backup that an object belongs to, be it its sentinel or in its folder; nothing for other keys.
std::optional<std::string> BackupOfKey(std::string_view key);

enum class TarKind { kPart, kCopy, kControl, kLabel };
struct TarName {
  TarKind kind = TarKind::kPart;
  uint32_t number = 0;     // of kPart and kCopy
  std::string extension;   // "" also for the trailing dot that releases up to v3.0.8 wrote with method none
};
// What an object in tar_partitions/ is, by its base name: "part_001.tar.zst", "part_001.tar.", "copy_0.tar.tar"
// (WAL-G's copy composer over method none). Nothing for strangers.
std::optional<TarName> ParseTarName(std::string_view basename);

// Base name of a WAL object -> the file it holds and its extension: "X.partial.zst" -> "X.partial", "zst"; "X.zst.walrig",
// "X.json" and "X_delta.lz4" are not WAL. Nothing for what is no WAL file.
struct WalObjectName {
  std::string wal_file;
  std::string extension;   // "" for bare and trailing-dot names
  bool trailing_dot = false;
};
std::optional<WalObjectName> ParseWalObjectName(std::string_view basename);

// The suffixes under which a WAL file may be stored, in WAL-G's probing order, the preferred one first when given:
// ".lz4", ".lzma", ".gz", ".", ".br", ".lzo", ".zst", "".
struct WalCandidate {
  std::string key;
  std::string extension;   // for the decoder; "" identity
};
std::vector<WalCandidate> WalCandidates(std::string_view wal_file, std::string_view preferred_extension = "");

}  // namespace walrig
