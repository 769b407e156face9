// ObjectFile: an object being written, and FileReader: a range of one being read.
//
// OWNS: their descriptors. THREADS: one at a time; the tree must outlive both.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "plugins/storage/fs/posix.h"
#include "plugins/storage/fs/tree.h"
#include "walrig/storage.h"
#include "walrig/stream.h"

namespace walrig::fs {

// Writes to a temporary name in the object's own folder; Commit syncs the file, gives it its name at once and syncs
// the folder. Until then nothing is visible, and a file that was not committed is removed.
class ObjectFile final : public Sink {
 public:
  // FAILS WITH: kAlreadyExists (only_if_absent and the object is there), kNameInvalid (a folder has that name).
  static Result<std::unique_ptr<ObjectFile>> New(const Context& ctx, Tree& tree, std::string_view key,
                                                 const PutOptions& options);
  ~ObjectFile() override;

  Status Write(const Context& ctx, ByteSpan bytes) override;
  // Takes the bytes of `source`, by the file system's own copying where it has one.
  Status WriteFrom(const Context& ctx, int source, uint64_t size_bytes);
  // FAILS WITH: kInvalidArgument when the count differs from options.size_bytes; kAlreadyExists; kIoError
  // when it could not be synced. A sync that failed is never asked for again: the kernel may then call lost pages clean.
  // When it was the folder's, a new object is withdrawn; one that replaced another is left.
  Status Commit(const Context& ctx) override;
  void Abort() noexcept override;

 private:
  ObjectFile(Tree& tree, std::string_view key, const PutOptions& options);
  Status Open(const Context& ctx);
  Status Wrote(uint64_t count_bytes);
  Status GiveName();
  Status GiveNewName();
  Status SyncFolder();

  Tree& tree_;
  std::string key_, folder_, name_, temp_;
  uint64_t size_expected_;
  bool only_if_absent_;
  bool replaced_ = false;  // another object had the name
  Fd folder_fd_, fd_;
  uint64_t written_bytes_ = 0;
  uint64_t started_bytes_ = 0;  // of which write-back was begun
};

class FileReader final : public Source {
 public:
  // Reads [offset, offset + length) of `fd`, which has them now.
  FileReader(Fd fd, std::string key, uint64_t offset, uint64_t length)
      : fd_(std::move(fd)), key_(std::move(key)), offset_(offset), left_(length) {}
  // FAILS WITH: kTruncated when the file became shorter.
  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override;

 private:
  Fd fd_;
  std::string key_;
  uint64_t offset_, left_;
};

}  // namespace walrig::fs
