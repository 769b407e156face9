#include <fmt/format.h>

#include <iterator>
#include <string>

#include "core/base/json_stream.h"
#include "core/base/name_hashes.h"
#include "core/base/string_util.h"
#include "core/base/time_format.h"
#include "core/postgres/backup_manifest.h"

namespace walrig {
namespace {

// Hashes what passes through but the last line, which holds the hash itself.
class ManifestSource final : public Source {
 public:
  ManifestSource(Source& source, Sha256 hash) : source_(source), hash_(std::move(hash)) {}

  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
    WALRIG_ASSIGN(const size_t read, source_.Read(ctx, buffer));
    tail_.append(AsText(ByteSpan(buffer.data(), read)));
    if (tail_.size() > kTailBytes) {
      const size_t settled = tail_.size() - kTailBytes;
      hash_.Update(AsBytes(std::string_view(tail_).substr(0, settled)));
      tail_.erase(0, settled);
    }
    return read;
  }

  // The digest of everything before the last line. FAILS WITH: kCorruption when the end is no line of the right length.
  Result<std::string> Finish() {
    if (tail_.empty() || tail_.back() != '\n') return Corruption("the last line has no end");
    const size_t before = tail_.rfind('\n', tail_.size() - 2);
    if (tail_.size() < 2 || before == std::string::npos) return Corruption("the last line is no checksum");
    hash_.Update(AsBytes(std::string_view(tail_).substr(0, before + 1)));
    return hash_.Hex();
  }

 private:
  static constexpr size_t kTailBytes = 1024;  // a checksum line has 87
  Source& source_;
  Sha256 hash_;
  std::string tail_;
};

size_t ChecksumDigits(std::string_view algorithm) {
  if (algorithm == "CRC32C") return 8;
  if (algorithm == "SHA224") return 56;
  if (algorithm == "SHA256") return 64;
  if (algorithm == "SHA384") return 96;
  if (algorithm == "SHA512") return 128;
  return 0;
}

// Relative, without empty, "." and ".." components, without NUL.
bool PathIsSafe(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) return false;
  while (true) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

class Reader final : public JsonEvents {
 public:
  explicit Reader(BackupManifestVisitor& visitor) : visitor_(visitor) {}

  Result<BackupManifestInfo> Finish(const std::string& computed) {
    if (info_.version == 0) return Corruption("PostgreSQL-Backup-Manifest-Version is missing");
    if (!saw_files_) return Corruption("Files is missing");
    if (info_.manifest_checksum.empty()) return Corruption("Manifest-Checksum is missing");
    if (ToLower(info_.manifest_checksum) != computed) {
      return Corruption(fmt::format("Manifest-Checksum is {}, computed {}", Printable(info_.manifest_checksum), computed));
    }
    if (info_.version >= 2 && !saw_system_) return Corruption("System-Identifier is missing");
    if (names_.HasDuplicate()) return Corruption("Files holds a path twice");
    return info_;
  }

  Status OnStartObject() override {
    if (place_ == Place::kOutside) return place_ = Place::kTop, OkStatus();
    if (place_ == Place::kFiles) return file_ = {}, fields_ = 0, place_ = Place::kFile, OkStatus();
    if (place_ == Place::kRanges) return range_ = {}, fields_ = 0, place_ = Place::kRange, OkStatus();
    return Unexpected("an object");
  }
  Status OnStartArray() override {
    if (place_ == Place::kTop && key_ == "Files") return saw_files_ = true, place_ = Place::kFiles, OkStatus();
    if (place_ == Place::kTop && key_ == "WAL-Ranges") return place_ = Place::kRanges, OkStatus();
    return Unexpected("an array");
  }
  Status OnEndArray() override { return key_.clear(), place_ = Place::kTop, OkStatus(); }
  Status OnEndObject() override {
    switch (place_) {
      case Place::kFile: return place_ = Place::kFiles, EndFile();
      case Place::kRange: return place_ = Place::kRanges, EndRange();
      default: return place_ = Place::kOutside, OkStatus();
    }
  }
  Status OnKey(std::string& key) override {
    key_ = std::move(key);
    if (place_ != Place::kTop) return OkStatus();
    if (info_.version == 0 && key_ != "PostgreSQL-Backup-Manifest-Version") {
      return Corruption("does not begin with PostgreSQL-Backup-Manifest-Version");
    }
    constexpr std::string_view kKnown[] = {"PostgreSQL-Backup-Manifest-Version", "System-Identifier", "Files", "WAL-Ranges",
                                           "Manifest-Checksum"};
    for (size_t i = 0; i < std::size(kKnown); ++i) {
      if (key_ != kKnown[i]) continue;
      if (seen_[i]) return Corruption(fmt::format("{} occurs twice", key_));
      return seen_[i] = true, OkStatus();
    }
    return Corruption(fmt::format("unknown key {}", Printable(key_)));
  }

