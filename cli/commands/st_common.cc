#include "cli/commands/st_common.h"

#include "cli/commands/common.h"

namespace walrig {

Result<ExitCode> ForTargets(Invocation& call, Wiring& wiring, bool read_only,
                            const std::function<Status(NamedStorage&)>& use) {
  const std::string target = call.Text("target", "default");
  if (target.empty()) return UsageError(call, kTargetIsEmpty);
  WALRIG_ASSIGN(std::vector<NamedStorage> storages,
                wiring.OpenStorages(call.ctx, {.read_only = read_only, .turbo = call.turbo, .target = target}));
  Status first;
  bool one_worked = false;
  for (NamedStorage& one : storages) {
    Status status = one.storage == nullptr ? one.why : use(one);
    if (status.ok()) {
      one_worked = true;
      continue;
    }
    if (storages.size() == 1 || status.code() == Code::kCancelled) return status;
    status = std::move(status).With("storage " + one.name);
    LogWarning(call, status.ToString());
    if (first.ok()) first = std::move(status);
  }
  if (!one_worked) return first;
  return ExitCode::kOk;
}

}  // namespace walrig
