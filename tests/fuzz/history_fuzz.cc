// Any text as a .history file: a list of ancestors that ascends, or a word why not.
#include "core/postgres/history_file.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace walrig;
  using namespace walrig::fuzz;
  for (const Timeline timeline : {Timeline{3}, Timeline{UINT32_MAX}}) {
    const auto history = TimelineHistory::Parse(timeline, AsText({data, size_bytes}));
    if (!history.ok()) {
      CheckMessage(history.status());
      continue;
    }
    Timeline before = 0;
    for (const HistoryEntry& entry : history->ancestors()) {
      WALRIG_ASSERT(entry.timeline > before && entry.timeline < timeline);
      before = entry.timeline;
      WALRIG_ASSERT(history->Contains(entry.timeline, entry.switch_point));
      WALRIG_ASSERT(history->SwitchPoint(entry.timeline) == entry.switch_point);
      WALRIG_ASSERT(history->TimelineAt(entry.switch_point) > entry.timeline);
    }
    WALRIG_ASSERT(history->parent() == before);
    WALRIG_ASSERT(history->Contains(timeline, Lsn{UINT64_MAX}));
    WALRIG_ASSERT(history->TimelineAt(Lsn{UINT64_MAX}) == timeline);
  }
  return 0;
}
