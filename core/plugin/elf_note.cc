#include "core/plugin/elf_note.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/fd.h"
#include "core/base/string_util.h"

namespace walrig {
namespace {

constexpr size_t kHeadersMax = 1024;
constexpr size_t kDynamicBytesMax = 256 * 1024;
constexpr size_t kNoteBytesMax = 64 * 1024;
constexpr size_t kNameBytesMax = 4096;
constexpr size_t kNeededMax = 512;

Status Bad(std::string_view what) { return Corruption("not a usable ELF file: " + std::string(what)); }

class SpanReader final : public RandomReader {
 public:
  explicit SpanReader(ByteSpan bytes) : bytes_(bytes) {}
  Result<size_t> ReadAt(uint64_t offset, MutableByteSpan out) override {
    if (offset >= bytes_.size() || out.empty()) return size_t{0};
    const size_t count = std::min<size_t>(out.size(), bytes_.size() - static_cast<size_t>(offset));
    std::memcpy(out.data(), bytes_.data() + offset, count);
    return count;
  }

 private:
  ByteSpan bytes_;
};

class FdReader final : public RandomReader {
 public:
  FdReader(int fd, std::string_view what) : fd_(fd), what_(what) {}
  Result<size_t> ReadAt(uint64_t offset, MutableByteSpan out) override {
    if (offset > INT64_MAX - out.size()) return size_t{0};
    return PreadFull(fd_, out, offset, what_);
  }

 private:
  int fd_;
  std::string what_;
};

struct Segment {
  uint32_t type = 0, flags = 0;
  uint64_t offset = 0, vaddr = 0, size_bytes = 0, align = 0;
};

class Parser {
 public:
  explicit Parser(RandomReader& reader) : reader_(reader) {}

  Result<ElfInfo> Run() {
    WALRIG_TRY(ReadHeader());
    WALRIG_TRY(ReadSegments());
    WALRIG_TRY(ReadDynamic());
    for (const Segment& segment : segments_) {
      if (segment.type == PT_NOTE) WALRIG_TRY(ReadNotes(segment));
    }
    return std::move(info_);
  }

 private:
  // A number of `width` bytes at `at` of the file's own byte order. REQUIRES: it lies inside.
  uint64_t Number(ByteSpan bytes, size_t at, size_t width) const {
    uint64_t value = 0;
    for (size_t i = 0; i < width; ++i) {
      const size_t place = info_.little_endian ? width - 1 - i : i;
      value = value << 8 | bytes[at + place];
    }
    return value;
  }

  Result<std::vector<uint8_t>> Read(uint64_t offset, uint64_t size_bytes, std::string_view what) {
    std::vector<uint8_t> bytes(static_cast<size_t>(size_bytes));
    WALRIG_ASSIGN(const size_t got, reader_.ReadAt(offset, bytes));
    if (got != bytes.size()) return Bad(std::string(what) + " lies beyond the end of the file");
    return bytes;
  }

  Status ReadHeader() {
    std::array<uint8_t, 64> head{};
    WALRIG_ASSIGN(const size_t got, reader_.ReadAt(0, head));
    if (got < EI_NIDENT || std::memcmp(head.data(), ELFMAG, SELFMAG) != 0) return Bad("it does not begin with \\x7fELF");
    if (head[EI_CLASS] != ELFCLASS32 && head[EI_CLASS] != ELFCLASS64) return Bad("unknown class");
    if (head[EI_DATA] != ELFDATA2LSB && head[EI_DATA] != ELFDATA2MSB) return Bad("unknown byte order");
    info_.is_64 = head[EI_CLASS] == ELFCLASS64;
    info_.little_endian = head[EI_DATA] == ELFDATA2LSB;
    if (got < (info_.is_64 ? 64u : 52u)) return Bad("the header is cut off");
    info_.type = static_cast<uint16_t>(Number(head, 16, 2));
    info_.machine = static_cast<uint16_t>(Number(head, 18, 2));
    segments_at_ = info_.is_64 ? Number(head, 32, 8) : Number(head, 28, 4);
    segment_bytes_ = static_cast<size_t>(info_.is_64 ? Number(head, 54, 2) : Number(head, 42, 2));
    segment_count_ = static_cast<size_t>(info_.is_64 ? Number(head, 56, 2) : Number(head, 44, 2));
    return OkStatus();
  }

