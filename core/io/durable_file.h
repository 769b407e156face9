// DurableFile: the one way to write a file that is either there, whole and durable, or not there.
//
// Writes a file without a name; Commit syncs it, gives it its name, syncs the directory. A killed process leaves nothing.
// On file systems that have no such files (NFS), or without /proc, it is written under a temporary name in the same
// directory, which begins with kTempFilePrefix: a killed process leaves that behind.
// Write-back of each 8 MiB starts while the rest is written, so that the sync at the end waits for little.
// OWNS: the unfinished file; Abort and the destructor remove it. THREADS: one at a time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "walrig/stream.h"

namespace walrig {

// No PostgreSQL file and no object of WAL-G begins like this.
inline constexpr std::string_view kTempFilePrefix = ".walrig-tmp-";

struct DurableFileOptions {
  mode_t mode = 0600;   // exact: the umask does not count
  bool replace = true;  // false: Commit fails with kAlreadyExists when the name is taken, atomically among writers
  bool sync = true;     // false: whole when it appears, but not durable: for who syncs itself or can ask again
  bool owner_of_folder = false;  // run by root: the file gets the owner and group of its directory
};

class DurableFile final : public Sink {
 public:
  // Opens the unfinished file. The directory must exist.
  // FAILS WITH: what OpenFd says; kNameInvalid when the last part of `path` is too long; kAlreadyExists at once when
  // replace is false and the name is taken now.
  static Result<std::unique_ptr<DurableFile>> Create(const std::string& path, DurableFileOptions options = {});
  ~DurableFile() override;

  Status Write(const Context& ctx, ByteSpan bytes) override;
  // FAILS WITH: kAlreadyExists (replace is false; the existing file is untouched), kNoSpace, kIoError. When only the
  // last step, the sync of the directory, fails, the file has its name and the status is outcome_unknown.
  Status Commit(const Context& ctx) override;
  void Abort() noexcept override;

  uint64_t bytes() const noexcept { return bytes_; }
  // For times, owners and holes that must be set before Commit.
  int fd() const noexcept { return fd_.get(); }

 private:
  DurableFile(std::string path, Fd directory, Fd fd, std::string temp_name, DurableFileOptions options);
  Status Publish();
  Status GiveTempName();

  const std::string path_;
  const std::string name_;  // last part of path_
  Fd directory_;
  Fd fd_;
  std::string temp_name_;  // in directory_; empty when the file has no name, or its own
  const DurableFileOptions options_;
  uint64_t bytes_ = 0;
  uint64_t written_back_bytes_ = 0;
};

// Writes a small file through a DurableFile.
Status WriteFileDurably(const Context& ctx, const std::string& path, std::string_view content,
                        DurableFileOptions options = {});

}  // namespace walrig
