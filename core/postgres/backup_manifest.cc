#include "core/postgres/backup_manifest.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/go_json.h"
#include "core/base/string_util.h"
#include "core/base/time_format.h"

namespace walrig {
namespace {

constexpr size_t kFlushBytes = 64 * 1024;
constexpr int64_t kNsPerSecond = 1'000'000'000;

// "2026-11-23 17:11:52 GMT"
std::string ManifestTime(int64_t seconds) {
  constexpr int64_t kSecondsMax = INT64_MAX / kNsPerSecond;
  const int64_t clamped = std::min(std::max(seconds, -kSecondsMax), kSecondsMax);
  std::string text = FormatRfc3339Seconds(clamped * kNsPerSecond);
  text[10] = ' ';
  text.replace(text.size() - 1, 1, " GMT");
  return text;
}

}  // namespace

std::string ManifestCrc32c(uint32_t crc) {
  const uint8_t bytes[4] = {static_cast<uint8_t>(crc), static_cast<uint8_t>(crc >> 8), static_cast<uint8_t>(crc >> 16),
                            static_cast<uint8_t>(crc >> 24)};
  return HexEncode(bytes);
}

BackupManifestWriter::BackupManifestWriter(const Options& options, Sink& sink, Sha256 hash)
    : options_(options), sink_(sink), hash_(std::move(hash)) {
  pending_ = fmt::format("{{ \"PostgreSQL-Backup-Manifest-Version\": {},\n", options_.major >= 17 ? 2 : 1);
  if (options_.major >= 17) pending_ += fmt::format("\"System-Identifier\": {},\n", options_.system_identifier);
  pending_ += "\"Files\": [";
}

Result<std::unique_ptr<BackupManifestWriter>> BackupManifestWriter::New(const Options& options, Sink& sink) {
  WALRIG_ASSIGN(Sha256 hash, Sha256::New());
  return std::unique_ptr<BackupManifestWriter>(new BackupManifestWriter(options, sink, std::move(hash)));
}

Status BackupManifestWriter::Append(const Context& ctx, std::string_view text) {
  pending_ += text;
  return pending_.size() >= kFlushBytes ? Flush(ctx) : OkStatus();
}

Status BackupManifestWriter::Flush(const Context& ctx) {
  hash_.Update(AsBytes(pending_));
  WALRIG_TRY(sink_.Write(ctx, AsBytes(pending_)));
  bytes_ += pending_.size();
  pending_.clear();
  return OkStatus();
}

Status BackupManifestWriter::AddFile(const Context& ctx, const ManifestFile& file) {
  std::string line = any_file_ ? ",\n{ " : "\n{ ";
  any_file_ = true;
  if (IsUtf8(file.path)) {
    line += "\"Path\": " + GoJsonString(file.path, false);
  } else {
    line += "\"Encoded-Path\": \"" + HexEncode(AsBytes(file.path)) + '"';
  }
  line += fmt::format(", \"Size\": {}, \"Last-Modified\": \"{}\"", file.size_bytes, ManifestTime(file.mtime_s));
  if (!file.algorithm.empty()) {
    line += fmt::format(", \"Checksum-Algorithm\": \"{}\", \"Checksum\": \"{}\"", file.algorithm, file.checksum);
  }
  line += " }";
  return Append(ctx, line);
}

Status BackupManifestWriter::Finish(const Context& ctx, const std::vector<ManifestWalRange>& ranges) {
  pending_ += "\n],\n\"WAL-Ranges\": [\n";
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (i != 0) pending_ += ",\n";
    pending_ += fmt::format("{{ \"Timeline\": {}, \"Start-LSN\": \"{}\", \"End-LSN\": \"{}\" }}", ranges[i].timeline,
                            FormatLsn(ranges[i].start), FormatLsn(ranges[i].end));
  }
  pending_ += "\n],\n";
  WALRIG_TRY(Flush(ctx));
  const std::string last = fmt::format("\"Manifest-Checksum\": \"{}\"}}\n", hash_.Hex());
  WALRIG_TRY(sink_.Write(ctx, AsBytes(last)));
  bytes_ += last.size();
  return OkStatus();
}

}  // namespace walrig
