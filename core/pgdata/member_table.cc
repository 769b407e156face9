#include "core/pgdata/member_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>

#include "core/base/checksum.h"
#include "core/base/string_util.h"
#include "core/pgdata/file_unwrap.h"

namespace walrig {
namespace {

constexpr uint8_t kListed = 1, kInManifest = 2, kClaimed = 4;
constexpr size_t kAbsentTarNamesMax = 1000;

std::pair<uint64_t, uint64_t> HashName(std::string_view name) {
  const std::string hex = Xxh128Hex(AsBytes(name));
  auto part = [&](size_t from) {
    uint64_t value = 0;
    for (size_t i = from; i < from + 16; ++i) {
      const char c = hex[i];
      value = value << 4 | static_cast<uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
  };
  uint64_t low = part(16);
  return {part(0), low == 0 ? 1 : low};
}

std::string_view StemOf(std::string_view tar) {
  size_t at = tar.find(".tar");
  return at == std::string_view::npos ? tar : tar.substr(0, at + 4);
}

// The bytes of a CRC-32C as the manifest writes them: hexadecimal, little-endian.
std::optional<uint32_t> ParseManifestCrc(std::string_view text) {
  auto bytes = HexDecode(text);
  if (!bytes.ok() || bytes->size() != 4) return std::nullopt;
  uint32_t crc = 0;
  for (size_t i = 4; i-- > 0;) crc = crc << 8 | static_cast<uint8_t>((*bytes)[i]);
  return crc;
}

}  // namespace

class FilesLoader final : public FilesMetadataVisitor {
 public:
  FilesLoader(MemberTable& table, const std::set<std::string, std::less<>>& tars) : table_(table), tars_(tars) {}

  Status OnFile(std::string name, FileDescription file) override {
    WALRIG_ASSIGN(std::string path, NormalizeMemberName(name));
    if ((file.incremented || file.skipped) && table_.incremented_.empty()) table_.incremented_ = name;
    if (name == "backup_label") table_.label_in_parts_ = true;
    MemberTable::Entry& entry = table_.Insert(path);
    if ((entry.flags & kListed) != 0) {
      return Corruption(fmt::format("'{}' is listed twice, with and without a leading slash", Printable(path)));
    }
    entry.flags |= kListed;
    ++table_.listed_;
    return OkStatus();
  }

  Status OnTarMember(std::string_view tar, std::string name) override {
    if (tar != last_tar_) {
      last_tar_ = tar;
      std::string stem(StemOf(tar));
      absent_ = tars_.find(stem) == tars_.end() ? &table_.absent_tars_[stem] : nullptr;
    }
    if (absent_ == nullptr || absent_->size() >= kAbsentTarNamesMax) return OkStatus();
    auto path = NormalizeMemberName(name);
    if (path.ok()) absent_->push_back(std::move(path).value());
    return OkStatus();
  }

 private:
  MemberTable& table_;
  const std::set<std::string, std::less<>>& tars_;
  std::string last_tar_;
  std::vector<std::string>* absent_ = nullptr;
};

class ManifestLoader final : public BackupManifestVisitor {
 public:
  explicit ManifestLoader(MemberTable& table) : table_(table) {}

  Status OnFile(ManifestFile file) override {
    WALRIG_ASSIGN(std::string path, NormalizeMemberName(file.path));
    MemberTable::Entry& entry = table_.Insert(path);
    entry.flags |= kInManifest;
    entry.size_bytes = file.size_bytes;
    if (file.algorithm == "CRC32C") {
      auto crc = ParseManifestCrc(file.checksum);
      if (!crc) return Corruption(fmt::format("checksum of '{}' is no CRC32C", Printable(file.path)));
      entry.algorithm = static_cast<uint8_t>(MemberChecksum::kCrc32c);
      entry.checksum = *crc;
    } else if (file.algorithm == "SHA256") {
      entry.algorithm = static_cast<uint8_t>(MemberChecksum::kSha256);
      entry.checksum = static_cast<uint32_t>(table_.digests_.size());
      table_.digests_.push_back(file.checksum);
    }
    return OkStatus();
  }

