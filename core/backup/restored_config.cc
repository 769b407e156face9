#include "core/backup/restored_config.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/postgres/recovery_conf.h"

namespace walrig {
namespace {

constexpr uint64_t kConfBytesMax = 16u << 20;

bool IsSamePlace(const std::string& one, const std::string& other) {
  std::error_code error;
  return std::filesystem::equivalent(one, other, error) && !error;
}

}  // namespace

void TellOfConfiguration(const Context& ctx, const std::string& target) {
  auto conf = ReadWholeFile(target + "/postgresql.conf", kConfBytesMax);
  if (conf.status().code() == Code::kNotFound) {
    ctx.log->Write(LogLevel::kInfo, "backup-fetch",
                   "the backup holds no postgresql.conf: the server had its configuration outside of its data directory, and "
                   "needs it again");
    return;
  }
  if (!conf.ok()) {
    ctx.log->Write(LogLevel::kWarning, "backup-fetch", conf.status().ToString());
    return;
  }
  const std::string place = ConfSetting(*conf, "data_directory");
  if (place.empty() || IsSamePlace(place[0] == '/' ? place : target + "/" + place, target)) return;
  ctx.log->Write(LogLevel::kWarning, "backup-fetch",
                 fmt::format("postgresql.conf sets data_directory to '{}': a server started with {} would run there; change "
                             "that line first",
                             Printable(place), target));
}

}  // namespace walrig
