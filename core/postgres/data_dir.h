// What a data directory is made of, and what of it is never copied.
//
// The list is WAL-G's (internal/databases/postgres/bundle.go), by base name at any depth: a file is left out, a
// directory keeps its entry and loses its content.
// THREADS: pure functions.
#pragma once

#include <span>
#include <string_view>

namespace walrig {

std::span<const std::string_view> ExcludedNames();
bool IsExcludedName(std::string_view basename);

// "global/pg_control", with or without a leading '/': stored on its own, last.
bool IsControlFile(std::string_view path);

inline constexpr std::string_view kControlFilePath = "global/pg_control";
inline constexpr std::string_view kBackupLabelName = "backup_label";
inline constexpr std::string_view kTablespaceMapName = "tablespace_map";
inline constexpr std::string_view kPgVersionName = "PG_VERSION";
inline constexpr std::string_view kPostmasterPidName = "postmaster.pid";
inline constexpr std::string_view kTablespaceDirName = "pg_tblspc";
inline constexpr std::string_view kWalDirName = "pg_wal";

}  // namespace walrig
