#include "core/backup/tar_upload.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "core/backup/tar_lane.h"
#include "core/base/checksum.h"
#include "core/base/errno_status.h"
#include "core/base/fd.h"
#include "core/base/string_util.h"
#include "core/layout/paths.h"
#include "core/pipeline/tar_writer.h"
#include "core/pipeline/worker_pool.h"
#include "core/postgres/relation_file.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

// What a million bad pages shall not do to a log.
constexpr uint64_t kWarningsMax = 50;
constexpr size_t kCorruptNumbersMax = 10;

Status EmitHeader(const TarEntry& entry, const Emit& emit) {
  WALRIG_ASSIGN(std::string header, EncodeTarHeader(entry));
  return emit(AsBytes(header));
}

bool LiesWithRelations(std::string_view member) {
  return StartsWith(member, "/base/") || StartsWith(member, "/global/") || StartsWith(member, "/pg_tblspc/");
}

Status EmitPadding(uint64_t size_bytes, const Emit& emit) {
  const size_t padding = TarPadding(size_bytes);
  return padding == 0 ? OkStatus() : emit(TarZeros().first(padding));
}

}  // namespace

Status PackedFileHint(Status status) {
  if (status.code() != Code::kPermission) return status;
  return std::move(status).Hint("run walrig as the user that owns the data directory");
}

TarUpload::TarUpload(FileSet& files, Storage& storage, const Codec& codec, ProgressCounters* progress,
                     TarUploadOptions options)
    : files_(files),
      storage_(storage),
      codec_(codec),
      progress_(progress),
      options_(std::move(options)),
      disk_({.rate_bytes_per_s = options_.disk_rate_bytes_per_s}),
      planner_(files, {options_.slice_bytes, options_.part_bytes_max, options_.composer}) {
  if (options_.disk_rate_bytes_per_s != 0)
    limit_ = [this](const Context& ctx, uint64_t bytes) { return disk_.Take(ctx, bytes); };
  if (options_.sha256) digests_.resize(files.size());
}

TarUpload::~TarUpload() = default;

std::string TarUpload::PartFileName(uint32_t part) const { return PartName(part, codec_.Extension()); }

uint64_t TarUpload::stored_bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t sum = 0;
  for (const ProofObject& object : objects_) sum += object.stored_bytes;
  return sum;
}

Status TarUpload::Pack(const Context& ctx) {
  if (progress_ != nullptr) progress_->SetTotal(files_.payload_bytes(), files_.files());
  const bool one_stream = codec_.compressor == nullptr || codec_.compressor->traits().concatenable;
  if (!one_stream && options_.workers > 1) return RunLanes(ctx);
  WALRIG_ASSIGN(auto lane, Lane::New(*this, options_.workers));
  return lane->Run(ctx, nullptr);
}

Status TarUpload::RunLanes(const Context& ctx) {
  WorkerPool pool(options_.workers);
  for (size_t i = 0; i < options_.workers; ++i) {
    pool.Submit([this, &ctx, &pool]() -> Status {
      WALRIG_ASSIGN(auto lane, Lane::New(*this, 1));
      return lane->Run(ctx, &pool);
    });
  }
  return pool.Wait();
}

Status TarUpload::PutTar(const Context& ctx, const std::string& tar_name, std::vector<MemberBytes> members) {
  ++last_part_;
  WALRIG_ASSIGN(auto workers, SliceWorkers::New(codec_, 1));
  WALRIG_ASSIGN(auto sink, storage_.Put(ctx, TarKey(options_.backup_name, tar_name), NewObject(storage_)));
  WALRIG_ASSIGN(auto tar, OrderedCompressor::New(*workers, std::move(sink), {}));
  Status status = tar->Submit(ctx, [&members](const Context&, const Emit& emit) -> Status {
    for (MemberBytes& member : members) {
      member.header.size_bytes = member.body.size();
      WALRIG_TRY(EmitHeader(member.header, emit));
      if (!member.body.empty()) WALRIG_TRY(emit(AsBytes(member.body)));
      WALRIG_TRY(EmitPadding(member.body.size(), emit));
    }
    return emit(TarTrailer());
  });
  if (status.ok()) status = tar->Finish(ctx);
  if (!status.ok()) return std::move(status).With("storing " + tar_name);
  for (const MemberBytes& member : members) payload_bytes_ += member.body.size();
  Done(tar_name, tar->stats());
  return OkStatus();
}

