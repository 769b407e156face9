#include "core/wal/markers.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "core/base/checksum.h"
#include "core/base/owner.h"
#include "core/io/durable_file.h"
#include "core/postgres/archive_status.h"

namespace walrig {
namespace {

constexpr uint64_t kMarkerBytesMax = 256;

Result<std::string> MarkerText(const LocalWalFile& file) {
  Buffer buffer(kIoBufferBytes);
  uint32_t crc = 0;
  for (uint64_t position = 0; position < file.size_bytes;) {
    WALRIG_ASSIGN(const size_t got, PreadSome(file.fd.get(), buffer.span(), position, "read " + file.path));
    if (got == 0) return Truncated(file.path + " became shorter while it was read");
    crc = Crc32c(crc, buffer.first(got));
    position += got;
  }
  return fmt::format("walrig 1 {} {:08x}\n", file.size_bytes, crc);
}

}  // namespace

ArchiveNote::ArchiveNote(const std::string& wal_directory, std::string_view archive_id)
    : directory_(wal_directory + "/walg_data/"), path_(directory_ + "walrig_archive_" + Xxh128Hex(AsBytes(archive_id))) {}

bool ArchiveNote::Exists() const { return access(path_.c_str(), F_OK) == 0; }

Status ArchiveNote::Add(const Context& ctx) const {
  WALRIG_TRY(MakeFolders(directory_));
  return WriteFileDurably(ctx, path_, "", {.owner_of_folder = true});
}

UploadMarkers::UploadMarkers(const std::string& wal_directory)
    : directory_(wal_directory + "/walg_data/walg_archive_status/") {}

bool UploadMarkers::Exists(std::string_view name) const {
  return access((directory_ + std::string(name)).c_str(), F_OK) == 0;
}

bool UploadMarkers::Matches(const LocalWalFile& file) const {
  auto marker = ReadWholeFile(directory_ + file.name, kMarkerBytesMax);
  if (!marker.ok() || marker->empty()) return false;
  auto expected = MarkerText(file);
  return expected.ok() && *expected == *marker;
}

Result<std::unique_ptr<Sink>> UploadMarkers::Prepare(const Context& ctx, const LocalWalFile& file) const {
  WALRIG_TRY(MakeFolders(directory_));
  WALRIG_ASSIGN(std::unique_ptr<DurableFile> marker,
                DurableFile::Create(directory_ + file.name, {.owner_of_folder = true}));
  WALRIG_ASSIGN(const std::string text, MarkerText(file));
  WALRIG_TRY(marker->Write(ctx, AsBytes(text)));
  return std::unique_ptr<Sink>(std::move(marker));
}

void UploadMarkers::Remove(std::string_view name) const {
  // One that stays is harmless: it is only believed for the same content, which is archived.
  unlink((directory_ + std::string(name)).c_str());
}

void UploadMarkers::RemoveStale(const std::string& archive_status_dir) const {
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator it(directory_, error), end; !error && it != end; it.increment(error))
    names.push_back(it->path().filename());
  for (const std::string& name : names) {
    const Result<bool> ready = IsReady(archive_status_dir, name);
    if (ready.ok() && !*ready) Remove(name);
  }
}

}  // namespace walrig
