// The user's home directory, as the system knows it.
//
// THREADS: any.
#pragma once

#include <string>

namespace walrig {

// Of the user that this process runs as, whatever $HOME says; "" when the database does not know the user. May ask a
// directory service, so it is for when it is needed.
std::string HomeByPasswordDatabase();

}  // namespace walrig