void TarUpload::Done(const std::string& tar_name, const ObjectStats& stats) {
  if (progress_ != nullptr) progress_->AddStored(stats.stored_bytes);
  std::lock_guard lock(mutex_);
  objects_.push_back({std::string(kTarFolder) + tar_name, stats.stored_bytes, stats.plain_bytes, stats.xxh128});
}

TarEntry TarUpload::HeaderOf(const FileEntry& entry) const {
  TarEntry header;
  header.name = files_.MemberName(entry);
  header.type = entry.kind == FileKind::kFile        ? TarEntry::Type::kFile
                : entry.kind == FileKind::kDirectory ? TarEntry::Type::kDirectory
                                                     : TarEntry::Type::kSymlink;
  header.mode = entry.mode;
  const FileSet::Owner& owner = files_.owner(entry);
  header.uid = owner.uid;
  header.gid = owner.gid;
  header.uname = owner.user;
  header.gname = owner.group;
  header.size_bytes = entry.size_bytes;
  header.mtime_s = TarMtime(entry.mtime_ns);
  header.link = files_.LinkTarget(entry);
  return header;
}

RangeRead TarUpload::RangeOf(const FileEntry& entry, const std::string& path, int fd) const {
  RangeRead range;
  range.fd = fd;
  range.path = path;
  range.length = entry.size_bytes;
  if (!entry.paged || !options_.pages.enabled) return range;
  const std::optional<RelationPath> relation = ParseRelationPath(files_.MemberName(entry));
  if (!relation) return range;
  const std::optional<uint32_t> first = FirstBlockOfSegment(relation->segment, options_.relation_segment_blocks);
  range.paged = first.has_value();
  range.first_block = first.value_or(0);
  return range;
}

Status TarUpload::PackRun(const Context& ctx, const TarUnit& unit, const Emit& emit) {
  Buffer buffer = TakeBuffer();
  Status status;
  for (size_t position = unit.begin; position < unit.end && status.ok(); ++position) {
    status = ctx.Poll();
    if (status.ok()) status = PackFile(ctx, planner_.Index(position), buffer.span(), emit);
  }
  GiveBuffer(std::move(buffer));
  return status;
}

// WAL makes a relation whole that was cut to its size at the walk. Nothing does so for a configuration file that was
// rewritten since: it is taken as it is when it is opened, as PostgreSQL's own base backup does.
Result<FileEntry> TarUpload::EntryNow(size_t index, int fd) {
  FileEntry entry = files_.entry(index);
  struct stat info {};
  if (fstat(fd, &info) != 0) return ErrnoStatus(errno, "stat " + files_.Path(entry));
  if (static_cast<uint64_t>(info.st_size) == entry.size_bytes || LiesWithRelations(files_.MemberName(entry))) return entry;
  entry.size_bytes = static_cast<uint64_t>(info.st_size);
  entry.mtime_ns = int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  std::lock_guard lock(mutex_);
  rewritten_.emplace(index, entry);
  return entry;
}

FileEntry TarUpload::Stored(size_t index) const {
  std::lock_guard lock(mutex_);
  const auto found = rewritten_.find(index);
  FileEntry entry = found == rewritten_.end() ? files_.entry(index) : found->second;
  entry.outcome = files_.entry(index).outcome;
  return entry;
}

