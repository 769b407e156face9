// Lets one system call of a process fail with EIO, as a dying disk would: preloaded into walrig by test_eio.py.
//
// EIO_CALL   read (with pread and copy_file_range), write or fsync (with fdatasync)
// EIO_PATH   the calls that count are those on descriptors whose path is of this pattern
// EIO_NTH    which of them fails; before and after, calls do what they always do, so that a repetition would succeed
// EIO_LOG    gets a line for the failure: the test's proof that it happened
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int calls_seen;

static void Note(const char* call, const char* path) {
  const char* log = getenv("EIO_LOG");
  FILE* file = log == NULL ? NULL : fopen(log, "a");
  if (file == NULL) return;
  fprintf(file, "%s %s\n", call, path);
  fclose(file);
}

static int MustFail(const char* call, int fd) {
  const char *wanted = getenv("EIO_CALL"), *pattern = getenv("EIO_PATH"), *nth = getenv("EIO_NTH");
  if (wanted == NULL || pattern == NULL || strcmp(wanted, call) != 0) return 0;
  char link[64], path[4096];
  const int saved = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  errno = saved;
  if (size <= 0) return 0;
  path[size] = '\0';
  if (fnmatch(pattern, path, 0) != 0) return 0;
  if (atomic_fetch_add(&calls_seen, 1) + 1 != (nth == NULL ? 1 : atoi(nth))) return 0;
  Note(call, path);
  errno = EIO;
  return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t read(int fd, void* buffer, size_t size) { return MustFail("read", fd) ? -1 : NEXT(read)(fd, buffer, size); }

ssize_t pread(int fd, void* buffer, size_t size, off_t offset) {
  return MustFail("read", fd) ? -1 : NEXT(pread)(fd, buffer, size, offset);
}

ssize_t pread64(int fd, void* buffer, size_t size, off64_t offset) {
  return MustFail("read", fd) ? -1 : NEXT(pread64)(fd, buffer, size, offset);
}

ssize_t copy_file_range(int from, off64_t* from_at, int to, off64_t* to_at, size_t size, unsigned flags) {
  return MustFail("read", from) ? -1 : NEXT(copy_file_range)(from, from_at, to, to_at, size, flags);
}

ssize_t write(int fd, const void* buffer, size_t size) {
  return MustFail("write", fd) ? -1 : NEXT(write)(fd, buffer, size);
}

int fsync(int fd) { return MustFail("fsync", fd) ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return MustFail("fsync", fd) ? -1 : NEXT(fdatasync)(fd); }
