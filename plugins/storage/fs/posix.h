// The few pieces of POSIX that this plugin needs: errno as Status, and opening below a directory without ever leaving it.
//
// THREADS: functions without state.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "plugins/common/fd.h"
#include "walrig/result.h"

namespace walrig::fs {

using common::Fd;

// "open wal_005/x: permission denied", with the code that says what a caller can do, and a hint where there is one.
Status ErrnoStatus(int err, std::string_view what);

// Opens `path`, relative to the directory `root`, without following a symbolic link anywhere below it; "" and "." open
// the root itself. Returns -1 and sets errno as openat does; ELOOP when a link is in the way, EXDEV never.
// REQUIRES: no part of `path` is "..".
Fd OpenBelow(int root, const std::string& path, int flags, mode_t mode = 0);

// The same, by walking part by part, for kernels without openat2. Exposed for its test.
Fd WalkBelow(int root, const std::string& path, int flags, mode_t mode);

// What root makes in somebody else's folder gets the folder's owner and group, and what the group may do in the folder it
// may do with it: the storage stays usable for the user for whom the next run works. Best effort.
// `folder_fd` is the folder, `fd` what this process just made in it. A folder of root's own may be one that another thread
// has just made and not yet given away: then the storage's directory, `root_fd`, says whose it is.
void GiveToOwnerOf(int folder_fd, int root_fd, int fd) noexcept;

// fsync of a folder. Returns 0, also where the file system syncs no folders and says "invalid argument" (CIFS): there is
// nothing that could be done, PostgreSQL goes on too. Otherwise the errno.
int SyncFolderFd(int fd);

inline int64_t MtimeNs(const struct stat& s) {
  return static_cast<int64_t>(s.st_mtim.tv_sec) * 1'000'000'000 + s.st_mtim.tv_nsec;
}

// Changes whenever the object under a name is replaced.
std::string EtagOf(const struct stat& s);

}  // namespace walrig::fs