  Status OnUint(uint64_t value) override {
    if (place_ == Place::kTop && key_ == "PostgreSQL-Backup-Manifest-Version") {
      if (value == 0) return Corruption("version 0");
      if (value > 2) return NotSupported(fmt::format("version {}, known are 1 and 2", value));
      info_.version = static_cast<int>(value);
      return OkStatus();
    }
    if (place_ == Place::kTop && key_ == "System-Identifier") {
      info_.system_identifier = value;
      return saw_system_ = true, OkStatus();
    }
    if (place_ == Place::kFile && key_ == "Size") return file_.size_bytes = value, Once(kSize);
    if (place_ == Place::kRange && key_ == "Timeline" && value != 0 && value <= UINT32_MAX) {
      return range_.timeline = static_cast<Timeline>(value), Once(kTimeline);
    }
    return Unexpected("a number");
  }
  Status OnString(std::string& value) override {
    if (place_ == Place::kTop && key_ == "Manifest-Checksum") return info_.manifest_checksum = std::move(value), OkStatus();
    if (place_ == Place::kFile) return FileText(value);
    if (place_ == Place::kRange) return RangeText(value);
    return Unexpected("a string");
  }
  Status OnInt(int64_t) override { return Unexpected("a negative number"); }
  Status OnDouble(double) override { return Unexpected("a number that is not whole"); }
  Status OnBool(bool) override { return Unexpected("a boolean"); }
  Status OnNull() override { return Unexpected("null"); }

 private:
  enum class Place { kOutside, kTop, kFiles, kFile, kRanges, kRange };
  enum Field : unsigned {
    kPath = 1, kSize = 2, kModified = 4, kAlgorithm = 8, kChecksum = 16, kTimeline = 32, kStart = 64, kEnd = 128
  };

  Status Unexpected(std::string_view what) const {
    return Corruption(fmt::format("{} is {}", key_.empty() ? "the document" : Printable(key_), what));
  }
  Status Once(Field field) {
    if ((fields_ & field) != 0) return Corruption(fmt::format("{} occurs twice in an entry", Printable(key_)));
    fields_ |= field;
    return OkStatus();
  }

  Status FileText(std::string& value) {
    if (key_ == "Path") return file_.path = std::move(value), Once(kPath);
    if (key_ == "Encoded-Path") {
      Result<std::string> path = HexDecode(value);
      if (!path.ok()) return Corruption("Encoded-Path is not hexadecimal");
      return file_.path = std::move(*path), Once(kPath);
    }
    if (key_ == "Last-Modified") {
      // Only for people: PostgreSQL does not look at it either, so other text is no damage.
      if (EndsWith(value, " GMT")) value.replace(value.size() - 4, 4, "Z");
      if (Result<int64_t> ns = ParseRfc3339(value); ns.ok()) file_.mtime_s = *ns / 1'000'000'000;
      return Once(kModified);
    }
    if (key_ == "Checksum-Algorithm") return file_.algorithm = std::move(value), Once(kAlgorithm);
    if (key_ == "Checksum") return file_.checksum = ToLower(value), Once(kChecksum);
    return Unexpected("no key of a file");
  }

  Status RangeText(const std::string& value) {
    Result<Lsn> lsn = ParseLsn(value);
    if (!lsn.ok()) return Unexpected("no LSN");
    if (key_ == "Start-LSN") return range_.start = *lsn, Once(kStart);
    if (key_ == "End-LSN") return range_.end = *lsn, Once(kEnd);
    return Unexpected("no key of a WAL range");
  }

  Status EndFile() {
    if ((fields_ & kPath) == 0 || (fields_ & kSize) == 0) return Corruption("a file without a path or a size");
    if (!PathIsSafe(file_.path)) {
      return Corruption(fmt::format("path '{}' leaves the data directory or is none", Printable(file_.path)));
    }
    if (((fields_ & kAlgorithm) == 0) != ((fields_ & kChecksum) == 0)) {
      return Corruption(fmt::format("'{}' has half a checksum", Printable(file_.path)));
    }
    if ((fields_ & kAlgorithm) != 0) {
      const size_t digits = ChecksumDigits(file_.algorithm);
      if (digits == 0 || file_.checksum.size() != digits || !HexDecode(file_.checksum).ok()) {
        return Corruption(fmt::format("'{}' has a malformed checksum", Printable(file_.path)));
      }
    }
    names_.Add(file_.path);
    ++info_.files;
    return visitor_.OnFile(std::move(file_));
  }

  Status EndRange() {
    if (fields_ != (kTimeline | kStart | kEnd) || range_.end < range_.start) return Corruption("a malformed WAL range");
    return visitor_.OnWalRange(range_);
  }

  BackupManifestVisitor& visitor_;
  BackupManifestInfo info_;
  Place place_ = Place::kOutside;
  std::string key_;
  bool seen_[5] = {};
  bool saw_files_ = false, saw_system_ = false;
  unsigned fields_ = 0;
  ManifestFile file_;
  ManifestWalRange range_;
  NameHashes names_;
};

}  // namespace

Result<BackupManifestInfo> ReadBackupManifest(const Context& ctx, Source& source, BackupManifestVisitor& visitor) {
  WALRIG_ASSIGN(Sha256 hash, Sha256::New());
  ManifestSource hashing(source, std::move(hash));
  Reader reader(visitor);
  WALRIG_TRY(ReadJsonStream(ctx, hashing, kBackupManifestName, JsonStreamLimits{}, reader));
  Result<std::string> computed = hashing.Finish();
  if (!computed.ok()) return std::move(computed).status().With(kBackupManifestName);
  Result<BackupManifestInfo> info = reader.Finish(*computed);
  if (!info.ok()) return std::move(info).status().With(kBackupManifestName);
  return info;
}

}  // namespace walrig
