#include "plugins/common/ssh/known_hosts.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <system_error>

#include "plugins/common/ssh/base64.h"

namespace walrig::ssh {
namespace {

constexpr size_t kKnownHostsBytesMax = 16u << 20;
constexpr size_t kLineBytesMax = 64u << 10;
constexpr std::string_view kHashMark = "|1|";
constexpr size_t kSha1Bytes = 20;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string LowerText(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return lower;
}

// * and ?, without recursion, so that a hostile pattern costs no more than length times length.
bool MatchesPattern(std::string_view text, std::string_view pattern) {
  size_t t = 0, p = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] != '*' && Lower(pattern[p]) == text[t]))) {
      ++t, ++p;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool MatchesHash(std::string_view name, std::string_view field) {
  field.remove_prefix(kHashMark.size());
  const size_t bar = field.find('|');
  if (bar == std::string_view::npos) return false;
  const std::optional<std::string> salt = DecodeBase64(field.substr(0, bar));
  const std::optional<std::string> hash = DecodeBase64(field.substr(bar + 1));
  if (!salt || !hash || salt->size() != kSha1Bytes || hash->size() != kSha1Bytes) return false;
  unsigned char made[EVP_MAX_MD_SIZE];
  unsigned int made_bytes = 0;
  const unsigned char* ok = HMAC(EVP_sha1(), salt->data(), static_cast<int>(salt->size()),
                                 reinterpret_cast<const unsigned char*>(name.data()), name.size(), made, &made_bytes);
  return ok != nullptr && *hash == std::string_view(reinterpret_cast<const char*>(made), made_bytes);
}

// `name` is in lower case.
bool MatchesNames(std::string_view name, std::string_view field) {
  if (field.starts_with(kHashMark)) return MatchesHash(name, field);
  bool matches = false;
  while (!field.empty()) {
    const size_t comma = std::min(field.find(','), field.size());
    std::string_view pattern = field.substr(0, comma);
    field.remove_prefix(std::min(comma + 1, field.size()));
    const bool negated = pattern.starts_with('!');
    if (negated) pattern.remove_prefix(1);
    if (pattern.empty() || !MatchesPattern(name, pattern)) continue;
    if (negated) return false;
    matches = true;
  }
  return matches;
}

std::string_view NextWord(std::string_view* line) {
  const size_t begin = std::min(line->find_first_not_of(" \t"), line->size());
  const size_t end = std::min(line->find_first_of(" \t", begin), line->size());
  const std::string_view word = line->substr(begin, end - begin);
  line->remove_prefix(end);
  return word;
}

std::optional<KnownHosts::Entry> ParseLine(std::string_view line) {
  if (line.size() > kLineBytesMax) return std::nullopt;
  if (line.ends_with('\r')) line.remove_suffix(1);
  KnownHosts::Entry entry;
  std::string_view word = NextWord(&line);
  if (word.starts_with('@')) {
    if (word != "@revoked") return std::nullopt;
    entry.revoked = true;
    word = NextWord(&line);
  }
  if (word.empty() || word[0] == '#') return std::nullopt;
  entry.names = word;
  entry.type = NextWord(&line);
  std::optional<std::string> blob = DecodeBase64(NextWord(&line));
  if (!blob || TypeOfBlob(*blob) != entry.type) return std::nullopt;
  entry.blob = *std::move(blob);
  return entry;
}

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

}  // namespace

std::string TypeOfBlob(std::string_view blob) {
  if (blob.size() < 4) return "";
  size_t length = 0;
  for (size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<uint8_t>(blob[i]);
  if (length == 0 || length > 64 || length > blob.size() - 4) return "";
  return std::string(blob.substr(4, length));
}

std::string KnownHosts::NameOf(std::string_view host, uint16_t port) {
  if (port == 22) return LowerText(host);
  return "[" + LowerText(host) + "]:" + std::to_string(port);
}

void KnownHosts::Add(std::string_view text, std::string_view name) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::optional<Entry> entry = ParseLine(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!entry) continue;
    entry->where = std::string(name) + ":" + std::to_string(number);
    entries_.push_back(*std::move(entry));
  }
}

Status KnownHosts::AddFile(const std::string& path, bool must_exist) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) {
    if (errno == ENOENT && !must_exist) return OkStatus();
    return ConfigError("known hosts: open " + path + ": " + std::generic_category().message(errno))
        .Hint("name readable files in WALRIG_SSH_KNOWN_HOSTS");
  }
  std::string text;
  char piece[16384];
  size_t got = 0;
  while ((got = std::fread(piece, 1, sizeof piece, file.get())) > 0) {
    text.append(piece, got);
    if (text.size() > kKnownHostsBytesMax) return ConfigError("known hosts: " + path + " is larger than 16 MiB");
  }
  if (std::ferror(file.get()) != 0) {
    return ConfigError("known hosts: read " + path + ": " + std::generic_category().message(errno));
  }
  Add(text, path);
  return OkStatus();
}

HostVerdict KnownHosts::Check(std::string_view host, uint16_t port, std::string_view blob, Entry* entry) const {
  const std::string name = NameOf(host, port);
  const std::string type = TypeOfBlob(blob);
  HostVerdict verdict = HostVerdict::kUnknown;
  for (const Entry& known : entries_) {
    if (known.type != type || !MatchesNames(name, known.names)) continue;
    const bool same = known.blob == blob;
    if (known.revoked) {
      if (!same) continue;
      *entry = known;
      return HostVerdict::kRevoked;
    }
    if (same ? verdict != HostVerdict::kKnown : verdict == HostVerdict::kUnknown) {
      verdict = same ? HostVerdict::kKnown : HostVerdict::kChanged;
      *entry = known;
    }
  }
  return verdict;
}

std::vector<std::string> KnownHosts::TypesOf(std::string_view host, uint16_t port) const {
  const std::string name = NameOf(host, port);
  std::vector<std::string> types;
  for (const Entry& known : entries_) {
    if (known.revoked || std::find(types.begin(), types.end(), known.type) != types.end()) continue;
    if (MatchesNames(name, known.names)) types.push_back(known.type);
  }
  return types;
}

}  // namespace walrig::ssh
