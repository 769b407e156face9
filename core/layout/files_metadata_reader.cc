#include <fmt/format.h>

#include <set>
#include <vector>

#include "core/base/json_stream.h"
#include "core/base/name_hashes.h"
#include "core/base/string_util.h"
#include "core/base/time_format.h"
#include "core/layout/document_reader.h"
#include "core/layout/files_metadata.h"

namespace walrig {
namespace {

constexpr size_t kCorruptBlocksMax = 1u << 20;

// A moment of a file. One that 64 bits of nanoseconds do not hold is unknown, not damage: `touch -d 3000-01-01`.
bool ParseFileTime(const std::string& text, int64_t* ns) {
  *ns = kFileTimeUnknown;
  if (Result<int64_t> parsed = ParseRfc3339(text); parsed.ok()) return *ns = *parsed, true;
  if (text.size() < 5 || text.find_first_not_of("0123456789") != 4) return false;
  return ParseRfc3339("2000" + text.substr(4)).ok();
}

class Reader final : public JsonEvents {
 public:
  explicit Reader(FilesMetadataVisitor& visitor) : visitor_(visitor) {}

  bool HasDuplicate() { return names_.HasDuplicate(); }

  Status OnKey(std::string& key) override {
    if (skipping_ > 0) return OkStatus();
    key_ = std::move(key);
    switch (Now()) {  // members of structs match in any case
      case Place::kTop:
      case Place::kFile:
      case Place::kCorrupt:
      case Place::kDatabase:
      case Place::kTable:
      case Place::kSubtable: key_ = ToLower(key_); break;
      default: break;
    }
    return OkStatus();
  }

  Status OnStartObject() override {
    if (skipping_ > 0) return ++skipping_, OkStatus();
    switch (Now()) {
      case Place::kOutside: return Push(Place::kTop);
      case Place::kTop: return StartPart();
      case Place::kFiles: return file_name_ = key_, file_ = {}, Push(Place::kFile);
      case Place::kDatabases: return database_ = key_, database_oid_ = 0, Push(Place::kDatabase);
      case Place::kTables: return table_ = {key_, "", 0, 0}, Push(Place::kTable);
      case Place::kSubtables: return subtable_ = {key_, table_.name, 0, 0}, Push(Place::kSubtable);
      case Place::kFile:
        if (key_ == "corruptblocks") return file_.corrupt.emplace(), Push(Place::kCorrupt);
        return Skip(IsFileKey());
      case Place::kDatabase:
        if (key_ == "tables_new" || key_ == "tables") return Push(Place::kTables);
        return Skip(key_ == "oid");
      case Place::kTable:
        if (key_ == "subtables") return Push(Place::kSubtables);
        return Skip(key_ == "oid" || key_ == "relfilenode");
      case Place::kSubtable: return Skip(key_ == "oid" || key_ == "relfilenode");
      case Place::kCorrupt: return Skip(key_ == "corruptblockscount" || key_ == "somecorruptblocks");
      default: return Unexpected("an object");
    }
  }
  Status OnStartArray() override {
    if (skipping_ > 0) return ++skipping_, OkStatus();
    switch (Now()) {
      case Place::kTars: return tar_ = key_, Push(Place::kTar);
      case Place::kCorrupt:
        if (key_ == "somecorruptblocks") return Push(Place::kBlocks);
        return Skip(key_ == "corruptblockscount");
      case Place::kTop: return Skip(key_ == "files" || key_ == "tarfilesets" || key_ == "databasesbynames");
      case Place::kFile: return Skip(IsFileKey() || key_ == "corruptblocks");
      case Place::kDatabase: return Skip(key_ == "oid" || key_ == "tables" || key_ == "tables_new");
      case Place::kTable:
      case Place::kSubtable: return Skip(key_ == "oid" || key_ == "relfilenode" || key_ == "subtables");
      default: return Unexpected("an array");
    }
  }
  Status OnEndArray() override { return End(); }
  Status OnEndObject() override { return End(); }

  Status OnString(std::string& value) override {
    if (skipping_ > 0) return OkStatus();
    if (Now() == Place::kTar) return visitor_.OnTarMember(tar_, std::move(value));
    if (Now() == Place::kFile && key_ == "mtime") {
      return ParseFileTime(value, &file_.mtime_ns) ? OkStatus() : Unexpected("no moment in RFC 3339");
    }
    return Scalar("a string");
  }
  Status OnBool(bool value) override {
    if (skipping_ > 0) return OkStatus();
    if (Now() == Place::kFile && key_ == "isincremented") return file_.incremented = value, OkStatus();
    if (Now() == Place::kFile && key_ == "isskipped") return file_.skipped = value, OkStatus();
    return Scalar("a boolean");
  }
  Status OnUint(uint64_t value) override {
    if (skipping_ > 0) return OkStatus();
    switch (Now()) {
      case Place::kFile:
        if (key_ == "updatescount") return file_.updates = value, OkStatus();
        break;
      case Place::kCorrupt:
        if (key_ == "corruptblockscount") return file_.corrupt->count = value, OkStatus();
        break;
      case Place::kBlocks:
        if (file_.corrupt->some.size() == kCorruptBlocksMax) return Unexpected("more corrupt blocks than a file has");
        file_.corrupt->some.push_back(0);
        return Narrow(value, &file_.corrupt->some.back());
      case Place::kDatabase:
        if (key_ == "oid") return Narrow(value, &database_oid_);
        break;
      case Place::kTable: return TableNumber(value, &table_);
      case Place::kSubtable: return TableNumber(value, &subtable_);
      default: break;
    }
    return Scalar("a number");
  }
  Status OnInt(int64_t) override { return skipping_ > 0 ? OkStatus() : Scalar("a negative number"); }
  Status OnDouble(double) override { return skipping_ > 0 ? OkStatus() : Scalar("a number that is not whole"); }
  Status OnNull() override {
    // Go takes null for the absence of anything but a list's member.
    if (skipping_ > 0 || (Now() != Place::kOutside && Now() != Place::kTar && Now() != Place::kBlocks)) return OkStatus();
    return Unexpected("null");
  }