  Status ReadSegments() {
    if (segment_count_ == 0) return Bad("it has no program headers");
    if (segment_count_ > kHeadersMax || segment_bytes_ != (info_.is_64 ? 56u : 32u)) {
      return Bad("its program headers have an impossible count or size");
    }
    WALRIG_ASSIGN(const std::vector<uint8_t> table,
                  Read(segments_at_, segment_count_ * segment_bytes_, "the table of program headers"));
    for (size_t i = 0; i < segment_count_; ++i) {
      const size_t at = i * segment_bytes_;
      Segment segment;
      segment.type = static_cast<uint32_t>(Number(table, at, 4));
      segment.flags = static_cast<uint32_t>(Number(table, at + (info_.is_64 ? 4 : 24), 4));
      segment.offset = info_.is_64 ? Number(table, at + 8, 8) : Number(table, at + 4, 4);
      segment.vaddr = info_.is_64 ? Number(table, at + 16, 8) : Number(table, at + 8, 4);
      segment.size_bytes = info_.is_64 ? Number(table, at + 32, 8) : Number(table, at + 16, 4);
      segment.align = info_.is_64 ? Number(table, at + 48, 8) : Number(table, at + 28, 4);
      if (segment.type == PT_GNU_STACK) info_.exec_stack = (segment.flags & PF_X) != 0;
      segments_.push_back(segment);
    }
    return OkStatus();
  }

  // Where a virtual address lies in the file, and how many bytes of its segment follow.
  bool FileOffset(uint64_t vaddr, uint64_t* offset, uint64_t* room_bytes) const {
    for (const Segment& segment : segments_) {
      if (segment.type != PT_LOAD || vaddr < segment.vaddr || vaddr - segment.vaddr >= segment.size_bytes) continue;
      const uint64_t delta = vaddr - segment.vaddr;
      if (segment.offset > UINT64_MAX - delta) return false;
      *offset = segment.offset + delta;
      *room_bytes = segment.size_bytes - delta;
      return true;
    }
    return false;
  }

  struct Dynamic {
    uint64_t strings_vaddr = 0, strings_bytes = 0;
    bool has_soname = false, has_rpath = false, has_runpath = false;
    uint64_t soname = 0, rpath = 0, runpath = 0;
    std::vector<uint64_t> needed;
  };

  // False at the end of the table.
  bool TakeDynamic(uint64_t tag, uint64_t value, Dynamic* dynamic) {
    switch (tag) {
      case DT_NULL: return false;
      case DT_STRTAB: dynamic->strings_vaddr = value; break;
      case DT_STRSZ: dynamic->strings_bytes = value; break;
      case DT_NEEDED: dynamic->needed.push_back(value); break;
      case DT_SONAME: dynamic->has_soname = true, dynamic->soname = value; break;
      case DT_RPATH: dynamic->has_rpath = true, dynamic->rpath = value; break;
      case DT_RUNPATH: dynamic->has_runpath = true, dynamic->runpath = value; break;
      case DT_TEXTREL: info_.textrel = true; break;
      case DT_BIND_NOW: info_.bind_now = true; break;
      case DT_FLAGS:
        info_.static_tls = (value & DF_STATIC_TLS) != 0;
        info_.textrel = info_.textrel || (value & DF_TEXTREL) != 0;
        info_.bind_now = info_.bind_now || (value & DF_BIND_NOW) != 0;
        break;
      case DT_FLAGS_1: info_.bind_now = info_.bind_now || (value & DF_1_NOW) != 0; break;
      default: break;
    }
    return true;
  }

