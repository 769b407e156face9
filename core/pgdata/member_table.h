// MemberTable: what a backup's documents promise about its files, and which of them have been met.
//
// Filled from files_metadata.json (which files there are) and backup_manifest (size and checksum of each), both streams of
// any size, and asked while tars are read. Names are kept as 128-bit hashes, 32 bytes a file and the table's slack, so
// that a million files take some 64 MB; when something is missing, its name is found by reading the document again.
//
// THREADS: loading, one thread; then Find, Claim and the checks from any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/layout/files_metadata.h"
#include "core/postgres/backup_manifest.h"
#include "walrig/context.h"
#include "walrig/result.h"
#include "walrig/stream.h"

namespace walrig {

// How a file's content is compared with the manifest.
enum class MemberChecksum : uint8_t { kNone, kCrc32c, kSha256 };

class MemberTable {
 public:
  static constexpr size_t kUnknown = SIZE_MAX;

  struct Facts {
    bool listed = false;        // by files_metadata.json
    bool in_manifest = false;   // then the rest holds
    uint64_t size_bytes = 0;
    MemberChecksum algorithm = MemberChecksum::kNone;
    std::string checksum;       // as in the manifest; only filled by FactsOf
  };

  // Reads files_metadata.json or the same from an old sentinel. `tars` are the stems of the tars that the storage holds
  // ("part_001.tar"). FAILS WITH: kCorruption for a name that no data directory can hold, what reading says.
  Status LoadFiles(const Context& ctx, Source& source, const std::set<std::string, std::less<>>& tars,
                   std::string_view what);
  Status LoadManifest(const Context& ctx, Source& source);

  bool knows_files() const { return knows_files_; }
  bool knows_manifest() const { return knows_manifest_; }
  uint64_t listed_files() const { return listed_; }
  const BackupManifestInfo& manifest_info() const { return manifest_info_; }
  const std::vector<ManifestWalRange>& wal_ranges() const { return wal_ranges_; }
  // Whether Files names backup_label without a slash, as backups over the replication protocol do.
  bool label_is_in_parts() const { return label_in_parts_; }
  // A file that is stored as an increment or not at all, which a full backup never has; "" when there is none.
  const std::string& incremented_file() const { return incremented_; }
  // A tar that TarFileSets promises, with files that Files lists, and that the storage does not hold; "" for none.
  std::string MissingTar() const;

  // `name` is normalised. kUnknown when no document names it.
  size_t Find(std::string_view name) const;
  Facts FactsOf(size_t index) const;
  // Says that the member was met; false when it had been before.
  bool Claim(size_t index);
  bool Claimed(size_t index) const;
  uint64_t unclaimed() const;

  // Names of files that were promised and not claimed, at most `names_max`, from the document given again.
  Result<std::vector<std::string>> UnclaimedFiles(const Context& ctx, Source& files, size_t names_max) const;
  Result<std::vector<std::string>> UnclaimedManifest(const Context& ctx, Source& manifest, size_t names_max) const;

 private:
  struct Entry {
    uint64_t hash_high = 0;  // both 0: free
    uint64_t hash_low = 0;
    uint64_t size_bytes = 0;
    uint32_t checksum = 0;   // CRC-32C, or index into digests_
    uint8_t algorithm = 0;
    uint8_t flags = 0;       // by atomic_ref once loading is over
  };
  friend class FilesLoader;
  friend class ManifestLoader;

  Entry& Insert(std::string_view name);
  void Grow();

  std::vector<Entry> entries_;  // open addressing; a power of two
  size_t used_ = 0;
  uint64_t listed_ = 0;
  bool knows_files_ = false, knows_manifest_ = false, label_in_parts_ = false;
  std::string incremented_;
  std::map<std::string, std::vector<std::string>, std::less<>> absent_tars_;  // stem -> some of its members
  std::vector<std::string> digests_;
  BackupManifestInfo manifest_info_;
  std::vector<ManifestWalRange> wal_ranges_;
};

// Takes the checksum of one file's content in the way its manifest wants, and compares.
class MemberCheck {
 public:
  // FAILS WITH: kNotSupported when SHA-256 is not to be had.
  static Result<MemberCheck> New(const MemberTable::Facts& facts);
  void Update(ByteSpan bytes);
  // FAILS WITH: kCorruption, naming `name`: another size, another checksum.
  Status Finish(std::string_view name);

 private:
  MemberTable::Facts facts_;
  uint64_t bytes_ = 0;
  uint32_t crc_ = 0;
  std::vector<Sha256> sha_;  // one or none
};

}  // namespace walrig