 private:
  enum class Place {
    kOutside, kTop, kFiles, kFile, kCorrupt, kBlocks, kTars, kTar, kDatabases, kDatabase, kTables, kTable, kSubtables, kSubtable
  };

  Place Now() const { return places_.empty() ? Place::kOutside : places_.back(); }
  Status Push(Place place) { return places_.push_back(place), OkStatus(); }
  Status Unexpected(std::string_view what) const {
    return Corruption(fmt::format("{} is {}", key_.empty() ? "the document" : Printable(key_), what));
  }
  bool IsFileKey() const {
    return key_ == "isincremented" || key_ == "isskipped" || key_ == "mtime" || key_ == "updatescount";
  }
  // Passes over the value of an unknown key; one that is known must not be of this type.
  Status Skip(bool known) {
    if (known) return Unexpected("an object or array");
    return skipping_ = 1, OkStatus();
  }
  // A scalar that was not taken: fine for an unknown key of a struct, else of the wrong type.
  Status Scalar(std::string_view what) const {
    bool known = true;
    switch (Now()) {
      case Place::kTop: known = key_ == "files" || key_ == "tarfilesets" || key_ == "databasesbynames"; break;
      case Place::kFile: known = IsFileKey() || key_ == "corruptblocks"; break;
      case Place::kCorrupt: known = key_ == "corruptblockscount" || key_ == "somecorruptblocks"; break;
      case Place::kDatabase: known = key_ == "oid" || key_ == "tables" || key_ == "tables_new"; break;
      case Place::kTable:
      case Place::kSubtable: known = key_ == "oid" || key_ == "relfilenode" || key_ == "subtables"; break;
      default: break;
    }
    return known ? Unexpected(what) : OkStatus();
  }
  Status Narrow(uint64_t value, uint32_t* number) const {
    if (value > UINT32_MAX) return Unexpected("out of range");
    return *number = static_cast<uint32_t>(value), OkStatus();
  }
  Status TableNumber(uint64_t value, TableName* table) const {
    if (key_ == "oid") return Narrow(value, &table->oid);
    if (key_ == "relfilenode") return Narrow(value, &table->relfilenode);
    return Scalar("a number");
  }

  Status StartPart() {
    Place place = Place::kOutside;
    if (key_ == "files") place = Place::kFiles;
    if (key_ == "tarfilesets") place = Place::kTars;
    if (key_ == "databasesbynames") place = Place::kDatabases;
    if (place == Place::kOutside) return Skip(false);
    if (!parts_.insert(key_).second) return Unexpected("there twice");
    return Push(place);
  }

  Status End() {
    if (skipping_ > 0) return --skipping_, OkStatus();
    const Place place = Now();
    places_.pop_back();
    switch (place) {
      case Place::kFile: return EndFile();
      case Place::kDatabase: return visitor_.OnDatabase(database_, database_oid_);
      case Place::kTable: return visitor_.OnTable(database_, std::move(table_));
      case Place::kSubtable: return visitor_.OnTable(database_, std::move(subtable_));
      default: return OkStatus();
    }
  }

  Status EndFile() {
    if (file_.incremented && file_.skipped) {
      return Corruption(fmt::format("'{}' is both incremented and skipped", Printable(file_name_)));
    }
    names_.Add(file_name_);
    return visitor_.OnFile(std::move(file_name_), std::move(file_));
  }

  FilesMetadataVisitor& visitor_;
  std::vector<Place> places_;
  std::set<std::string> parts_;
  std::string key_;
  uint32_t skipping_ = 0;  // depth within the value of an unknown key
  std::string file_name_, tar_, database_;
  FileDescription file_;
  uint32_t database_oid_ = 0;
  TableName table_, subtable_;
  NameHashes names_;
};

}  // namespace

Status ReadFilesMetadata(const Context& ctx, Source& source, FilesMetadataVisitor& visitor, std::string_view what) {
  Reader reader(visitor);
  WALRIG_TRY(ReadJsonStream(ctx, source, what, JsonStreamLimits{}, reader));
  if (reader.HasDuplicate()) return Corruption(fmt::format("{}: Files holds a name twice", what));
  return OkStatus();
}

}  // namespace walrig
