// RestorePlan: everything about a restore that can be known before the first byte is written, checked.
//
// THREADS: a value; making it reads the storage from one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/backup/fetch.h"
#include "core/catalog/backup_objects.h"
#include "core/catalog/backups.h"
#include "core/layout/proof.h"
#include "core/layout/seal.h"
#include "core/pgdata/member_table.h"
#include "core/pipeline/tar_entry.h"
#include "core/postgres/control_file.h"
#include "core/postgres/tablespace.h"

namespace walrig {

// A member of pg_control.tar or backup_label.tar, which are small and read before anything is written.
struct SmallMember {
  std::string name;  // normalised
  TarEntry entry;
  std::string body;
};

struct RestorePlan {
  std::string backup_name;
  Sentinel sentinel;
  BackupObjects objects;
  std::optional<Proof> proof;
  std::optional<Seal> seal;                  // checked
  std::unique_ptr<MemberTable> members;
  std::vector<SmallMember> special;          // of pg_control.tar and backup_label.tar
  std::optional<ControlData> control;
  bool wale = false;                         // WAL-E's layout: pg_control is in the parts
  TablespaceSpec tablespaces;                // where to restore them
  bool tablespaces_moved = false;            // by --restore-spec or --tablespace-mapping
  // nullptr when there is none of that name.
  const SmallMember* Special(std::string_view name) const;
  // Names that parts may hold but that are not taken from there: a newer copy comes from elsewhere.
  bool IsReplaced(std::string_view name) const;
};

// Reads the documents and the small tars of the chosen backup and refuses whatever a restore could not bring to a good end.
// FAILS WITH: as BackupFetch.
Result<RestorePlan> PlanRestore(const Context& ctx, const BackupFetchOptions& options, BackupFetchDeps& deps);

// Where the tablespaces of `sentinel` go. FAILS WITH: kInvalidArgument (a mapping that names nothing, a spec that lacks a
// tablespace, places that overlap), kCorruption.
Status PlanTablespaces(const Sentinel& sentinel, const BackupFetchOptions& options, const std::string& target,
                       RestorePlan* plan);

}  // namespace walrig
