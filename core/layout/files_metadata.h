// files_metadata.json: every file of a backup with its modification time, which tar holds it, which tables are where.
//
//   {"Files":{"/base/5/1259":{"IsIncremented":false,"IsSkipped":false,"MTime":"...","UpdatesCount":0},...},
//    "TarFileSets":{"part_001.tar.zst":["/base/5/1259",...],...},
//    "DatabasesByNames":{"postgres":{"oid":5,"tables_new":{"public.t":{"oid":..,"relfilenode":..,"subtables":{..}}}}}}
//
// May exceed 1 GB, hence written and read as a stream. docs/formats/files_metadata.md.
// THREADS: one at a time an object.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/stream.h"

namespace walrig {

// Go's zero time and moments that 64 bits of nanoseconds do not hold.
inline constexpr int64_t kFileTimeUnknown = INT64_MIN;

struct CorruptBlocks {
  uint64_t count = 0;
  std::vector<uint32_t> some;  // ascending; at most ten unless all were asked for
};

struct FileDescription {
  bool incremented = false;
  bool skipped = false;
  int64_t mtime_ns = kFileTimeUnknown;  // since 1970
  std::optional<CorruptBlocks> corrupt;
  uint64_t updates = 0;
};

// One relation of DatabasesByNames; `parent` names the table whose subtable it is, empty for a table.
struct TableName {
  std::string name;  // "schema.relation"
  std::string parent;
  uint32_t oid = 0;
  uint32_t relfilenode = 0;
};

// Call Begin*/Add* in the order of the document: files, then tar sets, then databases; each part may be left out, and
// is then not written, as WAL-G leaves out empty maps.
class FilesMetadataWriter {
 public:
  // `sink` is borrowed and must outlive the writer; the writer never commits it.
  explicit FilesMetadataWriter(Sink& sink) : sink_(sink) {}

  // FAILS WITH: kInvalidArgument for a name that is no UTF-8: JSON cannot hold it (nor can WAL-G).
  Status AddFile(const Context& ctx, std::string_view name, const FileDescription& file);
  Status BeginTar(const Context& ctx, std::string_view tar);
  Status AddToTar(const Context& ctx, std::string_view name);
  Status BeginDatabase(const Context& ctx, std::string_view name, uint32_t oid);
  // Subtables follow their table directly.
  Status AddTable(const Context& ctx, const TableName& table);
  // At most once; then only destruction is allowed.
  Status Finish(const Context& ctx);

  uint64_t bytes_written() const { return bytes_; }

 private:
  enum class Part { kStart, kFiles, kTars, kDatabases, kDone };
  Status Enter(const Context& ctx, Part part);
  void CloseTable();
  void CloseDatabase();
  Status Append(const Context& ctx, std::string_view text);
  Status Flush(const Context& ctx);

  Sink& sink_;
  Part part_ = Part::kStart;
  std::string pending_;
  uint64_t bytes_ = 0;
  bool first_in_part_ = true;
  bool in_tar_ = false, first_in_tar_ = true;
  bool in_database_ = false, any_table_ = false;
  bool in_table_ = false, any_subtable_ = false;
  std::string table_;
};

class FilesMetadataVisitor {
 public:
  virtual ~FilesMetadataVisitor() = default;
  // Any status but OK ends the reading and is returned. The order is that of the document.
  virtual Status OnFile(std::string name, FileDescription file) = 0;
  virtual Status OnTarMember(std::string_view tar, std::string name) = 0;
  virtual Status OnDatabase(std::string_view, uint32_t /*oid*/) { return OkStatus(); }
  virtual Status OnTable(std::string_view /*database*/, TableName) { return OkStatus(); }
};

// Reads to the end of `source`. A database's oid may follow its tables in the document: OnDatabase comes when the
// database ends, after its tables; likewise a table comes after its subtables. Keys match in any case; unknown ones are passed over; null is an absent key.
// A file name that occurs twice is refused; 8 bytes a file find it.
// FAILS WITH: kCorruption naming the key, kTruncated, what `source` and the visitor say.
Status ReadFilesMetadata(const Context& ctx, Source& source, FilesMetadataVisitor& visitor,
                         std::string_view what = "files_metadata.json");

}  // namespace walrig
