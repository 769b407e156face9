#!/usr/bin/env python3
"""Runs `walrig plugin check` on every shipped plugin, through its .so, at level 2; arguments: the build tree, names to
narrow it down to (fs, s3/minio, zstd), and --long for what level 3 adds to it, on storages alone.

A storage runs once on each server that it has: s3 on MinIO and s3rver. Deviations are declared here, in one place.
"""
import glob
import os
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import servers  # noqa: E402

# Formats that cannot see damage.
NO_CHECKSUM = {"brotli", "lzma"}
SERVERS = {"s3": [servers.minio, servers.s3rver], "gcs": [servers.fake_gcs], "azure": [servers.azurite], "ssh": [servers.sshd]}
WALG_DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data/walg")
# Keys for the ciphers, by setting.
CIPHER_KEYS = {
    "gcrypt": {"WALRIG_GCRYPT_KEY": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"},
    "libsodium": {"WALG_LIBSODIUM_KEY_PATH": f"{WALG_DATA}/libsodium-key-path/libsodium.key"},
    "openpgp": {"WALG_PGP_KEY_PATH": f"{WALG_DATA}/openpgp-ed25519/key.asc"},
}
# What a test server cannot do, though the real service can: server -> {check: why}. Left out of the run.
NOT_OF_THE_SERVER = {
    "s3rver": {
        "put_if_absent": "it does not know If-None-Match",
        "writes_are_read_at_once": "of some thousand objects one is not there for a moment after it was put",
        "etag_guards": "it does not know If-Match",
        "overwrite_is_atomic": "it writes over the file that a reader has open",
        "every_key_is_listed_once": "the next page begins by another order than the page before, and keys fall between",
        "delete_takes_many": "it removes a folder under the feet of its own other deletions",
        "nasty_names": "keys are names of files; it cannot delete one that ends in a space",
        "uploads": "it cannot list multipart uploads",
        "an_upload_without_an_end": "it cannot list multipart uploads",
        "a_broken_upload": "it stores what came of a request that was broken off",
        "a_damaged_upload": "it does not compare the body with x-amz-content-sha256",
    },
    "fake-gcs": {"a_broken_upload": "it stores what came of a request that was broken off"},
}


# It joins pieces in memory: for 6 GiB it took 24, and the machine killed it. As one upload it copies all that came with each piece that comes.
TOO_SMALL_FOR_LONG = {"fake-gcs": "the server keeps an object in memory several times over"}
LONG = ["--level=3", "--filter=six_gib", "--timeout=1800"]


def check(walrig, path, name, options, env=None):
    """True when the kit is content; prints what it said."""
    start = time.monotonic()
    words = [] if any(word.startswith("--level") for word in options) else ["--level=2"]
    done = subprocess.run([walrig, "plugin", "check", path, f"--name={name}", *words, *options], capture_output=True, text=True,
                          env={**os.environ, **(env or {})})
    print(f"exit {done.returncode} after {time.monotonic() - start:.1f} s\n{done.stdout}{done.stderr}", flush=True)
    return done.returncode == 0


def on_servers(walrig, path, name, wanted, long):
    """Names of the servers on which a storage fails."""
    failed = []
    for start in SERVERS[name]:
        if not wanted(f"{name}/{start.name}"):
            continue
        if long and start.name in TOO_SMALL_FOR_LONG:
            print(f"SKIPPED storage/{name} on {start.name}: {TOO_SMALL_FOR_LONG[start.name]}", flush=True)
            continue
        try:
            with start() as server:
                print(f"storage/{name} on {start.name}: ", end="", flush=True)
                if long:
                    failed += [] if check(walrig, path, name, LONG, server.env) else [f"{name}/{start.name}"]
                    continue
                left_out = NOT_OF_THE_SERVER.get(start.name, {})
                for what, why in left_out.items():
                    print(f"  left out, {what}: {why}")
                options = [f"--filter=^(?!.*({'|'.join(left_out)}))"] if left_out else []
                content = check(walrig, path, name, options, server.env)
                if start.name == "minio":  # ten pages
                    print("  ten thousand objects: ", end="", flush=True)
                    content &= check(walrig, path, name, ["--filter=every_key_is_listed_once", "--list-keys=10000", "--timeout=300"], server.env)
                if not content:
                    failed.append(f"{name}/{start.name}")
        except unittest.SkipTest:
            pass  # said aloud already
    return failed


def main():
    build = os.path.abspath(sys.argv[1])
    long = "--long" in sys.argv
    names = [name for name in sys.argv[2:] if name != "--long"]
    wanted = lambda name: not names or name in names or name.split("/")[0] in names
    walrig = os.path.join(build, "bin/walrig")
    files = sorted(f for f in glob.glob(os.path.join(build, "lib/walrig/plugins-1/*.so")) if not os.path.islink(f))
    if not files:
        print(f"no plugins in {build}")
        return 1
    failed = []
    for path in files:
        kind, _, rest = os.path.basename(path)[:-3].partition("-")
        for name in ["xz", "lzma"] if rest == "xz" else [rest]:
            if kind == "storage" and name in SERVERS:
                failed += on_servers(walrig, path, name, wanted, long)
                continue
            if not wanted(name) or long and kind != "storage":
                continue
            print(f"{kind}/{name}: ", end="", flush=True)
            with tempfile.TemporaryDirectory(prefix="walrig-conformance-", dir="/var/tmp" if long else None) as place:
                options = ["-o", f"prefix={place}"] if kind == "storage" else []
                options += LONG if long else []
                options += ["--no-checksum"] if name in NO_CHECKSUM else []
                if not check(walrig, path, name, options, CIPHER_KEYS.get(name) if kind == "cipher" else None):
                    failed.append(name)
    print("failed: " + ", ".join(failed) if failed else "all conform")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
