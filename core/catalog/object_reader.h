// ObjectReader: opens the objects of one backup as plain bytes, and proves on the way that they are the stored ones.
//
// The stored bytes are hashed while they stream and compared with walrig.json at their end, when the backup has one.
//
// OWNS: nothing; storage, codecs and proof are borrowed. THREADS: Open from any thread; a Source one at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/catalog/backup_objects.h"
#include "core/catalog/codec_source.h"
#include "core/layout/proof.h"
#include "core/layout/seal.h"
#include "core/pipeline/progress.h"
#include "walrig/storage.h"

namespace walrig {

class ObjectReader {
 public:
  // `proof`, `progress` and `seal` may be null. With a seal, documents are compared with it as well.
  ObjectReader(Storage& storage, CodecProvider& codecs, std::string backup_name, const Proof* proof,
               ProgressCounters* progress, const Seal* seal = nullptr)
      : storage_(storage), codecs_(codecs), backup_name_(std::move(backup_name)), proof_(proof), progress_(progress), seal_(seal) {}

  // A tar. The source says its end only after the stored object was read to its end, decoded without an error and
  // compared with its proof. FAILS WITH: kNotFound, kNotSupported (no decoder), kCorruption, kTruncated; messages name the
  // object, and a hint speaks of encryption when no cipher is configured.
  Result<std::unique_ptr<Source>> OpenTar(const Context& ctx, const TarObject& object) const;
  // A document of the backup, stored as it is: "backup_manifest", "files_metadata.json".
  Result<std::unique_ptr<Source>> OpenDocument(const Context& ctx, std::string_view name) const;

 private:
  Result<std::unique_ptr<Source>> OpenStored(const Context& ctx, const std::string& key, std::string_view name) const;

  Storage& storage_;
  CodecProvider& codecs_;
  const std::string backup_name_;
  const Proof* proof_;
  ProgressCounters* progress_;
  const Seal* seal_;
};

// Takes tars that walrig.json does not list out of `objects`, into `unlisted`: it lists all that the backup has, so what lies
// beside them is another run's.
void SetAsideUnlisted(const Proof& proof, BackupObjects* objects);

// Compares what the storage holds with walrig.json, without reading: kCorruption names an object that is missing or has
// another size.
Status CompareWithProof(const Proof& proof, const BackupObjects& objects);

}  // namespace walrig