  Status ReadDynamic() {
    const auto found = std::find_if(segments_.begin(), segments_.end(),
                                    [](const Segment& segment) { return segment.type == PT_DYNAMIC; });
    if (found == segments_.end()) return OkStatus();
    info_.has_dynamic = true;
    if (found->size_bytes > kDynamicBytesMax) return Bad("its dynamic section is impossibly large");
    WALRIG_ASSIGN(const std::vector<uint8_t> table, Read(found->offset, found->size_bytes, "the dynamic section"));
    const size_t width = info_.is_64 ? 8 : 4;
    Dynamic dynamic;
    for (size_t at = 0; at + 2 * width <= table.size(); at += 2 * width) {
      if (!TakeDynamic(Number(table, at, width), Number(table, at + width, width), &dynamic)) break;
    }
    if (dynamic.needed.size() > kNeededMax) return Bad("it needs more than 512 libraries");
    return ReadStrings(dynamic);
  }

  Status ReadStrings(const Dynamic& dynamic) {
    for (const uint64_t at : dynamic.needed) {
      WALRIG_ASSIGN(std::string name, DynamicString(dynamic, at));
      info_.needed.push_back(std::move(name));
    }
    if (dynamic.has_soname) {
      WALRIG_ASSIGN(info_.soname, DynamicString(dynamic, dynamic.soname));
    }
    if (dynamic.has_rpath) {
      WALRIG_ASSIGN(info_.rpath, DynamicString(dynamic, dynamic.rpath));
    }
    if (dynamic.has_runpath) {
      WALRIG_ASSIGN(info_.runpath, DynamicString(dynamic, dynamic.runpath));
    }
    return OkStatus();
  }

  Result<std::string> DynamicString(const Dynamic& dynamic, uint64_t at) {
    uint64_t offset = 0, room_bytes = 0;
    if (at >= dynamic.strings_bytes || !FileOffset(dynamic.strings_vaddr, &offset, &room_bytes) || at >= room_bytes ||
        offset > UINT64_MAX - at) {
      return Bad("a name lies outside of its string table");
    }
    const uint64_t limit = std::min<uint64_t>({dynamic.strings_bytes - at, room_bytes - at, kNameBytesMax});
    std::string text(static_cast<size_t>(limit), '\0');
    WALRIG_ASSIGN(const size_t got,
                  reader_.ReadAt(offset + at, {reinterpret_cast<uint8_t*>(text.data()), text.size()}));
    const size_t end = text.substr(0, got).find('\0');
    if (end == std::string::npos) return Bad("a name of the dynamic section has no end");
    text.resize(end);
    return text;
  }

  Status ReadNotes(const Segment& segment) {
    if (segment.size_bytes == 0) return OkStatus();
    if (segment.size_bytes > kNoteBytesMax) return OkStatus();  // nothing of ours is that large
    WALRIG_ASSIGN(const std::vector<uint8_t> notes, Read(segment.offset, segment.size_bytes, "a note"));
    const size_t align = segment.align == 8 ? 8 : 4;
    const auto round_up = [align](uint64_t n) { return (n + align - 1) / align * align; };
    for (uint64_t at = 0; at + 12 <= notes.size();) {
      const uint64_t name_bytes = Number(notes, at, 4), desc_bytes = Number(notes, at + 4, 4);
      const uint64_t type = Number(notes, at + 8, 4);
      const uint64_t name_at = at + 12, desc_at = round_up(name_at + name_bytes);
      if (desc_at > notes.size() || desc_bytes > notes.size() - desc_at) return Bad("a note is cut off");
      const std::string_view owner(reinterpret_cast<const char*>(notes.data()) + name_at,
                                   static_cast<size_t>(name_bytes == 0 ? 0 : name_bytes - 1));
      WALRIG_TRY(TakeNote(owner, type, ByteSpan(notes).subspan(desc_at, desc_bytes)));
      at = round_up(desc_at + desc_bytes);
    }
    return OkStatus();
  }

  Status TakeNote(std::string_view owner, uint64_t type, ByteSpan desc) {
    if (owner == "GNU" && type == NT_GNU_BUILD_ID && desc.size() <= 64) info_.build_id = HexEncode(desc);
    if (owner != "walrig-plugin" || type != 1) return OkStatus();
    if (info_.note.has_value()) return Bad("it has two walrig plugin notes");
    std::string_view text = AsText(desc);
    text = text.substr(0, text.find('\0'));
    WALRIG_ASSIGN(info_.note, ParsePluginNote(text));
    return OkStatus();
  }

