"""What `pg_verifybackup -n` checks, for manifests that the pg_verifybackup at hand is too old to read.

check_directory(pgdata, version, system_identifier) returns a list of findings, empty when the directory is what its backup_manifest says.
"""
import hashlib
import json
import os
import struct

# pg_verifybackup leaves these out as well (src/bin/pg_verifybackup/pg_verifybackup.c).
IGNORED = {"backup_manifest", "pg_wal", "postgresql.auto.conf", "recovery.signal", "standby.signal"}
CHUNK = 1 << 20
ZEROS = bytes(CHUNK)


def _step(byte):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


BYTE_TABLE = [_step(b) for b in range(256)]
# Two bytes a step: the interpreter's loop is what costs.
PAIR_TABLE = [BYTE_TABLE[v & 255] for v in range(1 << 16)]
PAIR_TABLE = [BYTE_TABLE[(PAIR_TABLE[v] ^ v >> 8) & 255] ^ PAIR_TABLE[v] >> 8 for v in range(1 << 16)]


def _apply(columns, value):
    result = 0
    for bit, column in enumerate(columns):
        if value >> bit & 1:
            result ^= column
    return result


def _zero_chunk_operator():
    """The register after a chunk of zeros, as a matrix: sparse relations of 1 GiB are mostly these."""
    columns = [BYTE_TABLE[(1 << bit) & 255] ^ (1 << bit) >> 8 for bit in range(32)]
    for _ in range(CHUNK.bit_length() - 1):
        columns = [_apply(columns, column) for column in columns]
    return columns


ZERO_CHUNK = _zero_chunk_operator()


def crc32c(chunks):
    crc = 0xFFFFFFFF
    for data in chunks:
        if data == ZEROS:
            crc = _apply(ZERO_CHUNK, crc)
            continue
        even = len(data) & ~1
        for (pair,) in struct.iter_unpack("<H", memoryview(data)[:even]):
            crc = PAIR_TABLE[(crc ^ pair) & 0xFFFF] ^ crc >> 16
        for byte in data[even:]:
            crc = BYTE_TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


if crc32c([b"123456789"]) != 0xE3069283 or crc32c([ZEROS, b"1"]) != crc32c([ZEROS[1:], b"\0", b"1"]):
    raise AssertionError("the CRC-32C of this check is wrong itself")


def _chunks(path):
    with open(path, "rb") as f:
        while data := f.read(CHUNK):
            yield data


_known = {}  # the template databases hold the same files: SHA-256 of content -> CRC-32C


def _file_crc32c(path):
    digest = hashlib.sha256()
    for data in _chunks(path):
        digest.update(data)
    key = digest.digest()
    if key not in _known:
        _known[key] = crc32c(_chunks(path))
    return struct.pack("<I", _known[key]).hex()  # as it lies in memory, as the server writes it


def _files(top):
    """Every file that a manifest should name; tablespaces are followed, as PostgreSQL follows them."""
    for directory, names, files in os.walk(top, followlinks=True):
        if directory == top:
            names[:] = [n for n in names if n not in IGNORED]
            files = [f for f in files if f not in IGNORED]
        for name in files:
            yield os.path.relpath(os.path.join(directory, name), top)


def check_directory(pgdata, version, system_identifier):
    with open(os.path.join(pgdata, "backup_manifest"), "rb") as f:
        raw = f.read()
    manifest = json.loads(raw)
    findings = []

    def expect(what, got, want):
        if got != want:
            findings.append(f"{what}: {got!r}, expected {want!r}")

    expect("manifest version", manifest["PostgreSQL-Backup-Manifest-Version"], version)
    expect("System-Identifier", manifest.get("System-Identifier"), system_identifier)
    body = raw[:raw.rindex(b'"Manifest-Checksum"')]
    expect("Manifest-Checksum", manifest["Manifest-Checksum"], hashlib.sha256(body).hexdigest())
    listed = set()
    for entry in manifest["Files"]:
        name = entry["Path"] if "Path" in entry else os.fsdecode(bytes.fromhex(entry["Encoded-Path"]))
        if name in listed:
            findings.append(f"{name!r} is listed twice")
        listed.add(name)
        if name.split("/")[0] in IGNORED:
            continue
        path = os.path.join(pgdata, name)
        if not os.path.isfile(path):
            findings.append(f"{name!r} is listed and is not there")
            continue
        expect(f"size of {name!r}", os.path.getsize(path), entry["Size"])
        expect(f"algorithm of {name!r}", entry.get("Checksum-Algorithm"), "CRC32C")
        expect(f"checksum of {name!r}", _file_crc32c(path), entry.get("Checksum"))
    findings += [f"{name!r} is there and is not listed" for name in sorted(set(_files(pgdata)) - listed)]
    if not manifest["WAL-Ranges"]:
        findings.append("no WAL range")
    return findings
