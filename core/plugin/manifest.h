// Manifest: the catalogue in a SQLite file. A cache, never a requirement: whoever cannot read it looks plugins up by
// their file names, and an archive_command never fails because of it.
//
// A file once published is never changed: a new one is built beside it, synced and renamed over it while
// `<file>.lock` is held. Readers open it immutable, without locks, and keep their old inode as long as they like.
//
// THREADS: a Manifest by one thread at a time; any number of processes may read and write.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/plugin/catalogue.h"
#include "walrig/result.h"

namespace walrig {

class Manifest {
 public:
  // FAILS WITH: kNotFound (no such file), kCorruption (no catalogue, another version or triplet), kPermission
  // (somebody else's file).
  static Result<std::unique_ptr<Manifest>> Open(const std::string& path);
  ~Manifest();
  Manifest(const Manifest&) = delete;
  Manifest& operator=(const Manifest&) = delete;

  // What is known about one file; without its module's options. Nothing when it is not listed.
  Result<std::optional<CatalogueFile>> FindFile(std::string_view dir, std::string_view basename);
  // The file that provides a name or alias.
  struct Location {
    std::string dir, basename;
  };
  Result<std::optional<Location>> Resolve(PluginKind kind, std::string_view name);
  // The compressor whose objects end in ".ext".
  Result<std::optional<std::string>> CompressorOfExtension(std::string_view extension);
  // Everything.
  Result<Catalogue> ReadAll();

  const std::string& path() const { return path_; }

 private:
  struct Rep;
  explicit Manifest(std::string path);
  std::string path_;
  std::unique_ptr<Rep> rep_;
};

// Builds a file next to `path`, checks, syncs and renames it. REQUIRES: the caller holds the lock of `path`.
// FAILS WITH: kPermission, kReadOnly, kNoSpace, kIoError; then nothing was changed.
Status WriteManifest(const std::string& path, const Catalogue& catalogue);

}  // namespace walrig
