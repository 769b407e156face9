// Unfinished: temporary files of writers that were killed, walrig's and WAL-G's.
//
// A living writer of walrig holds a lock (flock) on its temporary file from making it to giving it its name; such a
// file is neither listed nor removed. WAL-G takes no lock, and some network file systems keep none for others: there
// the time of the last modification is all there is to judge by, and it is what is told as the start. Whoever removes
// should ask for an age of hours: a writer that writes changes it.
//
// THREADS: functions without state; the tree must outlive the call.
#pragma once

#include <string_view>

#include "plugins/storage/fs/tree.h"
#include "walrig/storage.h"

namespace walrig::fs {

// A page holds 1000 at the most; each page walks the whole tree, since folders are few beside objects and leftovers are rarer still.
Result<UnfinishedPage> ListTempFiles(const Context& ctx, const Tree& tree, std::string_view prefix,
                                     std::string_view page_token);

// FAILS WITH: kInvalidArgument for an id that ListTempFiles did not give; kConflict while its writer lives.
Status RemoveTempFile(Tree& tree, const UnfinishedUpload& upload);

}  // namespace walrig::fs
