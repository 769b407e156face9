// What a data directory is made of, and what of it is never copied.
//
// The list is WAL-G's (internal/databases/postgres/bundle.go), by base name at any depth: a file is left out, a
// directory keeps its entry and loses its content.
// THREADS: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace walrig {

std::span<const std::string_view> ExcludedNames();
bool IsExcludedName(std::string_view basename);

// "global/pg_control", with or without a leading '/': stored on its own, last.
bool IsControlFile(std::string_view path);

// What `path` (relative, without a leading '/') belongs to, by its first part.
enum class DataDirPart {
  kOther,       // configuration, and whatever else somebody put there
  kData,        // base, global, pg_xact and the like, and what lies in them: a server without it has lost data
  kRebuilt,     // pg_wal, pg_stat, pg_notify and the like: the server needs the directory, not its old content
};
DataDirPart PartOfDataDir(std::string_view path);

// Whether a symbolic link in the place of `path` stands for data that a copy of the link alone does not have. A link right
// below pg_tblspc is a tablespace's, whose content is copied as such.
bool LinkHidesData(std::string_view path);

// Directories that are never copied with their content and without which a server does not start (10 and later).
std::span<const std::string_view> RequiredEmptyDirectories();

// "PG_15_202209061": the only directory of a tablespace that is the server's own (TABLESPACE_VERSION_DIRECTORY).
std::string TablespaceVersionDirectory(int major, uint32_t catalog_version);

inline constexpr std::string_view kControlFilePath = "global/pg_control";
inline constexpr std::string_view kBackupLabelName = "backup_label";
inline constexpr std::string_view kTablespaceMapName = "tablespace_map";
inline constexpr std::string_view kPgVersionName = "PG_VERSION";
inline constexpr std::string_view kPostmasterPidName = "postmaster.pid";
inline constexpr std::string_view kTablespaceDirName = "pg_tblspc";
inline constexpr std::string_view kWalDirName = "pg_wal";

}  // namespace walrig
