// Temporary files of killed writers, through the C ABI.
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/plugins/storage/fs/fixture.h"
#include "walrig/abi/unfinished.h"
#include "walrig/abi_status.h"

namespace walrig::testing {
namespace {

struct Upload {
  std::string key, id;
  uint64_t size;
};

class FsUnfinishedTest : public FsTest {
 protected:
  const walrig_unfinished_v1& Table() const {
    return *static_cast<const walrig_unfinished_v1*>(
        plugin_->factory().iface(plugin_->self(), WALRIG_IFACE_UNFINISHED_1));
  }
  static int32_t Collect(void* into, const walrig_unfinished* upload) {
    const auto text = [](walrig_bytes b) { return std::string(static_cast<const char*>(b.ptr), b.len); };
    static_cast<std::vector<Upload>*>(into)->push_back({text(upload->key), text(upload->id), upload->size});
    return 0;
  }
  std::vector<Upload> List(const std::string& prefix) const {
    std::vector<Upload> found;
    char token[4096];
    size_t token_bytes = 0;
    walrig_error error = AbiPlugin::NewError();
    EXPECT_EQ(Table().list(plugin_->self(), nullptr, {prefix.data(), prefix.size()}, {nullptr, 0}, Collect, &found,
                           token, sizeof token, &token_bytes, &error),
              WALRIG_OK);
    EXPECT_EQ(token_bytes, 0u);
    return found;
  }
  walrig_status Abort(const std::string& id) const {
    walrig_unfinished upload{};
    upload.struct_size = sizeof upload;
    upload.key = {"x", 1};
    upload.id = {id.data(), id.size()};
    walrig_status each = WALRIG_OK;
    walrig_error error = AbiPlugin::NewError();
    EXPECT_EQ(Table().abort(plugin_->self(), nullptr, &upload, 1, sizeof upload, &each, &error), WALRIG_OK);
    return each;
  }
  void* Open(const std::string& key) const {
    walrig_error error = AbiPlugin::NewError();
    walrig_put_opts opts{};
    opts.struct_size = sizeof opts;
    opts.size = WALRIG_UNKNOWN_SIZE;
    void* writer = nullptr;
    EXPECT_EQ(plugin_->storage().open_write(plugin_->self(), nullptr, {key.data(), key.size()}, &opts, &writer, &error),
              WALRIG_OK);
    EXPECT_EQ(plugin_->storage().write(writer, nullptr, "bytes", 5, &error), WALRIG_OK);
    return writer;
  }
};

constexpr const char* kOfWalG = "wal_005/00000001.zst.tmp.20261123T170656Z-00d6ad02e433d683";

TEST_F(FsUnfinishedTest, ALivingWriterIsNeitherListedNorRemoved) {
  void* writer = Open("a/b");
  EXPECT_TRUE(List("").empty());
  const Keys tree = Tree();
  ASSERT_EQ(tree.size(), 2u);
  EXPECT_EQ(Abort(tree[1]), WALRIG_E_CONFLICT);
  walrig_error error = AbiPlugin::NewError();
  EXPECT_EQ(plugin_->storage().commit(writer, nullptr, &error), WALRIG_OK);
  plugin_->storage().close_write(writer);
  EXPECT_EQ(ReadFile("a/b"), "bytes");
}

TEST_F(FsUnfinishedTest, WhatAKilledWriterLeftIsFoundAndRemoved) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Open("a/b/c");
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  const std::vector<Upload> found = List("a/");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].key, "a/b/c");
  EXPECT_EQ(found[0].size, 5u);
  EXPECT_TRUE(List("b").empty());
  EXPECT_EQ(Abort(found[0].id), WALRIG_OK);
  EXPECT_TRUE(Tree().empty()) << "its folders go with it";
  EXPECT_EQ(Abort(found[0].id), WALRIG_OK) << "what is gone counts as removed";
}

TEST_F(FsUnfinishedTest, WhatWalGLeftIsFoundAndObjectsAreNot) {
  WriteFile(kOfWalG, "half");
  WriteFile("wal_005/00000001.zst", "whole");
  ASSERT_EQ(List("wal_005/").size(), 1u);
  EXPECT_EQ(List("")[0].key, "wal_005/00000001.zst");
  EXPECT_EQ(Abort(kOfWalG), WALRIG_OK);
  EXPECT_EQ(ReadFile("wal_005/00000001.zst"), "whole");
}

TEST_F(FsUnfinishedTest, NothingElseCanBeRemovedByAnId) {
  WriteFile("object", "x");
  std::ofstream(base_ + "/outside.tmp.20261123T170656Z-00d6ad02e433d683") << "x";
  for (const std::string id : {"object", "", "../outside.tmp.20261123T170656Z-00d6ad02e433d683",
                               "/outside.tmp.20261123T170656Z-00d6ad02e433d683", "a/../../outside"}) {
    EXPECT_EQ(Abort(id), WALRIG_E_INVALID_ARG) << id;
  }
  EXPECT_EQ(ReadFile("object"), "x");
  EXPECT_TRUE(std::filesystem::exists(base_ + "/outside.tmp.20261123T170656Z-00d6ad02e433d683"));
}

}  // namespace
}  // namespace walrig::testing
