#include "core/metrics/exposition.h"

#include <fmt/format.h>

#include <string_view>

namespace walrig {
namespace {

bool MayStandInName(char c, bool first) {
  bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
  return letter || (!first && c >= '0' && c <= '9');
}

std::string FamilyName(std::string_view text) {
  std::string name(text);
  for (size_t i = 0; i < name.size(); ++i) {
    if (!MayStandInName(name[i], i == 0)) name[i] = '_';
  }
  return name;
}

}  // namespace

std::string PrometheusText(const std::map<std::string, double>& values) {
  // Grouped by family: "a_total{...}" and "a_total" need not be neighbours in byte order.
  std::map<std::string, std::string> families;
  for (const auto& [full_name, value] : values) {
    size_t brace = full_name.find('{');
    std::string name = FamilyName(std::string_view(full_name).substr(0, brace));
    std::string labels = brace == std::string::npos ? "" : full_name.substr(brace);
    if (name.empty() || labels.find('\n') != std::string::npos || (!labels.empty() && labels.back() != '}')) continue;
    families[name] += fmt::format("{}{} {}\n", name, labels, value);
  }
  std::string text;
  for (const auto& [name, samples] : families) text += fmt::format("# TYPE {} counter\n{}", name, samples);
  return text;
}

}  // namespace walrig
