// Any text as a --restore-spec, a tablespace_map and a --tablespace-mapping.
#include <string>

#include "core/postgres/backup_label.h"
#include "core/postgres/tablespace.h"
#include "tests/fuzz/fuzz_support.h"

namespace walrig::fuzz {
namespace {

void CheckSpec(std::string_view text) {
  const auto spec = TablespaceSpec::Parse(text, "spec");
  if (!spec.ok()) return CheckMessage(spec.status());
  for (const Tablespace& tablespace : spec->tablespaces()) {
    WALRIG_ASSERT(tablespace.link == "pg_tblspc/" + tablespace.name);
    WALRIG_ASSERT(!tablespace.location.empty() && tablespace.location[0] == '/');
    WALRIG_ASSERT(spec->Find(tablespace.name) != nullptr);
  }
  spec->CheckPlaces("/data").Ignore("either answer is right");
  const auto again = TablespaceSpec::FromJson(spec->ToJson(), "spec");
  WALRIG_ASSERT(again.ok());
  WALRIG_ASSERT(again->tablespaces().size() == spec->tablespaces().size());
}

void CheckMap(std::string_view text) {
  const auto map = ParseTablespaceMap(text);
  if (!map.ok()) return CheckMessage(map.status());
  const auto again = ParseTablespaceMap(FormatTablespaceMap(*map));
  WALRIG_ASSERT(again.ok() && again->size() == map->size());
  for (size_t i = 0; i < map->size(); ++i) {
    WALRIG_ASSERT((*again)[i].oid == (*map)[i].oid && (*again)[i].path == (*map)[i].path);
  }
}

void CheckMapping(std::string_view text) {
  TablespaceSpec spec("/data");
  WALRIG_ASSERT(spec.Add("16387", "/old").ok() && spec.Add("16388", "/a=b").ok());
  if (const Status status = spec.Remap(text); !status.ok()) return CheckMessage(status);
  for (const Tablespace& tablespace : spec.tablespaces()) WALRIG_ASSERT(tablespace.location[0] == '/');
}

}  // namespace
}  // namespace walrig::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig::fuzz;
  const std::string_view text = walrig::AsText({data, size_bytes});
  CheckSpec(text);
  CheckMap(text);
  CheckMapping(text);
  return 0;
}
