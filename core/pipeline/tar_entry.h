// TarEntry: what a tar header says about a member; shared by the writer and the reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace walrig {

inline constexpr size_t kTarBlockBytes = 512;
inline constexpr size_t kTarTrailerBytes = 1024;

struct TarEntry {
  enum class Type { kFile, kDirectory, kSymlink, kHardlink, kCharDevice, kBlockDevice, kFifo, kOther };

  std::string name;             // as stored; a directory's may or may not end in '/'
  Type type = Type::kFile;
  uint32_t mode = 0;            // permission bits, with set-id and sticky; 07777 at the most
  uint64_t uid = 0;
  uint64_t gid = 0;
  std::string uname;
  std::string gname;
  uint64_t size_bytes = 0;      // of the body that follows; 0 for everything but files
  int64_t mtime_s = 0;
  std::string link;             // target of a symlink or hard link
  char type_flag = '0';         // set by the reader: the header's own letter
};

}  // namespace walrig
