#include "core/st/find.h"

#include <fnmatch.h>

#include "core/storage/objects.h"

namespace walrig {
namespace {

// What every match begins with: the pattern up to its first sign.
std::string_view FixedPart(std::string_view pattern) { return pattern.substr(0, pattern.find_first_of("*?[\\")); }

}  // namespace

bool GlobMatches(const std::string& pattern, const std::string& key) {
  return ::fnmatch(pattern.c_str(), key.c_str(), FNM_PATHNAME) == 0;
}

Result<std::vector<ObjectInfo>> StMatch(const Context& ctx, Storage& storage, std::string_view prefix, bool glob) {
  WALRIG_ASSIGN(std::vector<ObjectInfo> found, ListAll(ctx, storage, glob ? FixedPart(prefix) : prefix));
  if (!glob) return found;
  const std::string pattern(prefix);
  if (pattern.find('\0') != pattern.npos) return InvalidArgument("a pattern with a zero byte");
  std::erase_if(found, [&](const ObjectInfo& entry) { return !GlobMatches(pattern, entry.key); });
  return found;
}

Result<std::vector<ObjectInfo>> StFind(const Context& ctx, Storage& storage, std::string_view path,
                                       const StFindOptions& options) {
  if (options.glob) return StMatch(ctx, storage, path, true);
  std::string folder(path);
  while (folder.starts_with('/')) folder.erase(0, 1);
  if (!folder.empty() && !folder.ends_with('/')) folder += '/';
  return ListAll(ctx, storage, folder, options.recursive ? "" : "/");
}

}  // namespace walrig