  Status OnWalRange(const ManifestWalRange& range) override {
    table_.wal_ranges_.push_back(range);
    return OkStatus();
  }

 private:
  MemberTable& table_;
};

void MemberTable::Grow() {
  std::vector<Entry> old = std::move(entries_);
  entries_.assign(std::max<size_t>(old.size() * 2, 1024), Entry{});
  const size_t mask = entries_.size() - 1;
  for (const Entry& entry : old) {
    if (entry.hash_low == 0) continue;
    size_t at = entry.hash_low & mask;
    while (entries_[at].hash_low != 0) at = (at + 1) & mask;
    entries_[at] = entry;
  }
}

MemberTable::Entry& MemberTable::Insert(std::string_view name) {
  if ((used_ + 1) * 8 > entries_.size() * 7) Grow();
  auto [high, low] = HashName(name);
  const size_t mask = entries_.size() - 1;
  size_t at = low & mask;
  while (entries_[at].hash_low != 0) {
    if (entries_[at].hash_low == low && entries_[at].hash_high == high) return entries_[at];
    at = (at + 1) & mask;
  }
  ++used_;
  entries_[at].hash_high = high;
  entries_[at].hash_low = low;
  return entries_[at];
}

size_t MemberTable::Find(std::string_view name) const {
  if (entries_.empty()) return kUnknown;
  auto [high, low] = HashName(name);
  const size_t mask = entries_.size() - 1;
  for (size_t at = low & mask; entries_[at].hash_low != 0; at = (at + 1) & mask) {
    if (entries_[at].hash_low == low && entries_[at].hash_high == high) return at;
  }
  return kUnknown;
}

MemberTable::Facts MemberTable::FactsOf(size_t index) const {
  const Entry& entry = entries_[index];
  const uint8_t flags = std::atomic_ref<uint8_t>(const_cast<uint8_t&>(entry.flags)).load(std::memory_order_relaxed);
  Facts facts;
  facts.listed = (flags & kListed) != 0;
  facts.in_manifest = (flags & kInManifest) != 0;
  facts.size_bytes = entry.size_bytes;
  facts.algorithm = static_cast<MemberChecksum>(entry.algorithm);
  if (facts.algorithm == MemberChecksum::kCrc32c) facts.checksum = ManifestCrc32c(entry.checksum);
  if (facts.algorithm == MemberChecksum::kSha256) facts.checksum = digests_[entry.checksum];
  return facts;
}

bool MemberTable::Claim(size_t index) {
  return (std::atomic_ref<uint8_t>(entries_[index].flags).fetch_or(kClaimed) & kClaimed) == 0;
}

bool MemberTable::Claimed(size_t index) const {
  return (std::atomic_ref<uint8_t>(const_cast<uint8_t&>(entries_[index].flags)).load() & kClaimed) != 0;
}

uint64_t MemberTable::unclaimed() const {
  return static_cast<uint64_t>(std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
    return entry.hash_low != 0 && (entry.flags & kClaimed) == 0;
  }));
}

std::string MemberTable::MissingTar() const {
  for (const auto& [stem, members] : absent_tars_) {
    for (const std::string& name : members) {
      size_t index = Find(name);
      if (index != kUnknown && FactsOf(index).listed) return stem;
    }
  }
  return {};
}

Status MemberTable::LoadFiles(const Context& ctx, Source& source, const std::set<std::string, std::less<>>& tars,
                              std::string_view what) {
  FilesLoader loader(*this, tars);
  WALRIG_TRY(ReadFilesMetadata(ctx, source, loader, what));
  // A very old or foreign document without a single file says nothing about what must be there.
  knows_files_ = listed_ > 0;
  return OkStatus();
}

