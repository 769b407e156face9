// Moving objects from one storage to another: byte for byte, a backup's sentinel last there and first gone here, backups in
// the order of their sentinels' times, by which WAL-G orders them.
//
// An object is deleted at its source only after the target has shown it with the same size. Run again after an
// interruption, whenever that was, it goes on: what the target has is not moved again, and deleted at the source all the
// same; parts whose sentinel had moved already too. It has an object when the bytes are equal, which are read for that;
// where nothing is deleted and no sentinel is put on top, their number is enough. At the target nothing below a living
// sentinel is replaced: the sentinel goes first, and what is no part of the new backup too. Two names of one place are
// told by an object that is written to the target for a moment, before anything is deleted.
// THREADS: functions without state; they return after their threads have ended.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "walrig/storage.h"

namespace walrig {

struct TransferOptions {
  bool overwrite = false;   // an object that the target has with other bytes is replaced; otherwise it is left at both places
  bool preserve = false;    // nothing is deleted at the source
  bool fail_fast = false;   // the first failure ends all
  size_t concurrency = 10;
  uint64_t memory_bytes = 96u << 20;   // what the writers of all may buffer; each at least what its storage cannot do without
  uint64_t objects_max = UINT64_MAX;   // of TransferObjects; a backup that would be cut stays whole where it is
  uint64_t backups_max = UINT64_MAX;   // of TransferBackups
  uint32_t appearance_checks = 3;      // how often the target is asked for an object before it counts as lost
  int64_t appearance_interval_ns = 1'000'000'000;
};

// The share of one object of those that move at once.
uint64_t MemoryOfOne(const TransferOptions& options);

struct TransferReport {
  uint64_t moved = 0, skipped = 0, failed = 0, bytes = 0;
  std::vector<std::string> failures;  // the first hundred, with their keys

  void Add(const TransferReport& part);
};

// All objects below `prefix`; backups that lie below it whole as TransferBackups moves them. FAILS WITH: what listing fails
// with, kCancelled; the first failure with fail_fast; kConfig when source and target are the same place and objects would be
// deleted; kInvalidArgument when a backup lies below the prefix only in part.
Result<TransferReport> TransferObjects(const Context& ctx, Storage& source, Storage& target, const std::string& prefix,
                                       const TransferOptions& options);

// Whole backups, oldest first, or the one named. One that the target has is only deleted at the source, where it is the same;
// with preserve its sentinel says so, else all its bytes. FAILS WITH: as above; kNotFound for a name that has no sentinel at
// either place.
Result<TransferReport> TransferBackups(const Context& ctx, Storage& source, Storage& target, const std::string& name,
                                       const TransferOptions& options);

// How one object gets from here to there. AlreadyExists("") says that the target has it, which is counted by itself.
using MoveObject = std::function<Status(const Context&, const ObjectInfo&)>;
bool IsSkipped(const Status& status);
// Runs `move` for all of `objects` in `concurrency` threads.
Result<TransferReport> ForObjects(const Context& ctx, const std::vector<ObjectInfo>& objects, const MoveObject& move,
                                  const TransferOptions& options);

// What is written to `target` must not show in `source`: one object is put there for a moment. FAILS WITH: kConfig when it
// shows; what storing and deleting fail with.
Status CheckTwoPlaces(const Context& ctx, Storage& source, Storage& target);

// Copies one object whole. FAILS WITH: kTruncated when the source is shorter than it said.
Status CopyObject(const Context& ctx, Storage& source, Storage& target, const ObjectInfo& object,
                  uint64_t memory_bytes);

}  // namespace walrig
