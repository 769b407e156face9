// backup_label, tablespace_map (which formats back) and PG_VERSION.
#include "core/postgres/backup_label.h"
#include "core/postgres/tablespace.h"
#include "core/postgres/version.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walrig;
  const std::string_view text = fuzz::Text(data, size);
  if (const Result<BackupLabel> label = ParseBackupLabel(text); label.ok()) {
    fuzz::Check(label->start.valid() && label->checkpoint >= label->start);
  }
  if (const auto map = ParseTablespaceMap(text); map.ok()) {
    const std::string written = FormatTablespaceMap(*map);
    const auto again = ParseTablespaceMap(written);
    fuzz::Check(again.ok() && FormatTablespaceMap(*again) == written && again->size() == map->size());
  }
  if (const Result<TablespaceSpec> spec = TablespaceSpec::Parse(text, "spec"); spec.ok()) {
    const Result<TablespaceSpec> again = TablespaceSpec::FromJson(spec->ToJson(), "spec");
    fuzz::Check(again.ok() && *again == *spec);
  }
  static_cast<void>(ParsePgVersionFile(text));
  return 0;
}
