// The modes that a restored directory gets: those of the backup, as far as PostgreSQL starts with them.
//
// A running server accepts more than one that starts: it looks at the mode of its data directory once, and goes on after a
// chmod. And a restore gives all files to one owner, so what another owner's file allowed by its group must now be
// allowed to that owner. THREADS: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace walrig {

// Of the data directory itself: all for the owner, for the group what `stored` says but writing, nothing for others:
// PostgreSQL refuses more (miscinit.c, checkDataDir). The set-group-id bit is kept.
uint32_t RestoredRootMode(uint32_t stored);

// Of a directory below it: the stored nine bits and set-group-id, and all for the owner.
uint32_t RestoredDirectoryMode(uint32_t stored);

// Of the file `name` (normalised): the stored nine bits, readable for its owner, and writable where the server writes.
// `foreign`: in the backed-up directory the file was not its owner's. What the group could do, the owner can, and when
// others could do nothing the group no longer can: a private key that is root's and readable to the server's group is
// accepted by PostgreSQL, the same mode on its own file is not (be-secure-common.c, check_ssl_key_file_permissions).
uint32_t RestoredFileMode(std::string_view name, uint32_t stored, bool foreign);

// Of a file or directory that walrig makes itself below a data directory of mode `root`: PostgreSQL's own choice.
uint32_t MadeFileMode(uint32_t root);
uint32_t MadeDirectoryMode(uint32_t root);

}  // namespace walrig
