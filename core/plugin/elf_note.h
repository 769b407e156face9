// Reads what a shared object says about itself without running any of it: machine, needed libraries, dangerous flags,
// build id and walrig's own note. The bytes are untrusted: every offset, count and length is checked, and no more than
// bounded parts of the file are read.
//
// THREADS: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walrig/bytes.h"
#include "walrig/result.h"

namespace walrig {

// The text of section .note.walrig.plugin (owner "walrig-plugin", type 1):
//   abi=1.0;min=0;id=org.example.walrig-s3;version=2.3.0;license=Apache-2.0;provides=storage:s3,storage:minio
struct PluginNote {
  uint32_t abi_major = 0, abi_minor = 0, min_host_minor = 0;
  std::string id, version, license;
  std::vector<std::pair<std::string, std::string>> provides;  // kind, name
  bool Provides(std::string_view kind, std::string_view name) const;
};

struct ElfInfo {
  bool is_64 = false;
  bool little_endian = true;
  uint16_t type = 0;      // ET_DYN is 3
  uint16_t machine = 0;   // EM_X86_64 is 62
  bool has_dynamic = false;
  bool static_tls = false;  // DF_STATIC_TLS: may fail to load late
  bool textrel = false;
  bool bind_now = false;
  bool exec_stack = false;
  std::vector<std::string> needed;
  std::string soname, rpath, runpath;
  std::string build_id;  // hex
  std::optional<PluginNote> note;
};

// Bytes of a file by offset; what lies past the end reads short.
class RandomReader {
 public:
  virtual ~RandomReader() = default;
  virtual Result<size_t> ReadAt(uint64_t offset, MutableByteSpan out) = 0;
};

// FAILS WITH: kCorruption when it is no ELF file or contradicts itself; what the reader fails with.
Result<ElfInfo> ParseElf(RandomReader& reader);
Result<ElfInfo> ParseElf(ByteSpan bytes);
// From an open file; its position is not used.
Result<ElfInfo> ReadElf(int fd, std::string_view what);

// FAILS WITH: kCorruption for a text that is not of the form above or lacks abi, id or version.
Result<PluginNote> ParsePluginNote(std::string_view text);

// Whether a program on this machine could map the file: class, byte order and machine are ours.
bool IsHostElf(const ElfInfo& info);

}  // namespace walrig
