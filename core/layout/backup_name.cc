#include "core/layout/backup_name.h"

#include <fmt/format.h>

#include "core/base/string_util.h"

namespace walrig {
namespace {

constexpr std::string_view kPrefix = "base_";
constexpr std::string_view kDelta = "_D_";

bool IsOffset(std::string_view text) {
  return text.size() == 8 && text.find_first_not_of("0123456789ABCDEF") == std::string_view::npos;
}

}  // namespace

std::string FullBackupName(const WalName& segment) { return std::string(kPrefix) + FormatWalName(segment); }

std::string DeltaBackupName(const WalName& segment, const WalName& parent) {
  return FullBackupName(segment) + std::string(kDelta) + FormatWalName(parent);
}

std::string FormatBackupName(const BackupName& name) {
  std::string text = name.parent.has_value() ? DeltaBackupName(name.segment, *name.parent) : FullBackupName(name.segment);
  if (!name.wale_offset.empty()) text += "_" + name.wale_offset;
  return text;
}

Result<BackupName> ParseBackupName(std::string_view text) {
  const Status bad = InvalidArgument(fmt::format("'{}' is not the name of a backup", Printable(text)));
  std::string_view rest = text;
  if (!StartsWith(rest, kPrefix)) return bad;
  rest.remove_prefix(kPrefix.size());
  BackupName name;
  Result<WalName> segment = ParseWalName(rest.substr(0, kWalSegmentNameLength));
  if (!segment.ok()) return bad;
  name.segment = *segment;
  rest.remove_prefix(kWalSegmentNameLength);
  if (StartsWith(rest, kDelta)) {
    rest.remove_prefix(kDelta.size());
    Result<WalName> parent = ParseWalName(rest.substr(0, kWalSegmentNameLength));
    if (!parent.ok()) return bad;
    name.parent = *parent;
    rest.remove_prefix(kWalSegmentNameLength);
  }
  if (!rest.empty()) {
    if (rest.front() != '_' || !IsOffset(rest.substr(1))) return bad;
    name.wale_offset = rest.substr(1);
  }
  return name;
}

std::string WalFileNameOfBackup(std::string_view backup) {
  const std::string_view name = FindWalName(backup);
  return name.empty() ? std::string(kWalSegmentNameLength, 'Z') : std::string(name);
}

}  // namespace walrig
