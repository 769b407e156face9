// The checks of `walrig config check`.
//
// THREADS: one at a time; opens the catalogue of plugins, loads none.
#pragma once

#include <string>
#include <vector>

#include "core/config/settings.h"
#include "walrig/context.h"

namespace walrig {

class Logger;

struct ConfigFinding {
  std::string what;  // "WALG_UPLOAD_CONCURRENCY", "storage"
  bool ok = true;
  std::string text;
};

// Types of all values; the chosen storage, compressor and cipher, whether their plugins are there, and their options
// against the catalogue's schema; where PGDATA is set, whether the storage lies in that cluster.
std::vector<ConfigFinding> CheckConfig(const Context& ctx, const Settings& settings, Logger& log);

}  // namespace walrig
