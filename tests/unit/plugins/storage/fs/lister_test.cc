#include "tests/unit/plugins/storage/fs/fixture.h"

#include <random>

namespace walrig::testing {
namespace {

class FsListerTest : public FsTest {
 protected:
  void PutAll(const Keys& keys) {
    for (const std::string& key : keys) ASSERT_TRUE(storage_->Put(key, key).ok()) << key;
  }
};

// What List must answer, from the definition in walrig/storage.h.
Keys Expected(Keys keys, const AbiList& list) {
  std::sort(keys.begin(), keys.end());
  Keys answer;
  for (const std::string& key : keys) {
    if (!key.starts_with(list.prefix) || key <= list.start_after) continue;
    std::string shown = key;
    if (!list.delimiter.empty()) {
      const size_t at = key.find(list.delimiter, list.prefix.size());
      if (at != std::string::npos) shown = key.substr(0, at + list.delimiter.size());
    }
    if (answer.empty() || answer.back() != shown) answer.push_back(shown);
  }
  return answer;
}

TEST_F(FsListerTest, OrdersByTheBytesOfTheWholeKey) {
  PutAll({"a/b", "a.txt", "a-b/c", "a0", "a/b.c/d", "a/b-c", "A", "\xC3\xBC", "a/b0"});
  EXPECT_EQ(storage_->Keys(), (Keys{"A", "a-b/c", "a.txt", "a/b", "a/b-c", "a/b.c/d", "a/b0", "a0", "\xC3\xBC"}));
}

TEST_F(FsListerTest, APrefixIsOfKeysNotOfFolders) {
  PutAll({"a/b", "ab", "abc/d", "b", "aa/x"});
  EXPECT_EQ(storage_->Keys({.prefix = "a"}), (Keys{"a/b", "aa/x", "ab", "abc/d"}));
  EXPECT_EQ(storage_->Keys({.prefix = "ab"}), (Keys{"ab", "abc/d"}));
  EXPECT_EQ(storage_->Keys({.prefix = "ab/"}), Keys());
  EXPECT_EQ(storage_->Keys({.prefix = "abc/"}), Keys{"abc/d"});
  EXPECT_EQ(storage_->Keys({.prefix = "abc/d"}), Keys{"abc/d"});
  EXPECT_EQ(storage_->Keys({.prefix = "abc/d/"}), Keys());
  EXPECT_EQ(storage_->Keys({.prefix = "z/y/"}), Keys());
}

TEST_F(FsListerTest, NoPrefixLeadsOutOfTheStorage) {
  std::ofstream(base_ + "/secret") << "x";
  PutAll({"a/b"});
  for (const char* prefix : {"../", "..", "/", "a/../", "a/../../", "./", "a//", "//"}) {
    EXPECT_EQ(storage_->Keys({.prefix = prefix}), Keys()) << prefix;
  }
}

TEST_F(FsListerTest, CollapsesAtTheDelimiter) {
  PutAll({"base/a/1", "base/a/2", "base/b/c/3", "base/s_1", "base/s_2"});
  const auto [status, objects] = storage_->List({.prefix = "base/", .delimiter = "/"});
  ASSERT_TRUE(status.ok());
  ASSERT_EQ(objects.size(), 4u);
  EXPECT_EQ(objects[0].key, "base/a/");
  EXPECT_TRUE(objects[0].is_prefix);
  EXPECT_EQ(objects[1].key, "base/b/");
  EXPECT_EQ(objects[2].key, "base/s_1");
  EXPECT_FALSE(objects[2].is_prefix);
  EXPECT_EQ(storage_->Keys({.prefix = "base/", .delimiter = "_"}),
            (Keys{"base/a/1", "base/a/2", "base/b/c/3", "base/s_"}));
  EXPECT_EQ(storage_->Keys({.prefix = "base", .delimiter = "/"}), Keys{"base/"});
}

TEST_F(FsListerTest, HidesTemporaryFilesOfWalgAndFoldersThatHoldNothingElse) {
  WriteFile("wal_005/a.lz4.tmp.20261123T101112Z-0123456789abcdef", "half");
  WriteFile("wal_005/a.lz4", "whole");
  WriteFile("only/x.tmp.20261123T101112Z-0123456789abcdef", "half");
  WriteFile("wal_005/b.tmp.20261123T101112-0123456789abcdef", "no temporary name: no Z");
  std::filesystem::create_directories(root_ + "/empty/deep");
  EXPECT_EQ(storage_->Keys(), (Keys{"wal_005/a.lz4", "wal_005/b.tmp.20261123T101112-0123456789abcdef"}));
  EXPECT_EQ(storage_->Keys({.delimiter = "/"}), Keys{"wal_005/"});
}

TEST_F(FsListerTest, PagesGiveTheSameAsOnePage) {
  Keys keys;
  for (int i = 0; i < 25; ++i) {
    keys.push_back("d" + std::to_string(i % 3) + "/s" + std::to_string(i % 4) + "/o" + std::to_string(i));
    keys.push_back("d" + std::to_string(i % 3) + "-" + std::to_string(i));
  }
  PutAll(keys);
  for (const uint32_t keys_max : {1u, 2u, 3u, 7u, 49u, 50u, 51u}) {
    for (const char* delimiter : {"", "/", "-", "s"}) {
      for (const char* prefix : {"", "d", "d1", "d1/", "d1/s", "d1/s2/"}) {
        for (const char* start_after : {"", "d1", "d1/s1/o1", "d1/", "zz"}) {
          AbiList list{.prefix = prefix, .delimiter = delimiter, .start_after = start_after, .keys_max = keys_max};
          ASSERT_EQ(storage_->Keys(list), Expected(keys, list))
              << keys_max << " \"" << delimiter << "\" \"" << prefix << "\" \"" << start_after << "\"";
        }
      }
    }
  }
}

TEST_F(FsListerTest, ExactlyFullPageIsTheLast) {
  PutAll({"a", "b", "c"});
  size_t pages = 0;
  storage_->List({.keys_max = 3}, &pages);
  EXPECT_EQ(pages, 1u);
  storage_->List({.keys_max = 2}, &pages);
  EXPECT_EQ(pages, 2u);
}

TEST_F(FsListerTest, SkipsManyEmptyFoldersAndFindsWhatIsBehindThem) {
  for (int i = 0; i < 50; ++i) std::filesystem::create_directories(root_ + "/e" + std::to_string(i) + "/x");
  PutAll({"f/o"});
  EXPECT_EQ(storage_->Keys({.keys_max = 2}), Keys{"f/o"});
  EXPECT_EQ(storage_->Keys({.delimiter = "/", .keys_max = 2}), Keys{"f/"});
}

TEST_F(FsListerTest, ListsAFolderOfManyEntries) {
  std::filesystem::create_directory(root_ + "/wal_005");
  Keys names;
  for (int i = 0; i < 20000; ++i) names.push_back("wal_005/" + std::to_string(100000 + i));
  Keys shuffled = names;
  std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937(1));
  for (const std::string& name : shuffled) std::ofstream(root_ + "/" + name).flush();
  size_t pages = 0;
  const auto [status, objects] = storage_->List({.prefix = "wal_005/", .keys_max = 1000}, &pages);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(pages, 20u);
  Keys listed;
  for (const AbiObject& object : objects) listed.push_back(object.key);
  EXPECT_TRUE(listed == names);
}

TEST_F(FsListerTest, RefusesATokenThatItDidNotGive) {
  walrig_list_opts opts{};
  opts.struct_size = sizeof opts;
  opts.max_keys = 10;
  opts.page_token = {"?", 1};
  char token[2048];
  size_t length = 0;
  walrig_error error = AbiPlugin::NewError();
  const auto ignore = [](void*, const walrig_object*) -> int32_t { return 0; };
  EXPECT_EQ(plugin_->storage().list(plugin_->self(), nullptr, &opts, ignore, nullptr, token, sizeof token, &length, &error),
            WALRIG_E_INVALID_ARG);
}

TEST_F(FsListerTest, WarnsOfALinkAndGoesOn) {
  PutAll({"a", "z"});
  std::filesystem::create_symlink("a", root_ + "/link");
  {
    const std::lock_guard lock(g_log_mutex);
    g_log_lines.clear();
  }
  EXPECT_EQ(storage_->Keys(), (Keys{"a", "z"}));
  const std::lock_guard lock(g_log_mutex);
  ASSERT_EQ(g_log_lines.size(), 1u);
  EXPECT_NE(g_log_lines[0].find("link"), std::string::npos);
}

}  // namespace
}  // namespace walrig::testing
