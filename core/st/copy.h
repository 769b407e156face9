// Copying from one storage to another with a configuration of its own: as it is, or opened with the one's key and sealed with
// the other's.
//
// Sentinels come after everything else, one after another in the order of their times, by which WAL-G orders backups; and
// not at all when something of their backup could not be copied. What the target has with the same content is not copied again,
// so that an interrupted copy goes on; what it has otherwise is replaced, and before the first object of a backup is, that
// backup's sentinel is deleted there, and at last what is no part of the new one.
// THREADS: functions without state; they return after their threads have ended.
#pragma once

#include <string>

#include "core/st/transfer.h"
#include "walrig/cipher.h"

namespace walrig {

struct CopyOptions {
  Cipher* open = nullptr;  // of the source; null: the stored bytes are taken as they are
  Cipher* seal = nullptr;  // of the target; null: what came is stored as it is
  TransferOptions transfer{};  // its concurrency and memory_bytes count here
};

// All objects below `prefix`. JSON documents and backup manifests are copied as they are: they are never encrypted.
// FAILS WITH: kConfig when both are the same place; kNotSupported when a cipher is given and a backup carries walrig.json,
// whose hashes are those of the stored bytes; what listing fails with, kCancelled. Objects that failed are in the report.
Result<TransferReport> CopyObjects(const Context& ctx, Storage& source, Storage& target, const std::string& prefix,
                                   const CopyOptions& options);

}  // namespace walrig
