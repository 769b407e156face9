#include "core/postgres/backup_manifest.h"

#include <gmock/gmock.h>

#include <string>

#include "tests/support/status_matchers.h"
#include "tests/support/test_context.h"

namespace walrig {
namespace {

using test::HasCode;
using test::MessageHas;

class StringSink final : public Sink {
 public:
  Status Write(const Context&, ByteSpan bytes) override { return text += AsText(bytes), OkStatus(); }
  Status Commit(const Context&) override { return OkStatus(); }
  void Abort() noexcept override {}
  std::string text;
};

class StringSource final : public Source {
 public:
  StringSource(std::string text, size_t step) : text_(std::move(text)), step_(step) {}
  Result<size_t> Read(const Context&, MutableByteSpan buffer) override {
    const size_t n = std::min({buffer.size(), step_, text_.size() - at_});
    text_.copy(reinterpret_cast<char*>(buffer.data()), n, at_);
    at_ += n;
    return n;
  }

 private:
  std::string text_;
  size_t step_, at_ = 0;
};

struct Collected final : BackupManifestVisitor {
  Status OnFile(ManifestFile file) override { return files.push_back(std::move(file)), OkStatus(); }
  Status OnWalRange(const ManifestWalRange& range) override { return ranges.push_back(range), OkStatus(); }
  std::vector<ManifestFile> files;
  std::vector<ManifestWalRange> ranges;
};

class BackupManifestTest : public testing::Test {
 protected:
  std::string Write(int major, const std::vector<ManifestFile>& files) {
    StringSink sink;
    auto writer = BackupManifestWriter::New({.major = major, .system_identifier = 7711415823649581497u}, sink);
    EXPECT_TRUE(writer.ok());
    for (const ManifestFile& file : files) EXPECT_OK((*writer)->AddFile(ctx_, file));
    EXPECT_OK((*writer)->Finish(ctx_, {{2, Lsn{0x1D000A0}, Lsn{0x2000000}}, {1, Lsn{0x1700028}, Lsn{0x1D000A0}}}));
    EXPECT_EQ((*writer)->bytes_written(), sink.text.size());
    return sink.text;
  }
  Result<BackupManifestInfo> Read(const std::string& text, size_t step = SIZE_MAX) {
    StringSource source(text, step);
    collected_ = {};
    return ReadBackupManifest(ctx_, source, collected_);
  }
  // A manifest with these lines and the right checksum.
  std::string Sealed(const std::string& body) {
    Sha256 hash = *Sha256::New();
    hash.Update(AsBytes(body));
    return body + "\"Manifest-Checksum\": \"" + hash.Hex() + "\"}\n";
  }
  test::TestContext ctx_;
  Collected collected_;
};

const std::vector<ManifestFile> kFiles = {
    {"base/1/1259", 8192, 1795453312, "CRC32C", ManifestCrc32c(0x12345678)},
    {"odd \"name\"\n\\", 0, 0, "", ""},
    {"bytes \xFF\xFE", 3, 1795453312, "SHA256", std::string(64, 'a')},
};

TEST_F(BackupManifestTest, WritesExactlyWhatTheServerWrites) {
  const std::string text = Write(15, {kFiles[0]});
  const std::string body =
      "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n"
      "{ \"Path\": \"base/1/1259\", \"Size\": 8192, \"Last-Modified\": \"2026-11-23 17:01:52 GMT\", "
      "\"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"78563412\" }\n],\n\"WAL-Ranges\": [\n"
      "{ \"Timeline\": 2, \"Start-LSN\": \"0/1D000A0\", \"End-LSN\": \"0/2000000\" },\n"
      "{ \"Timeline\": 1, \"Start-LSN\": \"0/1700028\", \"End-LSN\": \"0/1D000A0\" }\n],\n";
  EXPECT_EQ(text, Sealed(body));
}

TEST_F(BackupManifestTest, RoundTripsOddNames) {
  for (size_t step : {size_t{1}, size_t{7}, SIZE_MAX}) {
    ASSERT_OK_AND_ASSIGN(BackupManifestInfo info, Read(Write(18, kFiles), step));
    EXPECT_EQ(info.version, 2);
    EXPECT_EQ(info.system_identifier, 7711415823649581497u);
    EXPECT_EQ(info.files, 3u);
    ASSERT_EQ(collected_.files.size(), 3u);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(collected_.files[i].path, kFiles[i].path);
      EXPECT_EQ(collected_.files[i].size_bytes, kFiles[i].size_bytes);
      EXPECT_EQ(collected_.files[i].mtime_s, kFiles[i].mtime_s);
      EXPECT_EQ(collected_.files[i].algorithm, kFiles[i].algorithm);
      EXPECT_EQ(collected_.files[i].checksum, kFiles[i].checksum);
    }
    ASSERT_EQ(collected_.ranges.size(), 2u);
    EXPECT_EQ(collected_.ranges[0].timeline, 2u);
  }
}

TEST_F(BackupManifestTest, WritesAndReadsAListOfNoFiles) {
  ASSERT_OK_AND_ASSIGN(BackupManifestInfo info, Read(Write(13, {})));
  EXPECT_EQ(info.files, 0u);
  EXPECT_EQ(info.version, 1);
}

TEST_F(BackupManifestTest, ReadsMoreThanOneBuffer) {
  std::vector<ManifestFile> files;
  for (int i = 0; i < 5000; ++i) files.push_back({"base/5/" + std::to_string(i), 1, 0, "CRC32C", "00000000"});
  ASSERT_OK_AND_ASSIGN(BackupManifestInfo info, Read(Write(17, files)));
  EXPECT_EQ(info.files, 5000u);
}

TEST_F(BackupManifestTest, FindsEveryFlippedBit) {
  const std::string good = Write(17, {kFiles[0]});
  for (size_t i = 0; i < good.size(); ++i) {
    for (char flip : {'\x01', '\x20'}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      // The case of the checksum's own digits does not matter.
      const bool checksum_digit = i + 67 >= good.size() && i + 3 < good.size();
      if (flip == 0x20 && checksum_digit && ((good[i] >= 'a' && good[i] <= 'f'))) continue;
      EXPECT_FALSE(Read(bad).ok()) << i << " " << bad.substr(i, 10);
    }
  }
}

TEST_F(BackupManifestTest, FindsEveryTruncation) {
  const std::string good = Write(17, {kFiles[0]});
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(Read(good.substr(0, size)).ok()) << size;
  EXPECT_THAT(Read(good.substr(0, 100)), HasCode(Code::kTruncated));
  EXPECT_FALSE(Read(good + "\n").ok());
  EXPECT_FALSE(Read(good + good).ok());
}

TEST_F(BackupManifestTest, RefusesHostilePathsAndMalformedEntries) {
  const auto with = [&](const std::string& file) {
    return Sealed("{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n" + file + "\n],\n\"WAL-Ranges\": [],\n");
  };
  EXPECT_OK(Read(with(R"({ "Path": "a", "Size": 1 })")));
  for (const char* file :
       {R"({ "Path": "../a", "Size": 1 })", R"({ "Path": "/a", "Size": 1 })", R"({ "Path": "a/../b", "Size": 1 })",
        R"({ "Path": "", "Size": 1 })", R"({ "Path": "a//b", "Size": 1 })", R"({ "Path": "a\u0000", "Size": 1 })",
        R"({ "Path": "a" })", R"({ "Size": 1 })", R"({ "Path": "a", "Size": -1 })", R"({ "Path": "a", "Size": "1" })",
        R"({ "Path": "a", "Size": 1.5 })", R"({ "Path": "a", "Path": "b", "Size": 1 })", R"({ "Encoded-Path": "f", "Size": 1 })",
        R"({ "Path": "a", "Size": 1, "Checksum": "00000000" })", R"({ "Path": "a", "Size": 1, "Other": 1 })",
        R"({ "Path": "a", "Size": 1, "Checksum-Algorithm": "CRC32C", "Checksum": "0000000" })",
        R"({ "Path": "a", "Size": 1, "Checksum-Algorithm": "MD5", "Checksum": "00000000" })",
        R"({ "Path": {}, "Size": 1 })", R"([])", R"("a")", R"({ "Path": "a", "Size": 1 },{ "Path": "a", "Size": 1 })"}) {
    EXPECT_THAT(Read(with(file)), HasCode(Code::kCorruption)) << file;
  }
}

TEST_F(BackupManifestTest, RefusesUnknownVersionsAndKeys) {
  EXPECT_THAT(Read(Sealed("{ \"PostgreSQL-Backup-Manifest-Version\": 3,\n\"Files\": [],\n")), HasCode(Code::kNotSupported));
  EXPECT_THAT(Read(Sealed("{ \"Files\": [],\n")), HasCode(Code::kCorruption));
  EXPECT_THAT(Read(Sealed("{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [],\n\"Files\": [],\n")), MessageHas("twice"));
  EXPECT_THAT(Read(Sealed("{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"X\": [],\n")), MessageHas("unknown key X"));
  EXPECT_THAT(Read(Sealed("{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"Files\": [],\n")), MessageHas("System-Identifier"));
  EXPECT_THAT(Read("[]\n"), HasCode(Code::kCorruption));
}

}  // namespace
}  // namespace walrig
