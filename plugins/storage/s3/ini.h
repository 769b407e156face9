// The AWS configuration and credentials files: sections of `key = value` lines.
//
// A section's name is as in the file but without a leading "profile ". Keys are lower case. Lines that are no more than an
// indented continuation (nested settings such as "s3 =") are left out; so are lines that cannot be read.
// THREADS: values.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace walrig::s3 {

using Profile = std::map<std::string, std::string>;
using Profiles = std::map<std::string, Profile>;

// What is in `text` comes on top of what is in `into`: the credentials file is read last.
void ParseIni(std::string_view text, Profiles* into);

}  // namespace walrig::s3
