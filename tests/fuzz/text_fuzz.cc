// Any text as the small values: numbers, sizes, durations, times, positions, names. What is understood is written and
// understood again.
#include <string>

#include "core/base/string_util.h"
#include "core/base/time_format.h"
#include "core/layout/backup_name.h"
#include "core/postgres/data_dir.h"
#include "core/postgres/lsn.h"
#include "core/postgres/recovery_conf.h"
#include "core/postgres/relation_file.h"
#include "tests/fuzz/fuzz_support.h"

namespace walrig::fuzz {
namespace {

void CheckNumbers(std::string_view text) {
  if (const auto value = ParseUint(text); value.ok()) WALRIG_ASSERT(*ParseUint(std::to_string(*value)) == *value);
  if (const auto value = ParseInt(text); value.ok()) WALRIG_ASSERT(*ParseInt(std::to_string(*value)) == *value);
  if (const auto value = ParseDouble(text); value.ok()) WALRIG_ASSERT(*value - *value == 0);
  if (const auto value = ParseSize(text); value.ok()) WALRIG_ASSERT(!FormatBytes(*value).empty());
  if (const auto ns = ParseGoDuration(text); ns.ok()) WALRIG_ASSERT(*ParseGoDuration(FormatDuration(*ns)) == *ns);
  if (const auto hex = HexDecode(text); hex.ok()) WALRIG_ASSERT(HexEncode(AsBytes(*hex)) == ToLower(text));
  (void)ParseGoBool(text);
}

void CheckTimes(std::string_view text) {
  const auto ns = ParseRfc3339(text);
  if (!ns.ok()) return CheckMessage(ns.status());
  WALRIG_ASSERT(*ParseRfc3339(FormatRfc3339Nano(*ns)) == *ns);
  (void)FormatRfc3339Seconds(*ns);
}

void CheckNames(std::string_view text) {
  if (const auto lsn = ParseLsn(text); lsn.ok()) WALRIG_ASSERT(*ParseLsn(FormatLsn(*lsn)) == *lsn);
  if (const auto name = ParseBackupName(text); name.ok()) WALRIG_ASSERT(FormatBackupName(*name) == text);
  (void)WalFileNameOfBackup(text);
  WALRIG_ASSERT(ConfSetting(text, "data_directory").size() <= text.size());
  (void)PartOfDataDir(text);
  (void)LinkHidesData(text);
  const auto relation = ParseRelationPath(text);
  if (IsPagedFile(text)) WALRIG_ASSERT(relation.has_value() && relation->fork == RelationFork::kMain);
  if (relation.has_value()) (void)FirstBlockOfSegment(relation->segment);
}

}  // namespace
}  // namespace walrig::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  using namespace walrig::fuzz;
  const std::string_view text = AsText({data, size_bytes});
  CheckNumbers(text);
  CheckTimes(text);
  CheckNames(text);
  for (const unsigned char c : Printable(text)) WALRIG_ASSERT(c >= 0x20 && c != 0x7f);
  const std::string candidates[] = {"WALG_FILE_PREFIX", "PGDATA", std::string(text.substr(0, text.size() / 2))};
  (void)NearestName(text, candidates);
  return 0;
}
