#include "core/postgres/data_dir.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace walrig {
namespace {

constexpr std::array<std::string_view, 17> kExcluded = {
    "log",           "pg_log",          "pg_xlog",     "pg_wal",      "pgsql_tmp",
    "postgresql.auto.conf.tmp",         "postmaster.pid", "postmaster.opts", "recovery.conf",
    "pg_dynshmem",   "pg_notify",       "pg_replslot", "pg_serial",   "pg_stat_tmp",
    "pg_snapshots",  "pg_subtrans",     "standby.signal"};

// src/bin/initdb/initdb.c, subdirs. 9.6 and before called two of them pg_clog and pg_xlog.
constexpr std::array<std::string_view, 9> kDataDirectories = {
    "base", "global", "pg_clog", "pg_commit_ts", "pg_logical", "pg_multixact", "pg_tblspc", "pg_twophase", "pg_xact"};
constexpr std::array<std::string_view, 10> kRebuiltDirectories = {
    "pg_dynshmem", "pg_notify",   "pg_replslot", "pg_serial", "pg_snapshots",
    "pg_stat",     "pg_stat_tmp", "pg_subtrans", "pg_wal",    "pg_xlog"};
constexpr std::array<std::string_view, 8> kRequiredEmpty = {"pg_dynshmem",  "pg_notify",   "pg_replslot", "pg_serial",
                                                            "pg_snapshots", "pg_stat_tmp", "pg_subtrans", "pg_wal"};

bool Holds(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

DataDirPart PartOfDataDir(std::string_view path) {
  const std::string_view first = path.substr(0, path.find('/'));
  if (Holds(kDataDirectories, first)) return DataDirPart::kData;
  return Holds(kRebuiltDirectories, first) ? DataDirPart::kRebuilt : DataDirPart::kOther;
}

bool LinkHidesData(std::string_view path) {
  if (PartOfDataDir(path) != DataDirPart::kData) return false;
  const size_t slash = path.find('/');
  const bool tablespace = path.substr(0, slash) == kTablespaceDirName && slash != std::string_view::npos &&
                          path.find('/', slash + 1) == std::string_view::npos;
  return !tablespace;
}

std::span<const std::string_view> RequiredEmptyDirectories() { return kRequiredEmpty; }

std::span<const std::string_view> ExcludedNames() { return kExcluded; }

bool IsExcludedName(std::string_view basename) {
  return Holds(kExcluded, basename);
}

bool IsControlFile(std::string_view path) {
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  return path == kControlFilePath;
}

std::string TablespaceVersionDirectory(int major, uint32_t catalog_version) {
  return fmt::format("PG_{}_{}", major, catalog_version);
}

}  // namespace walrig
