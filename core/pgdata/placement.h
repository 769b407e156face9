// Whether a storage's directory lies in the cluster that is backed up: then each backup holds all earlier ones, and is lost
// with the data directory.
//
// THREADS: a function without state.
#pragma once

#include <string>

#include "walrig/result.h"

namespace walrig {

// `directory` must be none of, and lie in none of: the data directory, its pg_wal, its tablespaces. What a directory is, is
// told by its device and inode, so symbolic links and bind mounts of these do not hide it. A directory that does not exist
// lies nowhere. FAILS WITH: kInvalidArgument, naming both.
Status CheckOutsideCluster(const std::string& data_directory, const std::string& directory);

}  // namespace walrig