  RandomReader& reader_;
  ElfInfo info_;
  uint64_t segments_at_ = 0;
  size_t segment_bytes_ = 0, segment_count_ = 0;
  std::vector<Segment> segments_;
};

Status ParseAbi(std::string_view text, PluginNote* note) {
  const size_t dot = text.find('.');
  if (dot == std::string_view::npos) return Corruption("plugin note: abi is not MAJOR.MINOR");
  const auto major = ParseUint(text.substr(0, dot)), minor = ParseUint(text.substr(dot + 1));
  if (!major.ok() || !minor.ok() || *major == 0 || *major > UINT16_MAX || *minor > UINT16_MAX) {
    return Corruption("plugin note: abi is not MAJOR.MINOR");
  }
  note->abi_major = static_cast<uint32_t>(*major);
  note->abi_minor = static_cast<uint32_t>(*minor);
  return OkStatus();
}

Status ParseProvides(std::string_view text, PluginNote* note) {
  for (const std::string& item : Split(text, ',')) {
    const size_t colon = item.find(':');
    if (colon == std::string::npos) return Corruption("plugin note: provides is not a list of KIND:NAME");
    note->provides.emplace_back(item.substr(0, colon), item.substr(colon + 1));
  }
  return OkStatus();
}

}  // namespace

bool PluginNote::Provides(std::string_view kind, std::string_view name) const {
  return std::any_of(provides.begin(), provides.end(),
                     [&](const auto& pair) { return pair.first == kind && pair.second == name; });
}

Result<PluginNote> ParsePluginNote(std::string_view text) {
  PluginNote note;
  for (const std::string& part : Split(text, ';')) {
    const size_t equals = part.find('=');
    if (equals == std::string::npos) {
      if (part.empty()) continue;
      return Corruption("plugin note: a part is not KEY=VALUE");
    }
    const std::string key = part.substr(0, equals), value = part.substr(equals + 1);
    if (key == "abi") WALRIG_TRY(ParseAbi(value, &note));
    if (key == "provides" && !value.empty()) WALRIG_TRY(ParseProvides(value, &note));
    if (key == "id") note.id = value;
    if (key == "version") note.version = value;
    if (key == "license") note.license = value;
    if (key == "min") {
      const auto number = ParseUint(value);
      if (!number.ok() || *number > UINT16_MAX) return Corruption("plugin note: min is no number");
      note.min_host_minor = static_cast<uint32_t>(*number);
    }
  }
  if (note.abi_major == 0 || note.id.empty() || note.version.empty()) {
    return Corruption("plugin note: abi, id or version is missing");
  }
  return note;
}

Result<ElfInfo> ParseElf(RandomReader& reader) { return Parser(reader).Run(); }

Result<ElfInfo> ParseElf(ByteSpan bytes) {
  SpanReader reader(bytes);
  return ParseElf(reader);
}

Result<ElfInfo> ReadElf(int fd, std::string_view what) {
  FdReader reader(fd, what);
  auto info = ParseElf(reader);
  if (!info.ok()) return std::move(info).status().With(what);
  return info;
}

bool IsHostElf(const ElfInfo& info) {
  constexpr bool kIs64 = sizeof(void*) == 8;
#if defined(__x86_64__)
  constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__i386__)
  constexpr uint16_t kMachine = EM_386;
#elif defined(__aarch64__)
  constexpr uint16_t kMachine = EM_AARCH64;
#elif defined(__arm__)
  constexpr uint16_t kMachine = EM_ARM;
#elif defined(__powerpc64__)
  constexpr uint16_t kMachine = EM_PPC64;
#elif defined(__s390x__)
  constexpr uint16_t kMachine = EM_S390;
#elif defined(__riscv)
  constexpr uint16_t kMachine = EM_RISCV;
#else
#error "name this machine's ELF number here"
#endif
  constexpr bool kLittle = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
  return info.is_64 == kIs64 && info.little_endian == kLittle && info.machine == kMachine;
}

}  // namespace walrig
