#include "core/config/keys.h"

#include <algorithm>

#include "core/base/string_util.h"

namespace walrig {
namespace {

constexpr std::string_view kWalg = "WALG_";
constexpr std::string_view kWale = "WALE_";

}  // namespace

const KeySpec* FindKeyOfFlag(std::string_view flag) {
  std::string name(flag);
  if (name.find('_') != std::string::npos) return nullptr;
  std::replace(name.begin(), name.end(), '-', '_');
  return FindKey(name);
}

std::vector<std::string> Spellings(const KeySpec& key) {
  if (!key.any_prefix) return {std::string(key.name)};
  const bool prefixed = StartsWith(key.name, kWalg);
  const std::string bare(prefixed ? key.name.substr(kWalg.size()) : key.name);
  return {bare, std::string(kWalg) + bare, std::string(kWale) + bare};
}

std::string FlagName(std::string_view key_name) {
  std::string flag = ToLower(key_name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string NearestKey(std::string_view name) {
  std::vector<std::string> candidates;
  for (const KeySpec& key : AllKeys()) {
    for (std::string& spelling : Spellings(key)) candidates.push_back(std::move(spelling));
  }
  return NearestName(name, candidates);
}

std::string_view KeyTypeName(KeyType type) {
  switch (type) {
    case KeyType::kText:
      return "text";
    case KeyType::kBool:
      return "bool";
    case KeyType::kInt:
      return "int";
    case KeyType::kUint:
      return "uint";
    case KeyType::kFloat:
      return "float";
    case KeyType::kSize:
      return "size";
    case KeyType::kDuration:
      return "duration";
    case KeyType::kEnum:
      return "enum";
    case KeyType::kPath:
      return "path";
    case KeyType::kJson:
      return "json";
    case KeyType::kMap:
      return "map";
  }
  return "text";
}

}  // namespace walrig
