#include "core/st/check.h"

#include <fmt/format.h>

#include "core/storage/objects.h"

namespace walrig {

Status StCheckRead(const Context& ctx, Storage& storage, const std::vector<std::string>& keys) {
  WALRIG_TRY(storage.List(ctx, {.prefix = "", .delimiter = "/", .start_after = "", .page_token = "", .keys_max = 1}).status());
  std::string missing;
  for (const std::string& key : keys) {
    WALRIG_ASSIGN(const bool exists, Exists(ctx, storage, key));
    if (!exists) missing += (missing.empty() ? "" : ", ") + key;
  }
  return missing.empty() ? OkStatus() : NotFound("missing: " + missing);
}

Status StCheckWrite(const Context& ctx, Storage& storage, uint64_t random) {
  const std::string key = fmt::format("walrig_storage_check_{:016x}", random);
  const std::string content = "written by walrig st check write\n";
  WALRIG_TRY(WriteObject(ctx, storage, key, content));
  const Result<std::string> back = ReadObject(ctx, storage, key, 1 << 16);
  WALRIG_TRY(DeleteAll(ctx, storage, {key}));
  WALRIG_TRY(back.status());
  return *back == content ? OkStatus() : Corruption("object " + key + " came back with another content");
}

}  // namespace walrig
