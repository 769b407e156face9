#include "core/st/objects.h"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>

#include "core/base/string_util.h"
#include "core/io/durable_file.h"
#include "core/pipeline/download.h"
#include "core/pipeline/upload.h"
#include "core/storage/objects.h"

namespace walrig {
namespace {

// Of the last part of the name; "" without one.
std::string ExtensionOf(const std::string& key) {
  const size_t dot = key.rfind('.');
  const size_t slash = key.rfind('/');
  if (dot == key.npos || (slash != key.npos && dot < slash)) return {};
  return key.substr(dot + 1);
}

// Names of what is never compressed: documents, and WAL files and tars that were stored without a compressor.
bool NeverCompressed(std::string_view extension) {
  constexpr std::string_view kPlain[] = {"", "json", "tar", "history", "backup", "partial", "claim"};
  return std::find(std::begin(kPlain), std::end(kPlain), extension) != std::end(kPlain);
}

}  // namespace

Result<StRange> ParseStRange(const std::string& text) {
  const size_t colon = text.find(':');
  StRange range;
  const auto wrong = [&] {
    return InvalidArgument("range " + Printable(text) + ": OFFSET:LENGTH or OFFSET: is needed, in bytes or as 64KiB");
  };
  if (colon == text.npos) return wrong();
  const Result<uint64_t> offset = ParseSize(text.substr(0, colon));
  if (!offset.ok()) return wrong();
  range.offset = *offset;
  if (colon + 1 == text.size()) return range;
  const Result<uint64_t> length = ParseSize(text.substr(colon + 1));
  if (!length.ok() || *length == 0) return wrong();
  range.length = *length;
  return range;
}

Result<std::unique_ptr<Source>> StOpen(const Context& ctx, Storage& storage, CodecProvider& codecs,
                                       const std::string& key, const StReadOptions& options) {
  if (options.range.has_value()) {
    if (options.decompress) return InvalidArgument("what is compressed has no ranges: --range goes without --decompress");
    return OpenRange(ctx, storage, key, options.decrypt ? codecs.cipher() : nullptr, options.range->offset, options.range->length);
  }
  Codec codec;
  if (options.decrypt) codec.cipher = codecs.cipher();
  if (options.decompress) {
    const std::string extension = ExtensionOf(key);
    if (!NeverCompressed(extension)) {
      // An extension that nothing here knows may be a compressor's all the same: the bytes as they are would not be what was
      // asked for.
      Result<Compressor*> compressor = codecs.ForExtension(ctx, extension);
      if (!compressor.ok()) {
        const Code code = compressor.status().code() == Code::kNotFound ? Code::kNotSupported : compressor.status().code();
        std::string hint(compressor.status().hint());
        hint += std::string(hint.empty() ? "" : "; or ") + "take the bytes as they are stored: st get --no-decompress, st cat without --decompress";
        return Status(code, std::string(compressor.status().message())).Hint(std::move(hint));
      }
      codec.compressor = *compressor;
    }
  }
  if (codec.compressor == nullptr && codec.cipher == nullptr) return storage.Get(ctx, key, {});
  return OpenDecoded(ctx, storage, key, codec);
}

Result<uint64_t> StGet(const Context& ctx, Storage& storage, CodecProvider& codecs, const std::string& key,
                       const std::string& path, const StReadOptions& options) {
  std::string to = path;
  struct stat s{};
  if (::stat(to.c_str(), &s) == 0 && S_ISDIR(s.st_mode)) {
    std::string name = key.substr(key.rfind('/') + 1);
    const std::string extension = ExtensionOf(name);
    if (options.decompress && !extension.empty() && !NeverCompressed(extension) && codecs.ForExtension(ctx, extension).ok()) {
      name.resize(name.size() - extension.size() - 1);
    }
    to += "/" + name;
  }
  WALRIG_ASSIGN(auto file, DurableFile::Create(to, {.mode = 0640, .replace = false}));
  WALRIG_ASSIGN(const std::unique_ptr<Source> source, StOpen(ctx, storage, codecs, key, options));
  WALRIG_ASSIGN(const uint64_t bytes, CopyAll(ctx, *source, *file));
  WALRIG_TRY(file->Commit(ctx));
  return bytes;
}

Result<std::string> StPut(const Context& ctx, Storage& storage, Source& plain, std::string key,
                          const StPutOptions& options) {
  key += options.codec.Suffix();
  PutEncodedOptions put;
  if (!options.force) {
    WALRIG_ASSIGN(const bool exists, Exists(ctx, storage, key));
    if (exists) return AlreadyExists("object " + key + " exists").Hint("--force replaces it");
    put.put = NewObject(storage);
  }
  WALRIG_TRY(PutEncoded(ctx, storage, key, options.codec, plain, put).status());
  return key;
}

}  // namespace walrig
