#include "core/layout/sentinel.h"

#include <fmt/format.h>

#include "core/layout/document_reader.h"
#include "core/layout/json_line.h"

namespace walrig {
namespace {

std::optional<Lsn> AsLsn(std::optional<uint64_t> number) {
  if (!number.has_value()) return std::nullopt;
  return Lsn{*number};
}

std::optional<uint64_t> AsNumber(const std::optional<Lsn>& lsn) {
  if (!lsn.has_value()) return std::nullopt;
  return lsn->value;
}

Status ReadDelta(DocumentReader& reader, Sentinel* sentinel) {
  std::optional<uint64_t> lsn, legacy_lsn;
  std::optional<int64_t> count;
  WALRIG_TRY(reader.Uint("DeltaLSN", &lsn));
  WALRIG_TRY(reader.Uint("DeltaFromLSN", &legacy_lsn));
  WALRIG_TRY(reader.Int("DeltaCount", &count));
  const bool from_given = reader.Take("DeltaFrom") != nullptr;
  const bool full_given = reader.Take("DeltaFullName") != nullptr;
  DeltaInfo delta;
  WALRIG_TRY(reader.String("DeltaFrom", &delta.from));
  WALRIG_TRY(reader.String("DeltaFullName", &delta.full_name));
  if (!lsn.has_value()) lsn = legacy_lsn;
  if (!lsn.has_value() && !count.has_value() && !from_given && !full_given) return OkStatus();
  if (!lsn.has_value()) return reader.Bad("DeltaLSN", "is missing, though other delta keys are there");
  if (!from_given) return reader.Bad("DeltaFrom", "is missing, though other delta keys are there");
  if (!full_given) return reader.Bad("DeltaFullName", "is missing, though other delta keys are there");
  if (!count.has_value()) return reader.Bad("DeltaCount", "is missing, though other delta keys are there");
  if (*count < 1) return reader.Bad("DeltaCount", "is below 1");
  if (delta.from.empty() != delta.full_name.empty()) return reader.Bad("DeltaFullName", "does not fit DeltaFrom");
  delta.lsn = Lsn{*lsn};
  delta.count = *count;
  sentinel->delta = std::move(delta);
  return OkStatus();
}

Status ReadVersion2(DocumentReader& reader, Sentinel* sentinel) {
  WALRIG_TRY(reader.Int32("Version", &sentinel->version));
  if (sentinel->version < 1) return reader.Bad("Version", "is below 1");
  WALRIG_TRY(reader.Time("StartTime", &sentinel->start_time_ns));
  WALRIG_TRY(reader.Time("FinishTime", &sentinel->finish_time_ns));
  std::string date_format;
  WALRIG_TRY(reader.String("DateFmt", &date_format));
  WALRIG_TRY(reader.String("Hostname", &sentinel->hostname));
  WALRIG_TRY(reader.String("DataDir", &sentinel->data_directory));
  return reader.Bool("IsPermanent", &sentinel->permanent);
}

void ReadEmbeddedFiles(DocumentReader& reader, Sentinel* sentinel) {
  JsonLine line;
  bool any = false;
  for (const char* key : {"Files", "TarFileSets", "DatabasesByNames"}) {
    const Json* value = reader.Take(key);
    if (value == nullptr) continue;
    any = true;
    line.Raw(key, GoJson(*value, false, false));
  }
  if (any) sentinel->embedded_files_metadata = std::move(line).Finish();
}

}  // namespace

Result<Sentinel> ParseSentinel(std::string_view text, std::string_view what) {
  WALRIG_ASSIGN(const Json json, ParseJson(text, what));
  WALRIG_ASSIGN(DocumentReader reader, DocumentReader::New(json, what));
  Sentinel sentinel;
  std::optional<uint64_t> start, finish, checkpoint_number;
  WALRIG_TRY(reader.Uint("LSN", &start));
  WALRIG_TRY(reader.Uint("FinishLSN", &finish));
  sentinel.start_lsn = AsLsn(start);
  sentinel.finish_lsn = AsLsn(finish);
  WALRIG_TRY(ReadDelta(reader, &sentinel));
  WALRIG_TRY(reader.Int32("PgVersion", &sentinel.pg_version));
  if (sentinel.pg_version < 0) return reader.Bad("PgVersion", "is negative");
  WALRIG_TRY(reader.Uint("SystemIdentifier", &sentinel.system_identifier));
  WALRIG_TRY(reader.Int64("UncompressedSize", &sentinel.uncompressed_bytes));
  WALRIG_TRY(reader.Int64("CompressedSize", &sentinel.compressed_bytes));
  WALRIG_TRY(reader.Int64("DataCatalogSize", &sentinel.data_catalog_bytes));
  if (const Json* spec = reader.Take("Spec"); spec != nullptr) {
    WALRIG_ASSIGN(sentinel.tablespaces, TablespaceSpec::FromJson(*spec, fmt::format("{}: Spec", what)));
  }
  if (const Json* user_data = reader.Take("UserData"); user_data != nullptr) sentinel.user_data = *user_data;
  WALRIG_TRY(reader.Bool("FilesMetadataDisabled", &sentinel.files_metadata_disabled));
  // OrioleDB's; written as null.
  WALRIG_TRY(reader.Uint("ChkpNum", &checkpoint_number));
  WALRIG_TRY(ReadVersion2(reader, &sentinel));
  ReadEmbeddedFiles(reader, &sentinel);
  sentinel.unknown = reader.Unknown();
  return sentinel;
}

std::string SerializeSentinel(const Sentinel& sentinel) {
  JsonLine line;
  line.NumberOrNull("LSN", AsNumber(sentinel.start_lsn));
  if (sentinel.delta.has_value()) {
    line.Number("DeltaLSN", sentinel.delta->lsn.value);
    line.String("DeltaFrom", sentinel.delta->from);
    line.String("DeltaFullName", sentinel.delta->full_name);
    line.Number("DeltaCount", sentinel.delta->count);
  }
  line.Number("PgVersion", sentinel.pg_version);
  line.NumberOrNull("FinishLSN", AsNumber(sentinel.finish_lsn));
  if (sentinel.system_identifier.has_value()) line.Number("SystemIdentifier", *sentinel.system_identifier);
  line.Number("UncompressedSize", sentinel.uncompressed_bytes);
  line.Number("CompressedSize", sentinel.compressed_bytes);
  if (sentinel.data_catalog_bytes != 0) line.Number("DataCatalogSize", sentinel.data_catalog_bytes);
  if (sentinel.tablespaces.has_value()) line.Raw("Spec", GoJson(sentinel.tablespaces->ToJson(), true, false));
  if (sentinel.user_data.has_value()) line.Raw("UserData", GoJson(*sentinel.user_data, true, true));
  if (sentinel.files_metadata_disabled) line.Bool("FilesMetadataDisabled", true);
  line.Raw("ChkpNum", "null");
  line.Number("Version", 2);
  line.String("StartTime", GoTime(sentinel.start_time_ns));
  line.String("FinishTime", GoTime(sentinel.finish_time_ns));
  line.String("DateFmt", kDateFormatText);
  line.String("Hostname", sentinel.hostname);
  line.String("DataDir", sentinel.data_directory);
  line.Bool("IsPermanent", sentinel.permanent);
  line.All(sentinel.unknown);
  return std::move(line).Finish();
}

}  // namespace walrig