Status TarUpload::PackFile(const Context& ctx, size_t index, MutableByteSpan buffer, const Emit& emit) {
  const FileEntry& seen = files_.entry(index);
  if (seen.kind != FileKind::kFile) {
    files_.outcome(index).stored = true;
    return EmitHeader(HeaderOf(seen), emit);
  }
  const std::string path = files_.Path(seen);
  Result<Fd> fd = OpenFd(path, kPackedFileFlags);
  if (fd.status().code() == Code::kNotFound) {
    Vanished(ctx, index, path);
    return OkStatus();
  }
  if (!fd.ok()) return PackedFileHint(std::move(fd).status());
  std::optional<Sha256> sha256;
  if (options_.sha256) {
    WALRIG_ASSIGN(Sha256 made, Sha256::New());
    sha256.emplace(std::move(made));
  }
  WALRIG_ASSIGN(const FileEntry entry, EntryNow(index, fd->get()));
  WALRIG_TRY(EmitHeader(HeaderOf(entry), emit));
  WALRIG_ASSIGN(RangeOutcome read,
                ReadRange(ctx, RangeOf(entry, path, fd->get()), options_.pages, buffer, limit_, [&](ByteSpan bytes) {
                  if (sha256) sha256->Update(bytes);
                  if (progress_ != nullptr) progress_->AddBytes(bytes.size());
                  return emit(bytes);
                }));
  WALRIG_TRY(EmitPadding(entry.size_bytes, emit));
  pages_checked_ += read.pages_checked;
  if (read.padded_bytes != 0) Shrank(ctx, entry);
  if (sha256) digests_[index] = sha256->Digest();
  Record(ctx, index, entry, read.crc32c, std::move(read.corrupt_blocks));
  return OkStatus();
}

Status TarUpload::PackRange(const Context& ctx, BigFile& file, size_t range, const Emit& emit) {
  const FileEntry& entry = file.entry;
  RangeRead read = RangeOf(entry, file.path, file.fd.get());
  read.offset = range * options_.slice_bytes;
  read.length = std::min(options_.slice_bytes, entry.size_bytes - read.offset);
  // The workers' ranges interleave, which the kernel's own read-ahead takes for random access.
  posix_fadvise(read.fd, static_cast<off_t>(read.offset), static_cast<off_t>(read.length), POSIX_FADV_WILLNEED);
  if (range == 0) WALRIG_TRY(EmitHeader(HeaderOf(entry), emit));
  std::vector<uint8_t> to_hash;
  if (file.sha256) to_hash.reserve(static_cast<size_t>(read.length));
  Buffer buffer = TakeBuffer();
  Result<RangeOutcome> outcome =
      ReadRange(ctx, read, options_.pages, buffer.span(), limit_, [&](ByteSpan bytes) {
        if (file.sha256) to_hash.insert(to_hash.end(), bytes.begin(), bytes.end());
        if (progress_ != nullptr) progress_->AddBytes(bytes.size());
        return emit(bytes);
      });
  GiveBuffer(std::move(buffer));
  if (!outcome.ok()) return std::move(outcome).status();
  const bool last = range + 1 == file.crcs.size();
  if (last) WALRIG_TRY(EmitPadding(entry.size_bytes, emit));
  if (file.sha256) WALRIG_TRY(HashInTurn(ctx, file, range, to_hash, emit));
  file.crcs[range] = outcome->crc32c;
  pages_checked_ += outcome->pages_checked;
  std::unique_lock lock(file.mutex);
  file.corrupt.insert(file.corrupt.end(), outcome->corrupt_blocks.begin(), outcome->corrupt_blocks.end());
  file.shrank = file.shrank || outcome->padded_bytes != 0;
  if (--file.left != 0) return OkStatus();
  lock.unlock();
  Finish(ctx, file);
  return OkStatus();
}

