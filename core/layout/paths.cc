#include "core/layout/paths.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "core/postgres/wal_name.h"

namespace walrig {
namespace {

std::string Join(std::string_view a, std::string_view b) {
  std::string joined(a);
  joined += b;
  return joined;
}

std::string WithExtension(std::string_view name, std::string_view extension) {
  return extension.empty() ? std::string(name) : fmt::format("{}.{}", name, extension);
}

bool TakePrefix(std::string_view* text, std::string_view prefix) {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

bool TakeNumber(std::string_view* text, uint32_t* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  if (error != std::errc()) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}

// "", "." (trailing dot) or ".ext": an extension of letters and digits, such as a plugin may have.
bool TakeExtension(std::string_view text, std::string* extension) {
  if (text.empty() || text == ".") return extension->clear(), true;
  if (text.front() != '.') return false;
  text.remove_prefix(1);
  for (char c : text) {
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) return false;
  }
  *extension = text;
  return true;
}

}  // namespace

std::string SentinelKey(std::string_view backup) { return fmt::format("{}{}{}", kBackupsFolder, backup, kSentinelSuffix); }
std::string BackupFolder(std::string_view backup) { return fmt::format("{}{}/", kBackupsFolder, backup); }
std::string MetadataKey(std::string_view backup) { return Join(BackupFolder(backup), kMetadataName); }
std::string FilesMetadataKey(std::string_view backup) { return Join(BackupFolder(backup), kFilesMetadataName); }
std::string ManifestKey(std::string_view backup) { return Join(BackupFolder(backup), kManifestName); }
std::string ProofKey(std::string_view backup) { return Join(BackupFolder(backup), kProofName); }
std::string SealKey(std::string_view backup) { return Join(BackupFolder(backup), kSealName); }
std::string TarFolderKey(std::string_view backup) { return Join(BackupFolder(backup), kTarFolder); }

std::string PartName(uint32_t number, std::string_view extension) {
  return WithExtension(fmt::format("part_{:03}.tar", number), extension);
}
std::string ControlTarName(std::string_view extension) { return WithExtension("pg_control.tar", extension); }
std::string LabelTarName(std::string_view extension) { return WithExtension("backup_label.tar", extension); }
std::string TarKey(std::string_view backup, std::string_view tar_name) { return Join(TarFolderKey(backup), tar_name); }

std::string WalKey(std::string_view wal_file, std::string_view extension) {
  return WithExtension(Join(kWalFolder, wal_file), extension);
}

std::optional<std::string> BackupOfSentinelKey(std::string_view key) {
  if (!TakePrefix(&key, kBackupsFolder) || key.size() <= kSentinelSuffix.size()) return std::nullopt;
  if (key.substr(key.size() - kSentinelSuffix.size()) != kSentinelSuffix || key.find('/') != std::string_view::npos) {
    return std::nullopt;
  }
  return std::string(key.substr(0, key.size() - kSentinelSuffix.size()));
}

std::optional<std::string> BackupOfKey(std::string_view key) {
  if (std::optional<std::string> backup = BackupOfSentinelKey(key)) return backup;
  const size_t end = key.starts_with(kBackupsFolder) ? key.find('/', kBackupsFolder.size()) : key.npos;
  if (end == key.npos) return std::nullopt;
  return std::string(key.substr(kBackupsFolder.size(), end - kBackupsFolder.size()));
}

std::optional<TarName> ParseTarName(std::string_view basename) {
  TarName name;
  if (TakePrefix(&basename, "part_")) {
    name.kind = TarKind::kPart;
    if (!TakeNumber(&basename, &name.number)) return std::nullopt;
  } else if (TakePrefix(&basename, "copy_")) {
    name.kind = TarKind::kCopy;
    if (!TakeNumber(&basename, &name.number)) return std::nullopt;
  } else if (TakePrefix(&basename, "pg_control")) {
    name.kind = TarKind::kControl;
  } else if (TakePrefix(&basename, "backup_label")) {
    name.kind = TarKind::kLabel;
  } else {
    return std::nullopt;
  }
  if (!TakePrefix(&basename, ".tar") || !TakeExtension(basename, &name.extension)) return std::nullopt;
  // The copy composer takes what is behind the last dot of "part_001.tar" for the extension.
  if (name.extension == "tar") name.extension.clear();
  return name;
}

std::optional<WalObjectName> ParseWalObjectName(std::string_view basename) {
  WalObjectName object;
  if (ClassifyWalFile(basename).kind != WalFileKind::kOther) return object.wal_file = basename, object;
  const size_t dot = basename.rfind('.');
  if (dot == std::string_view::npos || !TakeExtension(basename.substr(dot), &object.extension)) return std::nullopt;
  object.wal_file = basename.substr(0, dot);
  object.trailing_dot = object.extension.empty();
  // Metadata of WAL-G and sidecars of ours stand beside the segments.
  if (object.extension == "json" || object.extension == "walrig") return std::nullopt;
  if (ClassifyWalFile(object.wal_file).kind == WalFileKind::kOther) return std::nullopt;
  return object;
}

std::vector<WalCandidate> WalCandidates(std::string_view wal_file, std::string_view preferred_extension) {
  constexpr std::array<std::string_view, 6> kBeforeBare = {"lz4", "lzma", "gz", "", "br", "lzo"};
  const std::string base = WalKey(wal_file, "");
  std::vector<WalCandidate> candidates;
  const auto add = [&](std::string_view extension) {
    candidates.push_back({fmt::format("{}.{}", base, extension), std::string(extension)});
  };
  if (!preferred_extension.empty()) add(preferred_extension);
  for (std::string_view extension : kBeforeBare) {
    if (extension.empty() || extension != preferred_extension) add(extension);
  }
  if (preferred_extension != "zst") add("zst");
  candidates.push_back({base, ""});
  return candidates;
}

}  // namespace walrig
