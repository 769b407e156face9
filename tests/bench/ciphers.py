#!/usr/bin/env python3
"""Each cipher beside openssl and gpg, in one run: one table.

  ciphers.py --build BUILD_DIR [--size 1G] [--rounds 3]

A file of random bytes is encrypted into another and decrypted again, all in /dev/shm: by `walrig st put` and `st get` with
each cipher and with none, by `openssl enc -aes-256-ctr` (which authenticates nothing) and by `gpg --symmetric` (AES-256,
no compression). The first round warms up; medians of the rest, tools taking turns. Then cipher_bench's own table: cipher
gcrypt beside libgcrypt's AES-256-GCM on blocks of 64 KiB, without files.
"""
import argparse
import filecmp
import os
import shutil
import statistics
import subprocess
import tempfile

from storages import bytes_of, measure

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(os.path.dirname(HERE), "data/walg")
KEYS = {
    "none": {},
    "gcrypt": {"WALRIG_GCRYPT_KEY": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"},
    "libsodium": {"WALG_LIBSODIUM_KEY_PATH": f"{DATA}/libsodium-key-path/libsodium.key"},
    "openpgp": {"WALG_PGP_KEY_PATH": f"{DATA}/openpgp-ed25519/key.asc"},
}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", required=True)
    p.add_argument("--size", type=bytes_of, default=bytes_of("1G"))
    p.add_argument("--rounds", type=int, default=3)
    a = p.parse_args()
    place = tempfile.mkdtemp(prefix="walrig-ciphers-", dir="/dev/shm")
    try:
        run(a, place)
    finally:
        subprocess.run(["gpgconf", "--homedir", place, "--kill", "all"], capture_output=True)
        shutil.rmtree(place, ignore_errors=True)
    own = os.path.join(a.build, "tests/cipher_bench")
    if os.path.exists(own):
        subprocess.run([own, "bench", "512"], check=True)
    else:
        print(f"note: no {own}: libgcrypt alone is not measured (build the tests)")


def run(a, place):
    path = lambda name: os.path.join(place, name)
    plain, sealed, back, word, store = path("plain"), path("sealed"), path("back"), path("word"), path("store")
    os.mkdir(store)
    with open(plain, "wb") as f:
        for _ in range(a.size >> 20):
            f.write(os.urandom(1 << 20))
    with open(word, "w") as f:
        f.write("a passphrase\n")
    env = {"PATH": "/usr/bin:/bin", "HOME": place, "GNUPGHOME": place, "LC_ALL": "C.UTF-8", "WALRIG_PLUGIN_TRUST": "any", "WALG_FILE_PREFIX": store}
    walrig = os.path.join(a.build, "bin/walrig")
    tools = {}
    for name, keys in KEYS.items():
        tools[f"walrig, {name}"] = ([walrig, "st", "put", "--force", "--no-compress", plain, "object"],
                                    [walrig, "st", "get", "--no-decompress", "object", back], {**env, **keys})
    gpg = ["gpg", "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase-file", word]
    tools["gpg --symmetric"] = (gpg + ["--symmetric", "--cipher-algo", "AES256", "--compress-algo", "none", "-o", sealed, plain],
                                gpg + ["-o", back, "--decrypt", sealed], env)
    openssl = ["openssl", "enc", "-aes-256-ctr", "-pbkdf2", "-pass", f"file:{word}"]
    tools["openssl enc"] = (openssl + ["-in", plain, "-out", sealed], openssl + ["-d", "-in", sealed, "-out", back], env)

    taken = {name: ([], []) for name in tools}
    for round_number in range(a.rounds + 1):
        for name, (seal, unseal, settings) in tools.items():
            for way, words in enumerate((seal, unseal)):
                # What was written before goes first: memory that was never used costs a virtual machine more.
                for old in [back] if way else [sealed, os.path.join(store, "object")]:
                    if os.path.exists(old):
                        os.unlink(old)
                wall, cpu, rss = measure(words, settings, place)
                if round_number:
                    taken[name][way].append((wall, cpu, rss))
            if not filecmp.cmp(plain, back, shallow=False):
                raise RuntimeError(f"{name} gave back something else")
    gib = a.size / (1 << 30)
    print(f"{gib:.2f} GiB, medians of {a.rounds} rounds, {os.cpu_count()} cores, /dev/shm to /dev/shm")
    print(f"{'tool':20} {'seal: wall s':>12} {'CPU s/GiB':>10} {'open: wall s':>13} {'CPU s/GiB':>10}")
    for name, ways in taken.items():
        columns = [(statistics.median(one[0] for one in way), statistics.median(one[1] for one in way) / gib) for way in ways]
        print(f"{name:20} {columns[0][0]:12.2f} {columns[0][1]:10.2f} {columns[1][0]:13.2f} {columns[1][1]:10.2f}")


if __name__ == "__main__":
    main()
