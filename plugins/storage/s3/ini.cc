#include "plugins/storage/s3/ini.h"

namespace walrig::s3 {
namespace {

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\v\f";
  const size_t from = text.find_first_not_of(kBlank);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kBlank) - from + 1);
}

std::string LowerText(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string SectionName(std::string_view inside) {
  inside = Trimmed(inside);
  constexpr std::string_view kProfile = "profile";
  if (inside.substr(0, kProfile.size()) == kProfile && inside.size() > kProfile.size() &&
      (inside[kProfile.size()] == ' ' || inside[kProfile.size()] == '\t')) {
    inside = Trimmed(inside.substr(kProfile.size()));
  }
  const bool quoted = inside.size() >= 2 && (inside.front() == '"' || inside.front() == '\'') && inside.back() == inside.front();
  return std::string(quoted ? inside.substr(1, inside.size() - 2) : inside);
}

// " #" and " ;" begin a comment behind a value.
std::string_view WithoutComment(std::string_view value) {
  for (size_t i = 1; i < value.size(); ++i) {
    if ((value[i] == '#' || value[i] == ';') && (value[i - 1] == ' ' || value[i - 1] == '\t')) return value.substr(0, i);
  }
  return value;
}

}  // namespace

void ParseIni(std::string_view text, Profiles* into) {
  Profile* section = nullptr;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const std::string_view trimmed = Trimmed(line);
    if (trimmed.empty() || trimmed.front() == '#' || trimmed.front() == ';') continue;
    if (trimmed.front() == '[') {
      const size_t close = trimmed.find(']');
      section = close == std::string_view::npos ? nullptr : &(*into)[SectionName(trimmed.substr(1, close - 1))];
      continue;
    }
    const size_t equals = trimmed.find('=');
    const bool indented = line.front() == ' ' || line.front() == '\t';
    if (section == nullptr || equals == std::string_view::npos || indented) continue;
    (*section)[LowerText(Trimmed(trimmed.substr(0, equals)))] = Trimmed(WithoutComment(Trimmed(trimmed.substr(equals + 1))));
  }
}

}  // namespace walrig::s3
