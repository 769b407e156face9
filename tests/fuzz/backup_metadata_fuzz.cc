// What is read as metadata.json can be written, read again, and is then the same text.
#include "core/layout/backup_metadata.h"
#include "tests/fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace walrig;
  const Result<BackupMetadata> metadata = ParseBackupMetadata(fuzz::Text(data, size));
  if (!metadata.ok()) return 0;
  const std::string text = SerializeBackupMetadata(*metadata);
  const Result<BackupMetadata> again = ParseBackupMetadata(text);
  fuzz::Check(again.ok());
  fuzz::Check(SerializeBackupMetadata(*again) == text);
  return 0;
}
