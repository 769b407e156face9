#include "core/postgres/control_file.h"

#include <fmt/format.h>

#include "core/base/checksum.h"
#include "core/postgres/little_endian.h"
#include "core/postgres/page.h"
#include "core/postgres/version.h"
#include "core/postgres/wal_name.h"

namespace walrig {
namespace {

// Offsets are those of a 64-bit machine with 8-byte aligned doubles; PostgreSQL stores floatFormat to make others show.
constexpr size_t kStateOffset = 16, kTimeOffset = 24, kCheckpointOffset = 32, kRedoOffset = 40;
constexpr size_t kTimelineOffset = 48, kPreviousTimelineOffset = 52, kCheckpointTimeOffset = 104;
constexpr size_t kMinRecoveryOffset = 136, kMinRecoveryTimelineOffset = 144;
constexpr size_t kBackupStartOffset = 152, kBackupEndOffset = 160, kBackupEndRequiredOffset = 168;
constexpr size_t kWalLevelOffset = 172, kMaxAlignOffset = 204, kFloatFormatOffset = 208;
constexpr size_t kBlockOffset = 216, kRelationSegmentOffset = 220, kWalBlockOffset = 224, kWalSegmentOffset = 228;
constexpr size_t kChecksumVersionOffset = 252;
constexpr uint64_t kFloatFormat = 0x4132D68700000000;  // the double 1234567.0

size_t CrcOffset(uint32_t control_version) {
  switch (control_version) {
    case 1300:
    case 1700: return 288;
    case 1800: return 292;
    default: return 0;
  }
}

int MajorOfCatalogVersion(uint32_t catalog_version) {
  switch (catalog_version) {
    case 202007201: return 13;
    case 202107181: return 14;
    case 202209061: return 15;
    case 202307071: return 16;
    case 202406281: return 17;
    case 202506291: return 18;
    default: return 0;
  }
}

constexpr uint32_t SwapBytes(uint32_t v) { return v >> 24 | (v >> 8 & 0xFF00) | (v << 8 & 0xFF0000) | v << 24; }

Result<size_t> FindCrc(ByteSpan bytes) {
  if (bytes.size() < 16) return Truncated(fmt::format("pg_control has only {} bytes", bytes.size()));
  const uint32_t version = LoadLe32(bytes.data() + 8);
  const size_t crc_offset = CrcOffset(version);
  if (crc_offset == 0) {
    if (CrcOffset(SwapBytes(version)) != 0) return NotSupported("pg_control is of a machine of the other byte order");
    // An all-zero or random file is damage; a version that PostgreSQL could have written is another release.
    if (version >= 700 && version <= 9999) {
      return NotSupported(fmt::format("pg_control is of version {}", version))
          .Hint(fmt::format("walrig knows the control files of PostgreSQL {} to {}", kPgMajorMin, kPgMajorMax));
    }
    return Corruption(fmt::format("pg_control has no version that a server writes ({})", version));
  }
  if (bytes.size() < crc_offset + 4) return Truncated(fmt::format("pg_control has only {} bytes", bytes.size()));
  const uint32_t stored = LoadLe32(bytes.data() + crc_offset);
  const uint32_t computed = Crc32c(0, bytes.first(crc_offset));
  if (stored != computed) {
    return Corruption(fmt::format("the checksum of pg_control does not hold: {:08x}, computed {:08x}", stored, computed));
  }
  return crc_offset;
}

Status CheckSizes(const ControlData& data, const uint8_t* p) {
  if (LoadLe32(p + kMaxAlignOffset) != 8 || LoadLe64(p + kFloatFormatOffset) != kFloatFormat) {
    return NotSupported("pg_control is of a machine with another alignment or floating point format");
  }
  if (!IsBlockSize(data.block_bytes)) return Corruption(fmt::format("pg_control: block size {}", data.block_bytes));
  if (!IsWalSegmentSize(data.wal_segment_bytes)) {
    return Corruption(fmt::format("pg_control: WAL segment size {}", data.wal_segment_bytes));
  }
  const uint32_t wal_block = data.wal_block_bytes;
  if (wal_block < 1024 || wal_block > 65536 || (wal_block & (wal_block - 1)) != 0) {
    return Corruption(fmt::format("pg_control: WAL block size {}", wal_block));
  }
  if (data.relation_segment_blocks == 0) return Corruption("pg_control: relation segments of no blocks");
  if (static_cast<uint32_t>(data.state) > static_cast<uint32_t>(ClusterState::kInProduction)) {
    return Corruption(fmt::format("pg_control: cluster state {}", static_cast<uint32_t>(data.state)));
  }
  if (data.checkpoint_timeline == 0) return Corruption("pg_control: a checkpoint without a timeline");
  return OkStatus();
}

}  // namespace

std::string_view ClusterStateName(ClusterState state) {
  switch (state) {
    case ClusterState::kStartingUp: return "starting up";
    case ClusterState::kShutDown: return "shut down";
    case ClusterState::kShutDownInRecovery: return "shut down in recovery";
    case ClusterState::kShuttingDown: return "shutting down";
    case ClusterState::kCrashRecovery: return "in crash recovery";
    case ClusterState::kArchiveRecovery: return "in archive recovery";
    case ClusterState::kInProduction: return "in production";
  }
  return "unrecognized status code";
}

Result<ControlData> ParseControlFile(ByteSpan bytes) {
  WALRIG_TRY(FindCrc(bytes).status());
  const uint8_t* p = bytes.data();
  ControlData data;
  data.system_identifier = LoadLe64(p);
  data.control_version = LoadLe32(p + 8);
  data.catalog_version = LoadLe32(p + 12);
  data.state = static_cast<ClusterState>(LoadLe32(p + kStateOffset));
  data.time_s = static_cast<int64_t>(LoadLe64(p + kTimeOffset));
  data.checkpoint = Lsn{LoadLe64(p + kCheckpointOffset)};
  data.checkpoint_redo = Lsn{LoadLe64(p + kRedoOffset)};
  data.checkpoint_timeline = LoadLe32(p + kTimelineOffset);
  data.checkpoint_previous_timeline = LoadLe32(p + kPreviousTimelineOffset);
  data.checkpoint_time_s = static_cast<int64_t>(LoadLe64(p + kCheckpointTimeOffset));
  data.min_recovery_point = Lsn{LoadLe64(p + kMinRecoveryOffset)};
  data.min_recovery_timeline = LoadLe32(p + kMinRecoveryTimelineOffset);
  data.backup_start = Lsn{LoadLe64(p + kBackupStartOffset)};
  data.backup_end = Lsn{LoadLe64(p + kBackupEndOffset)};
  data.backup_end_required = p[kBackupEndRequiredOffset] != 0;
  data.wal_level = LoadLe32(p + kWalLevelOffset);
  data.block_bytes = LoadLe32(p + kBlockOffset);
  data.relation_segment_blocks = LoadLe32(p + kRelationSegmentOffset);
  data.wal_block_bytes = LoadLe32(p + kWalBlockOffset);
  data.wal_segment_bytes = LoadLe32(p + kWalSegmentOffset);
  data.data_checksum_version = LoadLe32(p + kChecksumVersionOffset);
  data.major = MajorOfCatalogVersion(data.catalog_version);
  WALRIG_TRY(CheckSizes(data, p));
  return data;
}

}  // namespace walrig
