// Scan: looks at every plugin file of the search path and says what each one is.
//
// Code of an unknown file runs only in walrig-plugin-probe, one process a file, with limits and a time limit; what
// crashes or hangs is quarantined, what cannot find a library is tried again by the next scan. The probe never calls
// init.
//
// THREADS: call from the main thread (children are tied to the thread that starts them).
#pragma once

#include <string>
#include <vector>

#include "core/plugin/catalogue.h"
#include "core/plugin/search_path.h"
#include "walrig/context.h"
#include "walrig/result.h"

namespace walrig {

struct ScanOptions {
  std::vector<SearchDir> dirs;
  TrustPolicy trust;
  std::string probe;                // path of walrig-plugin-probe
  uint64_t probe_timeout_ms = 10'000;
  bool retry_unloadable = true;     // false: files that could not be loaded are believed to be so still
  std::vector<std::string> retry;   // names, "kind/name" or file names to be probed although quarantined; "*": all
};

enum class ScanChange : uint8_t { kUnchanged, kNew, kChanged, kRetried };

struct ScanReport {
  Catalogue catalogue;
  std::vector<ScanChange> changes;  // one for each of catalogue.files
  size_t removed = 0;               // files of the previous catalogue that are gone
  uint64_t elapsed_ms = 0;
};

// Looks at everything; writes nothing. `previous` may be null. A file's trouble is in its row, not in the status.
// FAILS WITH: kNotFound when there is no probe, kCancelled.
Result<ScanReport> Scan(const Context& ctx, const ScanOptions& options, const Catalogue* previous);

struct ScanWrite {
  ScanReport report;
  bool busy = false;     // another scan held the lock for 30 seconds; nothing was done
  bool written = false;  // false: the place is not writable; `why_not` says it, the report is good
  Status why_not;
  std::string path;
};

// Scans with the manifest at `path` as memory and replaces it, under its lock; asks the package manager for the owners
// of new files. A corrupt manifest is renamed to
// `<path>.bad` and the scan begins afresh.
Result<ScanWrite> ScanAndWrite(const Context& ctx, const ScanOptions& options, const std::string& path);

// Takes files of this name (as in ScanOptions::retry) out of quarantine without probing them, and tells how many there
// were; 0 touches nothing. FAILS WITH: as Manifest::Open and WriteManifest, kUnavailable while a scan runs.
Result<size_t> ReleaseFromQuarantine(const Context& ctx, const std::string& path, const std::string& name);

// Probes one file by itself; the row carries what came out.
Result<CatalogueFile> ProbeFile(const Context& ctx, const ScanOptions& options, const std::string& dir,
                                const std::string& basename);

}  // namespace walrig
