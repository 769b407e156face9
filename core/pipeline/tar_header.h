// The decoding of one tar header block and of pax records, without any stream: what TarReader is made of.
//
// THREADS: functions without state.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/pipeline/tar_entry.h"
#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig {

using PaxRecords = std::map<std::string, std::string, std::less<>>;  // sorted by key, as Go writes them

bool IsZeroBlock(ByteSpan block);

// What a member is by its flag and its whole name: what v7 calls a file is a directory where the name ends in a slash.
TarEntry::Type TarTypeOf(char flag, std::string_view name);

// Decodes a header block. The fields are as the block says: extended headers are not applied, nothing is refused but what
// cannot be read. REQUIRES: 512 bytes. FAILS WITH: kCorruption (checksum, a number that is none).
Result<TarEntry> ParseTarBlock(ByteSpan block);

// Merges the records of an extended header into `records`; an empty value stays, as the wish to forget an earlier one.
// FAILS WITH: kCorruption.
Status ParsePaxRecords(std::string_view data, PaxRecords& records);

// Puts what the records say into the entry, but for its type, which hangs on the name. FAILS WITH: kCorruption, kNotSupported (sparse files).
Status ApplyPaxRecords(const PaxRecords& records, TarEntry& entry);

}  // namespace walrig
