// Lets system calls of a process fail with EIO, as a dying disk would, or be its last: preloaded into walrig by
// test_eio.py and test_storages.py, into sftp-server by test_ssh_durable.py.
//
// EIO_CALL   read (with pread and copy_file_range), write, fsync (with fdatasync), or "once": linkat and renameat2 that must
//            not replace; or rename, link, mkdir, after which the process dies, once for all processes with the same EIO_LOG
// EIO_PATH   the calls that count are those on descriptors whose path is of this pattern; of "once" it is the folder
// EIO_NTH    which of them fails, 1 unless set; before and after, calls do what they always do, so that a repetition would
//            succeed. "all": each
// EIO_ERRNO  another number than EIO's
// EIO_LOG    gets a line for the failure: the test's proof that it happened; with EIO_TRACE also one for each fsync
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static int PathOf(int fd, char* path, size_t room) {
  char link[64];
  const int saved = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, room - 1);
  errno = saved;
  path[size < 0 ? 0 : size] = '\0';
  return size > 0;
}

static void DieAfter(const char* call, const char* path) {
  const char *wanted = getenv("EIO_CALL"), *pattern = getenv("EIO_PATH"), *log = getenv("EIO_LOG");
  if (wanted == NULL || pattern == NULL || log == NULL || strcmp(wanted, call) != 0 || fnmatch(pattern, path, 0) != 0) return;
  char once[4096];
  snprintf(once, sizeof once, "%s.once", log);
  if (open(once, O_CREAT | O_EXCL | O_WRONLY, 0600) < 0) return;
  Note(call, path);
  _exit(1);
}

static int MustFail(const char* call, int fd) {
  const char *wanted = getenv("EIO_CALL"), *pattern = getenv("EIO_PATH"), *nth = getenv("EIO_NTH");
  if (wanted == NULL || pattern == NULL || strcmp(wanted, call) != 0) return 0;
  char path[4096];
  if (!PathOf(fd, path, sizeof path)) return 0;
  if (fnmatch(pattern, path, 0) != 0) return 0;
  const int all = nth != NULL && strcmp(nth, "all") == 0;
  if (!all && atomic_fetch_add(&calls_seen, 1) + 1 != (nth == NULL ? 1 : atoi(nth))) return 0;
  Note(call, path);
  const char* number = getenv("EIO_ERRNO");
  errno = number == NULL ? EIO : atoi(number);
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

int fsync(int fd) {
  char path[4096];
  if (getenv("EIO_TRACE") != NULL && PathOf(fd, path, sizeof path)) Note("fsync", path);
  return MustFail("fsync", fd) ? -1 : NEXT(fsync)(fd);
}
int fdatasync(int fd) { return MustFail("fsync", fd) ? -1 : NEXT(fdatasync)(fd); }

int renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) {
  if (flags == RENAME_NOREPLACE && MustFail("once", to_dir)) return -1;
  return NEXT(renameat2)(from_dir, from, to_dir, to, flags);
}

int linkat(int from_dir, const char* from, int to_dir, const char* to, int flags) {
  return MustFail("once", to_dir) ? -1 : NEXT(linkat)(from_dir, from, to_dir, to, flags);
}

int rename(const char* from, const char* to) {
  const int answer = NEXT(rename)(from, to);
  DieAfter("rename", to);
  return answer;
}

int link(const char* from, const char* to) {
  const int answer = NEXT(link)(from, to);
  DieAfter("link", to);
  return answer;
}

int mkdir(const char* path, mode_t mode) {
  const int answer = NEXT(mkdir)(path, mode);
  DieAfter("mkdir", path);
  return answer;
}
