#include "cli/commands/common.h"

#include <fmt/format.h>

#include <bit>

#include "core/base/string_util.h"

namespace walrig {

Result<ExitCode> UsageError(Invocation& call, std::string_view text) {
  call.ctx.log->Write(LogLevel::kError, "", fmt::format("{}; see walrig help", text));
  return ExitCode::kUsage;
}

void LogInfo(const Invocation& call, std::string_view text) { call.ctx.log->Write(LogLevel::kInfo, "", text); }
void LogWarning(const Invocation& call, std::string_view text) { call.ctx.log->Write(LogLevel::kWarning, "", text); }

Result<size_t> PositiveSetting(const Settings& settings, std::string_view key) {
  WALRIG_ASSIGN(const uint64_t value, settings.Number(key));
  if (value >= 1 && value <= 100'000) return static_cast<size_t>(value);
  return ConfigError(fmt::format("{}: {} is not between 1 and 100000 ({})", key, value, settings.Find(key)->where));
}

Result<uint64_t> SegmentBytes(const Settings& settings) {
  if (!settings.Has("WALG_PG_WAL_SIZE")) return uint64_t{0};
  WALRIG_ASSIGN(const uint64_t mib, settings.Number("WALG_PG_WAL_SIZE"));
  if (std::has_single_bit(mib) && mib <= 1024) return mib << 20;
  return ConfigError(
      fmt::format("WALG_PG_WAL_SIZE: {} is no size of a WAL segment in MiB (a power of two from 1 to 1024)", mib));
}

std::string TargetStorage(const Invocation& call) {
  return call.Text("target-storage", call.settings.Text("WALG_TARGET_STORAGE"));
}

Result<Json> ParseUserData(const std::string& text, std::string_view origin) {
  Result<Json> parsed = ParseJson(text, origin);
  if (parsed.ok()) return parsed;
  return InvalidArgument(std::string(parsed.status().message()))
      .Hint("user data are a JSON text: '\"a string\"', '{\"key\": 1}'");
}

}  // namespace walrig
