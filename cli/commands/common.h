// What several commands need: selection of a backup, checks of settings, small formatting.
//
// THREADS: any; no state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "core/catalog/backups.h"

namespace walrig {

// Logs `text` as an error with where help is, and gives kUsage.
Result<ExitCode> UsageError(Invocation& call, std::string_view text);

void LogInfo(const Invocation& call, std::string_view text);
void LogWarning(const Invocation& call, std::string_view text);

// A setting that must be at least 1. FAILS WITH: kConfig.
Result<size_t> PositiveSetting(const Settings& settings, std::string_view key);
// WALG_PG_WAL_SIZE in bytes when somebody set it, else 0. FAILS WITH: kConfig unless a power of two of 1 to 1024 MiB.
Result<uint64_t> SegmentBytes(const Settings& settings);
// --target-storage, else WALG_TARGET_STORAGE; "" for none.
std::string TargetStorage(const Invocation& call);
// JSON text of user data; `origin` names where it came from. FAILS WITH: kInvalidArgument.
Result<Json> ParseUserData(const std::string& text, std::string_view origin);

inline constexpr CliOption kTargetStorage = {
    .name = "target-storage",
    .kind = OptionKind::kValue,
    .value_name = "NAME",
    .help = "Use this storage alone: \"default\", or a name of WALG_FAILOVER_STORAGES"};

}  // namespace walrig
