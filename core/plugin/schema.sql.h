// The tables of the manifest. docs/formats/plugin_manifest.md explains them.
//
// A file with another application_id or user_version is not read. Neither STRICT nor RETURNING: SQLite 3.26 must do.
#pragma once

namespace walrig {

inline constexpr int kManifestApplicationId = 0x57524947;  // "WRIG"
inline constexpr int kManifestVersion = 1;

inline constexpr const char kManifestSchema[] = R"sql(
PRAGMA application_id=0x57524947;
PRAGMA user_version=1;
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE dir(dir_id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, rank INTEGER NOT NULL, origin TEXT NOT NULL,
  dev INTEGER, ino INTEGER, mtime_ns INTEGER, ctime_ns INTEGER,
  trust TEXT NOT NULL);
CREATE TABLE file(file_id INTEGER PRIMARY KEY, dir_id INTEGER NOT NULL REFERENCES dir ON DELETE CASCADE,
  basename TEXT NOT NULL, dev INTEGER NOT NULL, ino INTEGER NOT NULL, size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, uid INTEGER NOT NULL, mode INTEGER NOT NULL,
  build_id BLOB, sha256 BLOB, elf_machine INTEGER NOT NULL,
  needed TEXT NOT NULL DEFAULT '[]', closure TEXT NOT NULL DEFAULT '[]', package TEXT,
  state TEXT NOT NULL CHECK(state IN('ok','incompatible','unloadable','quarantined','untrusted','foreign_arch')),
  reason TEXT, probe_exit INTEGER, probe_signal INTEGER, probe_ms REAL, load_ms REAL, probed_at INTEGER,
  UNIQUE(dir_id,basename));
CREATE TABLE module(file_id INTEGER PRIMARY KEY REFERENCES file ON DELETE CASCADE, id TEXT NOT NULL,
  version TEXT NOT NULL, abi_major INTEGER NOT NULL, abi_minor INTEGER NOT NULL, min_host_minor INTEGER NOT NULL,
  flags INTEGER NOT NULL, license TEXT NOT NULL, vendor TEXT, url TEXT, description TEXT, build TEXT);
CREATE TABLE factory(factory_id INTEGER PRIMARY KEY, file_id INTEGER NOT NULL REFERENCES file ON DELETE CASCADE,
  kind INTEGER NOT NULL, name TEXT NOT NULL, caps INTEGER NOT NULL, description TEXT,
  aliases TEXT NOT NULL DEFAULT '[]', extensions TEXT NOT NULL DEFAULT '[]', UNIQUE(file_id,kind,name));
CREATE TABLE resolve(kind INTEGER NOT NULL, name TEXT NOT NULL,
  factory_id INTEGER NOT NULL REFERENCES factory ON DELETE CASCADE, is_alias INTEGER NOT NULL DEFAULT 0,
  shadowed INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(kind,name)) WITHOUT ROWID;
CREATE TABLE extension(extension TEXT PRIMARY KEY, factory_id INTEGER NOT NULL REFERENCES factory ON DELETE CASCADE)
  WITHOUT ROWID;
CREATE TABLE option(factory_id INTEGER NOT NULL REFERENCES factory ON DELETE CASCADE, ord INTEGER NOT NULL,
  name TEXT NOT NULL, type INTEGER NOT NULL, flags INTEGER NOT NULL, dflt TEXT, choices TEXT, min_text TEXT,
  max_text TEXT, help TEXT, grp TEXT, aliases TEXT, settings TEXT, replaced_by TEXT,
  PRIMARY KEY(factory_id,name)) WITHOUT ROWID;
)sql";

}  // namespace walrig
