#include "core/layout/backup_metadata.h"

#include "core/layout/document_reader.h"
#include "core/layout/json_line.h"

namespace walrig {

Result<BackupMetadata> ParseBackupMetadata(std::string_view text, std::string_view what) {
  WALRIG_ASSIGN(const Json json, ParseJson(text, what));
  WALRIG_ASSIGN(DocumentReader reader, DocumentReader::New(json, what));
  BackupMetadata metadata;
  std::optional<uint64_t> start, finish;
  WALRIG_TRY(reader.Time("start_time", &metadata.start_time_ns));
  WALRIG_TRY(reader.Time("finish_time", &metadata.finish_time_ns));
  WALRIG_TRY(reader.String("date_fmt", &metadata.date_format));
  WALRIG_TRY(reader.String("hostname", &metadata.hostname));
  WALRIG_TRY(reader.String("data_dir", &metadata.data_directory));
  WALRIG_TRY(reader.Int32("pg_version", &metadata.pg_version));
  WALRIG_TRY(reader.Uint("start_lsn", &start));
  WALRIG_TRY(reader.Uint("finish_lsn", &finish));
  metadata.start_lsn = Lsn{start.value_or(0)};
  metadata.finish_lsn = Lsn{finish.value_or(0)};
  WALRIG_TRY(reader.Bool("is_permanent", &metadata.permanent));
  WALRIG_TRY(reader.Uint("system_identifier", &metadata.system_identifier));
  WALRIG_TRY(reader.Int64("uncompressed_size", &metadata.uncompressed_bytes));
  WALRIG_TRY(reader.Int64("compressed_size", &metadata.compressed_bytes));
  if (const Json* user_data = reader.Take("user_data"); user_data != nullptr) metadata.user_data = *user_data;
  metadata.unknown = reader.Unknown();
  return metadata;
}

std::string SerializeBackupMetadata(const BackupMetadata& metadata) {
  JsonLine line;
  line.String("start_time", GoTime(metadata.start_time_ns));
  line.String("finish_time", GoTime(metadata.finish_time_ns));
  line.String("date_fmt", metadata.date_format);
  line.String("hostname", metadata.hostname);
  line.String("data_dir", metadata.data_directory);
  line.Number("pg_version", metadata.pg_version);
  line.Number("start_lsn", metadata.start_lsn.value);
  line.Number("finish_lsn", metadata.finish_lsn.value);
  line.Bool("is_permanent", metadata.permanent);
  line.NumberOrNull("system_identifier", metadata.system_identifier);
  line.Number("uncompressed_size", metadata.uncompressed_bytes);
  line.Number("compressed_size", metadata.compressed_bytes);
  if (metadata.user_data.has_value()) line.Raw("user_data", GoJson(*metadata.user_data, true, true));
  line.All(metadata.unknown);
  return std::move(line).Finish();
}

Json BackupMetadataToJson(const BackupMetadata& metadata) {
  Json json = Json::object();
  json["start_time"] = GoTime(metadata.start_time_ns);
  json["finish_time"] = GoTime(metadata.finish_time_ns);
  json["date_fmt"] = metadata.date_format;
  json["hostname"] = metadata.hostname;
  json["data_dir"] = metadata.data_directory;
  json["pg_version"] = metadata.pg_version;
  json["start_lsn"] = metadata.start_lsn.value;
  json["finish_lsn"] = metadata.finish_lsn.value;
  json["is_permanent"] = metadata.permanent;
  json["system_identifier"] = metadata.system_identifier.has_value() ? Json(*metadata.system_identifier) : Json(nullptr);
  json["uncompressed_size"] = metadata.uncompressed_bytes;
  json["compressed_size"] = metadata.compressed_bytes;
  if (metadata.user_data.has_value()) json["user_data"] = *metadata.user_data;
  return json;
}

}  // namespace walrig
