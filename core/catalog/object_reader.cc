#include "core/catalog/object_reader.h"

#include <fmt/format.h>

#include <unordered_set>

#include <optional>
#include <utility>

#include "core/base/checksum.h"
#include "core/layout/paths.h"
#include "core/pipeline/decoding_source.h"

namespace walrig {
namespace {

// Counts stored bytes for the progress line, and compares hash and size with the proof where the object ends.
class StoredSource final : public Source {
 public:
  StoredSource(std::unique_ptr<Source> source, std::string key, const ProofObject* proof, ProgressCounters* progress)
      : source_(std::move(source)), key_(std::move(key)), proof_(proof), progress_(progress) {
    if (proof_ != nullptr) hash_.emplace();
  }

  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
    WALRIG_ASSIGN(size_t got, source_->Read(ctx, buffer));
    bytes_ += got;
    if (progress_ != nullptr && got > 0) progress_->AddStored(got);
    if (proof_ == nullptr) return got;
    if (got > 0) {
      hash_->Update(buffer.first(got));
      return got;
    }
    if (bytes_ != proof_->stored_bytes) {
      return Corruption(fmt::format("object {} has {} bytes, {} says {}", key_, bytes_, kProofName,
                                    proof_->stored_bytes));
    }
    if (hash_->Hex() != proof_->xxh128) {
      return Corruption(fmt::format("object {} was changed: its hash is not that of {}", key_, kProofName));
    }
    return got;
  }

 private:
  std::unique_ptr<Source> source_;
  std::string key_;
  const ProofObject* proof_;
  ProgressCounters* progress_;
  std::optional<Xxh128> hash_;
  uint64_t bytes_ = 0;
};

// Compares a document with its seal where it ends.
class SealedSource final : public Source {
 public:
  static Result<std::unique_ptr<Source>> New(std::unique_ptr<Source> source, std::string key, const SealedDocument& sealed) {
    WALRIG_ASSIGN(Sha256 digest, Sha256::New());
    return std::unique_ptr<Source>(new SealedSource(std::move(source), std::move(key), sealed, std::move(digest)));
  }

  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
    WALRIG_ASSIGN(const size_t got, source_->Read(ctx, buffer));
    if (got == 0) {
      WALRIG_TRY(CompareSealed(sealed_, bytes_, digest_.Hex(), key_));
      return got;
    }
    digest_.Update(buffer.first(got));
    bytes_ += got;
    return got;
  }

 private:
  SealedSource(std::unique_ptr<Source> source, std::string key, const SealedDocument& sealed, Sha256 digest)
      : source_(std::move(source)), key_(std::move(key)), sealed_(sealed), digest_(std::move(digest)) {}

  std::unique_ptr<Source> source_;
  std::string key_;
  const SealedDocument& sealed_;
  Sha256 digest_;
  uint64_t bytes_ = 0;
};

// Says what the operator may have forgotten when an object does not decode at all.
class HintingSource final : public Source {
 public:
  HintingSource(std::unique_ptr<Source> source, bool has_cipher) : source_(std::move(source)), has_cipher_(has_cipher) {}

  Result<size_t> Read(const Context& ctx, MutableByteSpan buffer) override {
    auto got = source_->Read(ctx, buffer);
    if (!got.ok() && got.status().code() == Code::kCorruption && !any_ && !has_cipher_) {
      return std::move(got).status().Hint(
          "the object is damaged, or encrypted: no key is configured (WALRIG_GCRYPT_KEY_FILE, WALG_LIBSODIUM_KEY, WALG_PGP_KEY and the like)");
    }
    if (got.ok()) any_ = true;
    return got;
  }

 private:
  std::unique_ptr<Source> source_;
  bool has_cipher_;
  bool any_ = false;
};

}  // namespace

Result<std::unique_ptr<Source>> ObjectReader::OpenStored(const Context& ctx, const std::string& key,
                                                         std::string_view name) const {
  const ProofObject* proof = proof_ != nullptr ? proof_->Find(name) : nullptr;
  auto stored = storage_.Get(ctx, key, {});
  if (!stored.ok()) return std::move(stored).status().With(key);
  return std::unique_ptr<Source>(
      std::make_unique<StoredSource>(std::move(stored).value(), key, proof, progress_));
}

Result<std::unique_ptr<Source>> ObjectReader::OpenTar(const Context& ctx, const TarObject& object) const {
  Codec codec;
  codec.cipher = codecs_.cipher();
  // What is sealed was encrypted, every tar of it.
  codec.plaintext_allowed = seal_ == nullptr && codecs_.plaintext_allowed();
  WALRIG_ASSIGN(codec.compressor, codecs_.ForExtension(ctx, object.extension));
  WALRIG_ASSIGN(std::unique_ptr<Source> stored,
                OpenStored(ctx, object.key, std::string(kTarFolder) + object.file_name));
  WALRIG_ASSIGN(std::unique_ptr<DecodingSource> plain, DecodingSource::New(codec, std::move(stored), object.key));
  return std::unique_ptr<Source>(std::make_unique<HintingSource>(std::move(plain), codec.cipher != nullptr));
}

Result<std::unique_ptr<Source>> ObjectReader::OpenDocument(const Context& ctx, std::string_view name) const {
  const std::string key = BackupFolder(backup_name_) + std::string(name);
  const SealedDocument* sealed = nullptr;
  if (seal_ != nullptr) {
    sealed = seal_->Find(name);
    if (sealed == nullptr) return Corruption(key + " is not in the seal of the backup");
  }
  WALRIG_ASSIGN(std::unique_ptr<Source> stored, OpenStored(ctx, key, name));
  if (sealed == nullptr) return stored;
  return SealedSource::New(std::move(stored), key, *sealed);
}

void SetAsideUnlisted(const Proof& proof, BackupObjects* objects) {
  std::unordered_set<std::string_view> listed;
  for (const ProofObject& object : proof.objects) listed.insert(object.name);
  for (auto* list : {&objects->parts, &objects->control, &objects->label}) {
    std::erase_if(*list, [&](const TarObject& object) {
      if (listed.contains(std::string(kTarFolder) + object.file_name)) return false;
      objects->unlisted.push_back(object.key);
      objects->stored_bytes -= object.size_bytes;
      return true;
    });
  }
}

Status CompareWithProof(const Proof& proof, const BackupObjects& objects) {
  for (const ProofObject& promised : proof.objects) {
    if (promised.name.compare(0, kTarFolder.size(), kTarFolder) != 0) continue;
    const TarObject* found = nullptr;
    for (const auto* list : {&objects.parts, &objects.control, &objects.label}) {
      for (const TarObject& object : *list) {
        if (std::string_view(promised.name).substr(kTarFolder.size()) == object.file_name) found = &object;
      }
    }
    if (found == nullptr) return Corruption(fmt::format("object {} is missing; {} lists it", promised.name, kProofName));
    if (found->size_bytes != promised.stored_bytes) {
      return Corruption(fmt::format("object {} has {} bytes, {} says {}", found->key, found->size_bytes, kProofName,
                                    promised.stored_bytes));
    }
  }
  return OkStatus();
}

}  // namespace walrig
