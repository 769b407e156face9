// Usage: help for people, and the man page, both from the table of commands.
//
// THREADS: any; pure functions.
#pragma once

#include <string>

#include "cli/command.h"

namespace walrig {

std::string VersionLine();
// Overview of all commands.
std::string MainHelp();
std::string CommandHelp(const Command& command);
// Every setting as a flag, with what it means.
std::string FlagsHelp();
// walrig.1 in man's macro language.
std::string ManPage();

}  // namespace walrig
