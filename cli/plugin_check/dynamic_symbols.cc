#include "cli/plugin_check/dynamic_symbols.h"

#include <elf.h>
#include <link.h>

#include <cstring>

#include "core/base/fd.h"

namespace walrig {
namespace {

constexpr uint64_t kFileBytesMax = 512u << 20;

// `count` structures of type T at `offset`, copied, since nothing in a file is aligned for sure.
template <typename T>
Result<std::vector<T>> Table(std::string_view file, uint64_t offset, uint64_t count) {
  if (offset > file.size() || count > (file.size() - offset) / sizeof(T))
    return Corruption("a table lies beyond the end of the file");
  std::vector<T> table(static_cast<size_t>(count));
  if (count != 0) std::memcpy(table.data(), file.data() + offset, table.size() * sizeof(T));
  return table;
}

std::string NameAt(std::string_view strings, uint64_t at) {
  if (at >= strings.size()) return "?";
  const std::string_view rest = strings.substr(static_cast<size_t>(at));
  return std::string(rest.substr(0, rest.find('\0')));
}

}  // namespace

Result<DynamicSymbols> ReadDynamicSymbols(const std::string& path) {
  WALRIG_ASSIGN(const std::string file, ReadWholeFile(path, kFileBytesMax));
  WALRIG_ASSIGN(const auto headers, Table<ElfW(Ehdr)>(file, 0, 1));
  const ElfW(Ehdr)& header = headers[0];
  constexpr unsigned char kOurClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != kOurClass) {
    return Corruption(path + " is no ELF file of this machine");
  }
  WALRIG_ASSIGN(const auto sections, Table<ElfW(Shdr)>(file, header.e_shoff, header.e_shnum));
  DynamicSymbols found;
  for (const ElfW(Shdr) & section : sections) {
    if (section.sh_type != SHT_DYNSYM) continue;
    if (section.sh_link >= sections.size()) return Corruption(path + ": the symbols have no names");
    const ElfW(Shdr)& names = sections[section.sh_link];
    WALRIG_ASSIGN(const auto strings, Table<char>(file, names.sh_offset, names.sh_size));
    WALRIG_ASSIGN(const auto symbols, Table<ElfW(Sym)>(file, section.sh_offset, section.sh_size / sizeof(ElfW(Sym))));
    for (const ElfW(Sym) & symbol : symbols) {
      const unsigned bind = symbol.st_info >> 4;
      if (symbol.st_shndx == SHN_UNDEF || bind == STB_LOCAL) continue;
      found.unique += bind == STB_GNU_UNIQUE;
      found.exported.push_back(NameAt({strings.data(), strings.size()}, symbol.st_name));
    }
  }
  return found;
}

}  // namespace walrig
