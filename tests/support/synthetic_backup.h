// SyntheticBackup: a small backup in WAL-G's layout, made in memory, whole by default and broken where a test says so.
#pragma once

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/checksum.h"
#include "core/catalog/codec_source.h"
#include "core/io/memory.h"
#include "core/layout/backup_metadata.h"
#include "core/layout/files_metadata.h"
#include "core/layout/paths.h"
#include "core/layout/proof.h"
#include "core/layout/sentinel.h"
#include "core/pipeline/tar_writer.h"
#include "core/postgres/backup_manifest.h"
#include "core/postgres/page.h"
#include "core/storage/objects.h"

namespace walrig::test {

// Only "": stored as it is.
class NoCodecs final : public CodecProvider {
 public:
  Result<Compressor*> ForExtension(const Context&, std::string_view extension) override {
    if (extension.empty()) return static_cast<Compressor*>(nullptr);
    return NotSupported("no plugin reads '." + std::string(extension) + "'");
  }
  Cipher* cipher() override { return nullptr; }
};

inline void Require(const Status& status) {
  if (!status.ok()) {
    fprintf(stderr, "synthetic backup: %s\n", status.ToString().c_str());
    std::abort();
  }
}

// pg_control of PostgreSQL 15 with 1 MiB segments and page checksums.
inline std::string MakeControlFile(uint64_t system_identifier) {
  std::string bytes(8192, '\0');
  const auto put = [&bytes](size_t at, auto value) { std::memcpy(bytes.data() + at, &value, sizeof value); };
  put(0, system_identifier);
  put(8, uint32_t{1300});
  put(12, uint32_t{202209061});
  put(16, uint32_t{6});
  put(32, uint64_t{0x2000060});
  put(40, uint64_t{0x2000028});
  put(48, uint32_t{1});
  put(52, uint32_t{1});
  put(204, uint32_t{8});
  put(208, 1234567.0);
  put(216, uint32_t{8192});
  put(220, uint32_t{131072});
  put(224, uint32_t{8192});
  put(228, uint32_t{1u << 20});
  put(252, uint32_t{1});
  put(288, Crc32c(0, AsBytes(std::string_view(bytes).substr(0, 288))));
  return bytes;
}

// A sound page with its checksum.
inline std::string MakePage(uint32_t block, char fill) {
  std::string page(8192, fill);
  const auto put = [&page](size_t at, auto value) { std::memcpy(page.data() + at, &value, sizeof value); };
  std::memset(page.data(), 0, 24);
  put(4, uint32_t{0x1000});
  put(12, uint16_t{28});
  put(14, uint16_t{8000});
  put(16, uint16_t{8192});
  put(18, uint16_t{8192 | 4});
  put(8, PageChecksum(reinterpret_cast<const uint8_t*>(page.data()), block));
  return page;
}

struct Member {
  std::string name;
  std::string body;
  TarEntry::Type type = TarEntry::Type::kFile;
  uint32_t mode = 0600;
  std::string link;
  bool listed = true;  // in files_metadata.json
  uint32_t uid = 65534;  // nobody's: a restore by root must not make root's files
};

inline std::string MakeTar(const std::vector<Member>& members, bool trailer = true) {
  std::string tar;
  for (const Member& member : members) {
    TarEntry entry;
    entry.name = member.name;
    entry.type = member.type;
    entry.mode = member.mode;
    entry.link = member.link;
    entry.uid = entry.gid = member.uid;
    entry.size_bytes = member.body.size();
    auto header = EncodeTarHeader(entry);
    Require(header.status());
    tar += *header + member.body + std::string(TarPadding(member.body.size()), '\0');
  }
  return trailer ? tar + std::string(AsText(TarTrailer())) : tar;
}

class SyntheticBackup {
 public:
  static constexpr uint64_t kSystem = 7711409201276106581;

