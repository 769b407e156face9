#include "core/layout/claim.h"

#include <fmt/format.h>

#include <optional>

#include "core/layout/document_reader.h"
#include "core/layout/json_line.h"

namespace walrig {

std::string SerializeClaim(const ClaimText& claim) {
  JsonLine line;
  line.Number("version", kClaimVersion);
  line.String("token", claim.token);
  line.String("host", claim.host);
  line.String("machine", claim.process.machine);
  line.Number("pid", claim.process.pid);
  line.Number("started", claim.process.started);
  return std::move(line).Finish() + "\n";
}

Result<ClaimText> ParseClaim(std::string_view text) {
  constexpr std::string_view kWhat = "walrig.claim";
  if (text.starts_with("walrig 1 ")) return NotSupported("walrig.claim: an older walrig wrote it, without its process");
  WALRIG_ASSIGN(const Json json, ParseJson(text, kWhat));
  WALRIG_ASSIGN(DocumentReader reader, DocumentReader::New(json, kWhat));
  int version = 0;
  WALRIG_TRY(reader.Int32("version", &version));
  if (version < 1) return reader.Bad("version", "is missing or below 1");
  if (version > kClaimVersion) return NotSupported(fmt::format("walrig.claim: version {}, known is {}", version, kClaimVersion));
  ClaimText claim;
  WALRIG_TRY(reader.String("token", &claim.token));
  if (claim.token.empty()) return reader.Bad("token", "is missing");
  WALRIG_TRY(reader.String("host", &claim.host));
  WALRIG_TRY(reader.String("machine", &claim.process.machine));
  std::optional<uint64_t> pid, started;
  WALRIG_TRY(reader.Uint("pid", &pid));
  WALRIG_TRY(reader.Uint("started", &started));
  claim.process.pid = pid.value_or(0);
  claim.process.started = started.value_or(0);
  return claim;
}

}  // namespace walrig