Status MemberTable::LoadManifest(const Context& ctx, Source& source) {
  ManifestLoader loader(*this);
  WALRIG_ASSIGN(manifest_info_, ReadBackupManifest(ctx, source, loader));
  knows_manifest_ = true;
  return OkStatus();
}

namespace {

class UnclaimedFilesVisitor final : public FilesMetadataVisitor {
 public:
  UnclaimedFilesVisitor(const MemberTable& table, size_t names_max) : table_(table), names_max_(names_max) {}
  Status OnFile(std::string name, FileDescription) override {
    auto path = NormalizeMemberName(name);
    if (!path.ok() || names.size() >= names_max_) return OkStatus();
    size_t index = table_.Find(*path);
    if (index != MemberTable::kUnknown && !table_.Claimed(index)) names.push_back(std::move(path).value());
    return OkStatus();
  }
  Status OnTarMember(std::string_view, std::string) override { return OkStatus(); }
  std::vector<std::string> names;

 private:
  const MemberTable& table_;
  const size_t names_max_;
};

class UnclaimedManifestVisitor final : public BackupManifestVisitor {
 public:
  UnclaimedManifestVisitor(const MemberTable& table, size_t names_max) : table_(table), names_max_(names_max) {}
  Status OnFile(ManifestFile file) override {
    size_t index = table_.Find(file.path);
    if (names.size() < names_max_ && index != MemberTable::kUnknown && !table_.Claimed(index)) {
      names.push_back(std::move(file.path));
    }
    return OkStatus();
  }
  Status OnWalRange(const ManifestWalRange&) override { return OkStatus(); }
  std::vector<std::string> names;

 private:
  const MemberTable& table_;
  const size_t names_max_;
};

}  // namespace

Result<std::vector<std::string>> MemberTable::UnclaimedFiles(const Context& ctx, Source& files,
                                                             size_t names_max) const {
  UnclaimedFilesVisitor visitor(*this, names_max);
  WALRIG_TRY(ReadFilesMetadata(ctx, files, visitor));
  return std::move(visitor.names);
}

Result<std::vector<std::string>> MemberTable::UnclaimedManifest(const Context& ctx, Source& manifest,
                                                                size_t names_max) const {
  UnclaimedManifestVisitor visitor(*this, names_max);
  WALRIG_ASSIGN([[maybe_unused]] BackupManifestInfo info, ReadBackupManifest(ctx, manifest, visitor));
  return std::move(visitor.names);
}

Result<MemberCheck> MemberCheck::New(const MemberTable::Facts& facts) {
  MemberCheck check;
  check.facts_ = facts;
  if (facts.in_manifest && facts.algorithm == MemberChecksum::kSha256) {
    WALRIG_ASSIGN(Sha256 sha, Sha256::New());
    check.sha_.push_back(std::move(sha));
  }
  return check;
}

void MemberCheck::Update(ByteSpan bytes) {
  bytes_ += bytes.size();
  if (!facts_.in_manifest) return;
  if (facts_.algorithm == MemberChecksum::kCrc32c) crc_ = Crc32c(crc_, bytes);
  if (!sha_.empty()) sha_[0].Update(bytes);
}

Status MemberCheck::Finish(std::string_view name) {
  if (!facts_.in_manifest) return OkStatus();
  if (bytes_ != facts_.size_bytes) {
    return Corruption(fmt::format("file '{}' has {} bytes, backup_manifest says {}", Printable(name), bytes_,
                                  facts_.size_bytes));
  }
  std::string found;
  if (facts_.algorithm == MemberChecksum::kCrc32c) found = ManifestCrc32c(crc_);
  if (!sha_.empty()) found = sha_[0].Hex();
  if (found != facts_.checksum) {
    return Corruption(fmt::format("file '{}' has the checksum {}, backup_manifest says {}", Printable(name), found,
                                  facts_.checksum));
  }
  return OkStatus();
}

}  // namespace walrig
