#include "core/wal/archived_file.h"

#include "core/catalog/codec_source.h"
#include "core/layout/paths.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/decoding_source.h"

namespace walrig {

Result<ArchivedWalFile> OpenArchivedWalFile(const Context& ctx, Storage& storage, CodecProvider& codecs,
                                            std::string_view name, std::string_view preferred_extension) {
  for (const WalCandidate& candidate : WalCandidates(name, preferred_extension)) {
    auto stored = storage.Get(ctx, candidate.key, {});
    if (!stored.ok() && stored.status().code() == Code::kNotFound) continue;
    if (!stored.ok()) return std::move(stored).status().With(candidate.key);
    WALRIG_ASSIGN(Compressor* const compressor, codecs.ForExtension(ctx, candidate.extension));
    const Codec codec{.compressor = compressor, .cipher = codecs.cipher()};
    WALRIG_ASSIGN(auto plain, DecodingSource::New(codec, std::move(stored).value(), candidate.key));
    return ArchivedWalFile{.key = candidate.key, .plain = std::move(plain)};
  }
  return NotFound("the archive does not hold '" + std::string(name) + "'");
}

}  // namespace walrig
