#include "core/layout/paths.h"

#include <gmock/gmock.h>

#include "core/layout/plugin_set.h"

namespace walrig {
namespace {

using testing::ElementsAre;

TEST(PathsTest, BuildsKeys) {
  EXPECT_EQ(SentinelKey("base_X"), "basebackups_005/base_X_backup_stop_sentinel.json");
  EXPECT_EQ(BackupFolder("base_X"), "basebackups_005/base_X/");
  EXPECT_EQ(MetadataKey("b"), "basebackups_005/b/metadata.json");
  EXPECT_EQ(FilesMetadataKey("b"), "basebackups_005/b/files_metadata.json");
  EXPECT_EQ(ManifestKey("b"), "basebackups_005/b/backup_manifest");
  EXPECT_EQ(ProofKey("b"), "basebackups_005/b/walrig.json");
  EXPECT_EQ(TarKey("b", PartName(1, "zst")), "basebackups_005/b/tar_partitions/part_001.tar.zst");
  EXPECT_EQ(PartName(1234, ""), "part_1234.tar");
  EXPECT_EQ(ControlTarName("lz4"), "pg_control.tar.lz4");
  EXPECT_EQ(LabelTarName(""), "backup_label.tar");
  EXPECT_EQ(WalKey("00000002.history", "br"), "wal_005/00000002.history.br");
  EXPECT_EQ(WalKey("X", ""), "wal_005/X");
}

TEST(PathsTest, TellsTheBackupOfAnObject) {
  for (const std::string& key : {SentinelKey("base_X"), MetadataKey("base_X"), TarKey("base_X", PartName(1, "zst"))}) {
    EXPECT_EQ(BackupOfKey(key), "base_X") << key;
  }
  for (const char* key : {"wal_005/x", "basebackups_005/x", "other/basebackups_005/b/x", ""}) {
    EXPECT_FALSE(BackupOfKey(key).has_value()) << key;
  }
}

TEST(PathsTest, KnowsSentinelsDirectlyInTheFolderOnly) {
  EXPECT_EQ(BackupOfSentinelKey(SentinelKey("base_000000010000000000000002")), "base_000000010000000000000002");
  for (const char* key : {"basebackups_005/_backup_stop_sentinel.json", "basebackups_005/a/b_backup_stop_sentinel.json",
                          "catchup_005/b_backup_stop_sentinel.json", "basebackups_005/b/metadata.json", "",
                          "basebackups_005/b_backup_stop_sentinel.json.tmp"}) {
    EXPECT_FALSE(BackupOfSentinelKey(key).has_value()) << key;
  }
}

TEST(TarNameTest, ReadsEveryFormOfTenYears) {
  struct Case {
    const char* name;
    TarKind kind;
    uint32_t number;
    const char* extension;
  };
  for (const Case& c : {Case{"part_001.tar.zst", TarKind::kPart, 1, "zst"}, Case{"part_1234.tar", TarKind::kPart, 1234, ""},
                        Case{"part_001.tar.", TarKind::kPart, 1, ""}, Case{"copy_0.tar.lz4", TarKind::kCopy, 0, "lz4"},
                        Case{"copy_0.tar.tar", TarKind::kCopy, 0, ""}, Case{"pg_control.tar.br", TarKind::kControl, 0, "br"},
                        Case{"pg_control.tar.", TarKind::kControl, 0, ""}, Case{"backup_label.tar", TarKind::kLabel, 0, ""}}) {
    const std::optional<TarName> name = ParseTarName(c.name);
    ASSERT_TRUE(name.has_value()) << c.name;
    EXPECT_EQ(name->kind, c.kind) << c.name;
    EXPECT_EQ(name->number, c.number) << c.name;
    EXPECT_EQ(name->extension, c.extension) << c.name;
  }
  for (const char* name : {"", "README.txt", "part_.tar", "part_x.tar", "part_001", "part_001.tar.a.b", "part_001.tarx",
                           "part_99999999999.tar", "pg_control", "xpart_001.tar", "part_001.tar.z/t", "part_-1.tar"}) {
    EXPECT_FALSE(ParseTarName(name).has_value()) << name;
  }
}

TEST(WalObjectTest, FindsTheWalFileOfAnObject) {
  struct Case {
    const char* name;
    const char* wal_file;
    const char* extension;
    bool dot;
  };
  for (const Case& c : {Case{"000000010000000000000002.zst", "000000010000000000000002", "zst", false},
                        Case{"000000010000000000000002", "000000010000000000000002", "", false},
                        Case{"000000010000000000000002.", "000000010000000000000002", "", true},
                        Case{"000000010000000000000002.partial", "000000010000000000000002.partial", "", false},
                        Case{"000000010000000000000002.partial.lz4", "000000010000000000000002.partial", "lz4", false},
                        Case{"000000010000000000000002.00000028.backup.gz", "000000010000000000000002.00000028.backup", "gz", false},
                        Case{"00000002.history.", "00000002.history", "", true}}) {
    const std::optional<WalObjectName> object = ParseWalObjectName(c.name);
    ASSERT_TRUE(object.has_value()) << c.name;
    EXPECT_EQ(object->wal_file, c.wal_file);
    EXPECT_EQ(object->extension, c.extension);
    EXPECT_EQ(object->trailing_dot, c.dot);
  }
  for (const char* name : {"", "x", "000000010000000000000002.json", "00000001000000000000000.json", "000000010000000000000020_delta.lz4",
                           "000000010000000000000002.zst.walrig", "000000010000000000000002.walrig", "000000010000000000000002..",
                           "000000010000000000000002.tmp.20261123T101112Z-0123456789abcdef"}) {
    EXPECT_FALSE(ParseWalObjectName(name).has_value()) << name;
  }
}

TEST(WalObjectTest, ProbesInWalgsOrder) {
  std::vector<std::string> keys;
  for (const WalCandidate& candidate : WalCandidates("X")) keys.push_back(candidate.key);
  EXPECT_THAT(keys, ElementsAre("wal_005/X.lz4", "wal_005/X.lzma", "wal_005/X.gz", "wal_005/X.", "wal_005/X.br", "wal_005/X.lzo",
                                "wal_005/X.zst", "wal_005/X"));
  keys.clear();
  for (const WalCandidate& candidate : WalCandidates("X", "zst")) keys.push_back(candidate.key);
  EXPECT_THAT(keys, ElementsAre("wal_005/X.zst", "wal_005/X.lz4", "wal_005/X.lzma", "wal_005/X.gz", "wal_005/X.", "wal_005/X.br",
                                "wal_005/X.lzo", "wal_005/X"));
}

TEST(PluginSetTest, MapsMethodsAndExtensions) {
  EXPECT_EQ(MethodOfExtension("zst")->method, "zstd");
  EXPECT_EQ(MethodOfExtension("")->method, "none");
  EXPECT_TRUE(MethodOfExtension("gz")->read_only);
  EXPECT_FALSE(MethodOfExtension("rar").has_value());
  EXPECT_EQ(MethodByName("brotli")->extension, "br");
  EXPECT_FALSE(MethodByName("ZSTD").has_value());
  EXPECT_EQ(CanonicalExtension("tar"), "");
  EXPECT_EQ(CanonicalExtension("zst"), "zst");
}

}  // namespace
}  // namespace walrig