  explicit SyntheticBackup(std::string backup_name = "base_000000010000000000000020") : name(std::move(backup_name)) {
    const auto dir = [](const char* path, uint32_t mode = 0700) {
      return Member{.name = path, .body = "", .type = TarEntry::Type::kDirectory, .mode = mode, .link = ""};
    };
    parts["part_001.tar"] = {dir("/"),
                             dir("/base"),
                             dir("/base/5"),
                             dir("/global"),
                             dir("/pg_wal"),
                             Member{.name = "/PG_VERSION", .body = "15\n", .link = ""},
                             Member{.name = "/base/5/1259", .body = MakePage(0, 'a') + MakePage(1, 'b'), .link = ""}};
    parts["part_002.tar"] = {Member{.name = "/base/5/2600", .body = MakePage(0, 'c'), .link = ""},
                             Member{.name = "/global/pg_filenode.map", .body = std::string(512, 'm'), .link = ""}};
    control = {Member{.name = "/global/pg_control", .body = MakeControlFile(kSystem), .link = "", .listed = false}};
    label = {Member{.name = "backup_label",
                    .body = "START WAL LOCATION: 0/2000028 (file 000000010000000000000020)\n"
                            "CHECKPOINT LOCATION: 0/2000060\nBACKUP METHOD: streamed\nBACKUP FROM: primary\n"
                            "START TIME: 2026-11-23 10:00:00 UTC\nLABEL: test\nSTART TIMELINE: 1\n",
                    .link = "",
                    .listed = false},
             Member{.name = "tablespace_map", .body = "", .link = "", .listed = false}};
    sentinel.start_lsn = Lsn{0x2000028};
    sentinel.finish_lsn = Lsn{0x2000100};
    sentinel.pg_version = 150004;
    sentinel.system_identifier = kSystem;
    sentinel.version = 2;
    sentinel.start_time_ns = 1'790'000'000'000'000'000;
    sentinel.finish_time_ns = 1'790'000'010'000'000'000;
    sentinel.hostname = "db1";
    sentinel.data_directory = "/data";
    sentinel.uncompressed_bytes = 4096;
    metadata.start_time_ns = sentinel.start_time_ns;
    metadata.finish_time_ns = sentinel.finish_time_ns;
    metadata.pg_version = sentinel.pg_version;
    metadata.start_lsn = *sentinel.start_lsn;
    metadata.finish_lsn = *sentinel.finish_lsn;
    metadata.hostname = "db1";
    metadata.data_directory = "/data";
    metadata.system_identifier = kSystem;
  }

  std::string TarKeyOf(const std::string& tar) const { return TarKey(name, tar); }

  // Puts everything, the sentinel last.
  void Store(const Context& ctx, Storage& storage) {
    Proof proof;
    proof.walrig = "test";
    proof.wal_elsewhere = wal_elsewhere;
    const auto put_tar = [&](const std::string& tar, const std::string& bytes) {
      Require(WriteObject(ctx, storage, TarKeyOf(tar), bytes));
      ProofObject object;
      object.name = std::string(kTarFolder) + tar;
      object.stored_bytes = object.plain_bytes = bytes.size();
      object.xxh128 = Xxh128Hex(AsBytes(bytes));
      proof.objects.push_back(object);
    };
    for (const auto& [tar, members] : parts) put_tar(tar, MakeTar(members));
    if (!control.empty()) put_tar("pg_control.tar", MakeTar(control));
    if (!label.empty()) put_tar("backup_label.tar", MakeTar(label));
    if (with_metadata) Require(WriteObject(ctx, storage, MetadataKey(name), SerializeBackupMetadata(metadata)));
    if (with_files) Require(WriteObject(ctx, storage, FilesMetadataKey(name), FilesMetadata(ctx)));
    if (with_proof) {
      Require(WriteObject(ctx, storage, ManifestKey(name), Manifest(ctx)));
      Require(WriteObject(ctx, storage, ProofKey(name), SerializeProof(proof)));
    }
    Require(WriteObject(ctx, storage, SentinelKey(name), SerializeSentinel(sentinel)));
  }

  // What a restore must make: path -> content, files only.
  std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> files;
    const auto add = [&files](const std::vector<Member>& members) {
      for (const Member& member : members) {
        if (member.type == TarEntry::Type::kFile) files[member.name.substr(member.name[0] == '/')] = member.body;
      }
    };
    for (const auto& [tar, members] : parts) add(members);
    add(control);
    add(label);
    return files;
  }

  std::string name;
  std::map<std::string, std::vector<Member>> parts;
  std::vector<Member> control, label;
  Sentinel sentinel;
  BackupMetadata metadata;
  bool with_files = true, with_metadata = true, with_proof = true, wal_elsewhere = false;

 private:
  std::string FilesMetadata(const Context& ctx) const {
    std::string text;
    MemorySink sink(&text);
    FilesMetadataWriter writer(sink);
    for (const auto& [tar, members] : parts) {
      for (const Member& member : members) {
        if (member.listed) Require(writer.AddFile(ctx, member.name, FileDescription{}));
      }
    }
    for (const auto& [tar, members] : parts) {
      Require(writer.BeginTar(ctx, tar));
      for (const Member& member : members) Require(writer.AddToTar(ctx, member.name));
    }
    Require(writer.Finish(ctx));
    Require(sink.Commit(ctx));
    return text;
  }

  std::string Manifest(const Context& ctx) const {
    std::string text;
    MemorySink sink(&text);
    auto writer = BackupManifestWriter::New({.major = 15, .system_identifier = kSystem}, sink);
    Require(writer.status());
    for (const auto& [path, body] : Files()) {
      ManifestFile file;
      file.path = path;
      file.size_bytes = body.size();
      file.algorithm = "CRC32C";
      file.checksum = ManifestCrc32c(Crc32c(0, AsBytes(body)));
      Require((*writer)->AddFile(ctx, file));
    }
    Require((*writer)->Finish(ctx, {{.timeline = 1, .start = Lsn{0x2000028}, .end = Lsn{0x2000100}}}));
    Require(sink.Commit(ctx));
    return text;
  }
};

}  // namespace walrig::test
