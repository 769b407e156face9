// What root makes in somebody else's folder belongs to the folder's owner.
//
// A command that an administrator runs by hand must not leave folders and files that the server's user, for whom the next
// run works, cannot write to. Only for the superuser: nobody else may give files away.
//
// THREADS: any; functions without state.
#pragma once

#include <string>

#include "walrig/result.h"

namespace walrig {

// Gives what this process just made, open as `fd`, the owner and group of the folder it is in, open as `folder_fd`; a
// folder also the group's rights of the one above, where a group shares it. Best effort: a file system or a container that
// does not let root do so leaves it root's.
void GiveToOwnerOf(int folder_fd, int fd) noexcept;

// Makes the folder and those above it as far as they are missing (mode 0777 less the umask), each as GiveToOwnerOf says.
Status MakeFolders(const std::string& path);

}  // namespace walrig
