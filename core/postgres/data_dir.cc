#include "core/postgres/data_dir.h"

#include <algorithm>
#include <array>

namespace walrig {
namespace {

constexpr std::array<std::string_view, 17> kExcluded = {
    "log",           "pg_log",          "pg_xlog",     "pg_wal",      "pgsql_tmp",
    "postgresql.auto.conf.tmp",         "postmaster.pid", "postmaster.opts", "recovery.conf",
    "pg_dynshmem",   "pg_notify",       "pg_replslot", "pg_serial",   "pg_stat_tmp",
    "pg_snapshots",  "pg_subtrans",     "standby.signal"};

}  // namespace

std::span<const std::string_view> ExcludedNames() { return kExcluded; }

bool IsExcludedName(std::string_view basename) {
  return std::find(kExcluded.begin(), kExcluded.end(), basename) != kExcluded.end();
}

bool IsControlFile(std::string_view path) {
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  return path == kControlFilePath;
}

}  // namespace walrig