// A digest wants its bytes in order; reading and compressing do not. Slices start in order, so the range before this
// one is done or under way, and the wait ends.
Status TarUpload::HashInTurn(const Context& ctx, BigFile& file, size_t range, ByteSpan bytes, const Emit& emit) {
  std::unique_lock lock(file.mutex);
  while (file.next_hash != range) {
    if (file.failed) return Cancelled("another range of the file failed");
    file.turn.wait_for(lock, std::chrono::milliseconds(100));
    lock.unlock();
    WALRIG_TRY(ctx.Poll());
    WALRIG_TRY(emit({}));  // tells whether the object was aborted meanwhile
    lock.lock();
  }
  lock.unlock();
  file.sha256->Update(bytes);
  lock.lock();
  ++file.next_hash;
  file.turn.notify_all();
  return OkStatus();
}

void TarUpload::Finish(const Context& ctx, BigFile& file) {
  const uint64_t size = file.entry.size_bytes;
  uint32_t crc = 0;
  for (size_t range = 0; range < file.crcs.size(); ++range) {
    const uint64_t offset = range * options_.slice_bytes;
    crc = Crc32cCombine(crc, file.crcs[range], std::min(options_.slice_bytes, size - offset));
  }
  if (file.sha256) digests_[file.index] = file.sha256->Digest();
  std::sort(file.corrupt.begin(), file.corrupt.end());
  if (file.shrank) Shrank(ctx, file.entry);
  Record(ctx, file.index, file.entry, crc, std::move(file.corrupt));
}

void TarUpload::Record(const Context& ctx, size_t index, const FileEntry& entry, uint32_t crc32c,
                       std::vector<uint32_t> corrupt) {
  FileOutcome& outcome = files_.outcome(index);
  outcome.crc32c = crc32c;
  outcome.stored = true;
  outcome.corrupt_blocks = static_cast<uint32_t>(corrupt.size());
  payload_bytes_ += entry.size_bytes;
  if (progress_ != nullptr) progress_->AddFiles(1);
  if (corrupt.empty()) return;
  corrupt_pages_ += corrupt.size();
  const size_t count = corrupt.size();
  if (!options_.store_all_corrupt_blocks && count > kCorruptNumbersMax) corrupt.resize(kCorruptNumbersMax);
  std::vector<std::string> some;
  for (size_t i = 0; i < std::min(corrupt.size(), kCorruptNumbersMax); ++i) some.push_back(std::to_string(corrupt[i]));
  std::unique_lock lock(mutex_);
  corrupt_[index] = {count, std::move(corrupt)};
  const bool speak = ++warnings_ <= kWarningsMax, last = warnings_ == kWarningsMax;
  lock.unlock();
  if (!speak) return;
  ctx.log->Write(LogLevel::kWarning, "backup",
                 fmt::format("corrupt pages in {}: {}, blocks {}{}", files_.MemberName(entry), count, Join(some, ", "),
                             count > some.size() ? ", ..." : ""));
  if (last) ctx.log->Write(LogLevel::kWarning, "backup", "more corrupt files are counted but not listed");
}

// After its opening, in place. WAL makes that of a relation good.
void TarUpload::Shrank(const Context& ctx, const FileEntry& entry) {
  const std::string member = files_.MemberName(entry);
  if (LiesWithRelations(member)) return;
  ctx.log->Write(LogLevel::kWarning, "backup",
                 fmt::format("{} became shorter while it was read: its end is stored as zeros", Printable(member, 4096)));
}

void TarUpload::Vanished(const Context& ctx, size_t index, const std::string& path) {
  files_.outcome(index).stored = false;
  ctx.log->Write(LogLevel::kInfo, "backup", fmt::format("{} was removed during the backup and is left out", Printable(path, 4096)));
  if (progress_ != nullptr) progress_->AddBytes(files_.entry(index).size_bytes), progress_->AddFiles(1);
}

Buffer TarUpload::TakeBuffer() {
  std::lock_guard lock(mutex_);
  if (buffers_.empty()) return Buffer(kIoBufferBytes);
  Buffer buffer = std::move(buffers_.back());
  buffers_.pop_back();
  return buffer;
}

void TarUpload::GiveBuffer(Buffer buffer) {
  std::lock_guard lock(mutex_);
  buffers_.push_back(std::move(buffer));
}

}  // namespace walrig
