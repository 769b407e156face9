// What network mounts answer and local disks do not. The calls of the C library are interposed: a symbol that the program has
// itself goes before the library's, for the plugin too.
#include <dlfcn.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

#include "tests/unit/plugins/storage/fs/fixture.h"

namespace {

std::atomic<int> folder_sync_errno{0}, rename_noreplace_errno{0}, link_errno{0};

template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int Refused(const std::atomic<int>& err) {
  errno = err;
  return -1;
}

}  // namespace

extern "C" {
__attribute__((visibility("default"))) int fsync(int fd) {
  struct stat s {};
  if (folder_sync_errno != 0 && ::fstat(fd, &s) == 0 && S_ISDIR(s.st_mode)) return Refused(folder_sync_errno);
  return Next<int(int)>("fsync")(fd);
}
__attribute__((visibility("default"))) int renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) noexcept {
  if (rename_noreplace_errno != 0 && flags == RENAME_NOREPLACE) return Refused(rename_noreplace_errno);
  return Next<int(int, const char*, int, const char*, unsigned)>("renameat2")(from_dir, from, to_dir, to, flags);
}
__attribute__((visibility("default"))) int linkat(int from_dir, const char* from, int to_dir, const char* to, int flags) noexcept {
  if (link_errno != 0) return Refused(link_errno);
  return Next<int(int, const char*, int, const char*, int)>("linkat")(from_dir, from, to_dir, to, flags);
}
}

namespace walrig::testing {
namespace {

class FsNetworkMountTest : public FsTest {
 protected:
  ~FsNetworkMountTest() override { folder_sync_errno = rename_noreplace_errno = link_errno = 0; }
  std::unique_ptr<AbiPlugin> Without(const char* option) {
    auto options = Options();
    options[option] = "false";
    return std::make_unique<AbiPlugin>("storage-fs", "fs", options);
  }
};

// CIFS: fsync of a folder is EINVAL.
TEST_F(FsNetworkMountTest, AFolderThatCannotBeSyncedIsNoFailure) {
  folder_sync_errno = EINVAL;
  EXPECT_TRUE(storage_->Put("a/b/o", "x").ok());
  EXPECT_TRUE(storage_->Put("a/b/p", "x", WALRIG_PUT_IF_ABSENT).ok());
  EXPECT_EQ(storage_->Get("a/b/o").bytes, "x");
  EXPECT_TRUE(storage_->Delete({"a/b/o"}).at(0) == Code::kOk);
  EXPECT_EQ(storage_->Keys(), Keys{"a/b/p"});
}

TEST_F(FsNetworkMountTest, AnyOtherErrorOfAFoldersSyncIsOne) {
  folder_sync_errno = EIO;
  EXPECT_EQ(storage_->Put("o", "x").code(), Code::kIoError);
}

TEST_F(FsNetworkMountTest, HardLinksMakeAnObjectOnlyOnceWhereRenamingReplaces) {
  rename_noreplace_errno = EINVAL;
  EXPECT_TRUE(storage_->Put("o", "first", WALRIG_PUT_IF_ABSENT).ok());
  EXPECT_EQ(storage_->Put("o", "second", WALRIG_PUT_IF_ABSENT).code(), Code::kAlreadyExists);
  EXPECT_EQ(storage_->Get("o").bytes, "first");
  EXPECT_EQ(Tree(), Keys{"o"});
}

// Many FUSE file systems have neither.
TEST_F(FsNetworkMountTest, WithoutBothPutIfAbsentSaysWhatIsMissingAndWhatToSet) {
  for (const int err : {EPERM, ENOSYS, EOPNOTSUPP}) {
    rename_noreplace_errno = EINVAL;
    link_errno = err;
    const Status status = storage_->Put("d/o", "x", WALRIG_PUT_IF_ABSENT);
    EXPECT_EQ(status.code(), Code::kNotSupported) << err;
    EXPECT_NE(status.message().find("hard links"), std::string::npos) << status.ToString();
    EXPECT_NE(status.hint().find("put_if_absent=false"), std::string::npos) << status.ToString();
    EXPECT_EQ(Tree(), Keys()) << err;
    EXPECT_TRUE(storage_->Put("o", "plain").ok()) << err;
    EXPECT_TRUE(storage_->Put("o", "replaced").ok()) << err;
    EXPECT_EQ(storage_->Get("o").bytes, "replaced");
    EXPECT_TRUE(storage_->Delete({"o"}).at(0) == Code::kOk);
  }
}

TEST_F(FsNetworkMountTest, SwitchedOffPutIfAbsentIsNotClaimed) {
  const auto plugin = Without("put_if_absent");
  EXPECT_EQ(plugin->storage().caps(plugin->self()) & WALRIG_CAP_ST_PUT_ABSENT, 0u);
  EXPECT_EQ(AbiStorage(*plugin).Put("o", "x", WALRIG_PUT_IF_ABSENT).code(), Code::kNotSupported);
  EXPECT_TRUE(AbiStorage(*plugin).Put("o", "x").ok());
  EXPECT_NE(plugin_->storage().caps(plugin_->self()) & WALRIG_CAP_ST_PUT_ABSENT, 0u);
}

}  // namespace
}  // namespace walrig::testing
