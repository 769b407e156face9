#include <fmt/format.h>

#include "core/base/go_json.h"
#include "core/base/string_util.h"
#include "core/base/time_format.h"
#include "core/layout/document_reader.h"
#include "core/layout/files_metadata.h"

namespace walrig {
namespace {

constexpr size_t kFlushBytes = 64 * 1024;

Status CheckName(std::string_view name) {
  if (IsUtf8(name)) return OkStatus();
  return InvalidArgument(fmt::format("the name '{}' is no UTF-8, which JSON cannot hold", Printable(name)))
      .Hint("rename the file, or push with --without-files-metadata");
}

std::string_view BoolText(bool value) { return value ? "true" : "false"; }

}  // namespace

Status FilesMetadataWriter::Append(const Context& ctx, std::string_view text) {
  pending_ += text;
  return pending_.size() >= kFlushBytes ? Flush(ctx) : OkStatus();
}

Status FilesMetadataWriter::Flush(const Context& ctx) {
  if (pending_.empty()) return OkStatus();
  WALRIG_TRY(sink_.Write(ctx, AsBytes(pending_)));
  bytes_ += pending_.size();
  pending_.clear();
  return OkStatus();
}

// Closes what is open and opens `part`, unless it is open already.
Status FilesMetadataWriter::Enter(const Context& ctx, Part part) {
  if (part_ == part) return OkStatus();
  if (part < part_) return Internal("files metadata: parts are written out of order");
  if (part_ == Part::kTars && in_tar_) pending_ += ']';
  if (part_ == Part::kDatabases) CloseDatabase();
  if (part_ != Part::kStart) pending_ += '}';
  pending_ += part_ == Part::kStart ? (part == Part::kDone ? "{}" : "{") : (part == Part::kDone ? "}" : ",");
  if (part == Part::kFiles) pending_ += "\"Files\":{";
  if (part == Part::kTars) pending_ += "\"TarFileSets\":{";
  if (part == Part::kDatabases) pending_ += "\"DatabasesByNames\":{";
  part_ = part;
  first_in_part_ = true;
  return pending_.size() >= kFlushBytes ? Flush(ctx) : OkStatus();
}

Status FilesMetadataWriter::AddFile(const Context& ctx, std::string_view name, const FileDescription& file) {
  WALRIG_TRY(CheckName(name));
  WALRIG_TRY(Enter(ctx, Part::kFiles));
  std::string line = first_in_part_ ? "" : ",";
  first_in_part_ = false;
  line += GoJsonString(name, false);
  line += fmt::format(":{{\"IsIncremented\":{},\"IsSkipped\":{},\"MTime\":\"{}\"", BoolText(file.incremented),
                      BoolText(file.skipped),
                      file.mtime_ns == kFileTimeUnknown ? std::string(kGoZeroTime) : FormatRfc3339Nano(file.mtime_ns));
  if (file.corrupt.has_value()) {
    line += fmt::format(",\"CorruptBlocks\":{{\"CorruptBlocksCount\":{},\"SomeCorruptBlocks\":[{}]}}", file.corrupt->count,
                        fmt::join(file.corrupt->some, ","));
  }
  line += fmt::format(",\"UpdatesCount\":{}}}", file.updates);
  return Append(ctx, line);
}

Status FilesMetadataWriter::BeginTar(const Context& ctx, std::string_view tar) {
  WALRIG_TRY(CheckName(tar));
  WALRIG_TRY(Enter(ctx, Part::kTars));
  std::string text = first_in_part_ ? "" : "],";
  first_in_part_ = false;
  in_tar_ = first_in_tar_ = true;
  return Append(ctx, text + GoJsonString(tar, false) + ":[");
}

Status FilesMetadataWriter::AddToTar(const Context& ctx, std::string_view name) {
  WALRIG_TRY(CheckName(name));
  if (part_ != Part::kTars || !in_tar_) return Internal("files metadata: a member before its tar");
  std::string text = first_in_tar_ ? "" : ",";
  first_in_tar_ = false;
  return Append(ctx, text + GoJsonString(name, false));
}

void FilesMetadataWriter::CloseTable() {
  if (!in_table_) return;
  pending_ += any_subtable_ ? "}}" : "}";
  in_table_ = any_subtable_ = false;
}

void FilesMetadataWriter::CloseDatabase() {
  if (!in_database_) return;
  CloseTable();
  pending_ += any_table_ ? "}}" : "}";
  in_database_ = any_table_ = false;
}

Status FilesMetadataWriter::BeginDatabase(const Context& ctx, std::string_view name, uint32_t oid) {
  WALRIG_TRY(CheckName(name));
  WALRIG_TRY(Enter(ctx, Part::kDatabases));
  CloseDatabase();
  std::string text = first_in_part_ ? "" : ",";
  first_in_part_ = false;
  in_database_ = true;
  return Append(ctx, text + GoJsonString(name, false) + fmt::format(":{{\"oid\":{}", oid));
}

Status FilesMetadataWriter::AddTable(const Context& ctx, const TableName& table) {
  WALRIG_TRY(CheckName(table.name));
  if (!in_database_) return Internal("files metadata: a table before its database");
  std::string text;
  if (table.parent.empty()) {
    CloseTable();
    text = any_table_ ? "," : ",\"tables_new\":{";
    any_table_ = in_table_ = true;
    table_ = table.name;
  } else {
    if (!in_table_ || table.parent != table_) return Internal("files metadata: a subtable that does not follow its table");
    text = any_subtable_ ? "," : ",\"subtables\":{";
    any_subtable_ = true;
  }
  text += GoJsonString(table.name, false) + fmt::format(":{{\"oid\":{},\"relfilenode\":{}", table.oid, table.relfilenode);
  if (!table.parent.empty()) text += '}';
  return Append(ctx, text);
}

Status FilesMetadataWriter::Finish(const Context& ctx) {
  if (part_ == Part::kDone) return Internal("files metadata: finished twice");
  WALRIG_TRY(Enter(ctx, Part::kDone));
  return Flush(ctx);
}

}  // namespace walrig
