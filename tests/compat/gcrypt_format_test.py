#!/usr/bin/env python3
"""cipher gcrypt against an independent implementation of its format: each reads what the other wrote.

  gcrypt_format_test.py CIPHER_BENCH [--vectors]     --vectors prints those of docs/formats/gcrypt.md
"""
import os
import random
import subprocess
import sys
import tempfile
import unittest

try:
    import gcrypt_format as f
except ImportError as e:
    print(f"skipped: {e}")
    sys.exit(77)

PROGRAM = None
SIZES = [0, 1, 65535, 65536, 65537, 131072, 300_001]


def run(verb, key, data, **env):
    return subprocess.run([PROGRAM, verb, key], input=data, capture_output=True, env={**os.environ, **env}, timeout=60)


class Format(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.key = random.randbytes(32)

    def file(self, content):
        path = os.path.join(self.dir.name, f"key{len(os.listdir(self.dir.name))}")
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        return path

    def test_reads_what_walrig_writes(self):
        path = self.file(self.key)
        for algorithm in ("aes", "chacha"):
            for size in SIZES:
                plain = random.randbytes(size)
                done = run("seal", path, plain, CIPHER_BENCH_ALGORITHM=algorithm)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(f.open_(done.stdout, symmetric=self.key), plain)

    def test_walrig_reads_what_it_writes(self):
        path = self.file(self.key)
        for algorithm in (1, 2):
            for size in SIZES:
                for chunk_log in (12, 16, 20):
                    plain = random.randbytes(size)
                    sealed = f.seal(plain, [("symmetric", self.key)], algorithm, chunk_log)
                    self.assertEqual(run("open", path, sealed).stdout, plain)

    def test_recipients_both_ways(self):
        secret = random.randbytes(32)
        public = f.public_of(secret)
        reader = self.file(f.ring("x25519", f.recipient_id(public), secret))
        writer = self.file(f.ring("x25519-public", f.recipient_id(public), public))
        plain = random.randbytes(70_000)
        self.assertEqual(f.open_(run("seal", writer, plain).stdout, secret=secret), plain)
        # Several readers of one object: the first slot is for somebody else.
        sealed = f.seal(plain, [("symmetric", self.key), ("x25519", public, random.randbytes(32))])
        self.assertEqual(run("open", reader, sealed).stdout, plain)
        self.assertEqual(run("open", writer, sealed).returncode, 1)

    def test_passphrases_both_ways(self):
        plain = b"by a passphrase"
        done = run("seal", "pass:some words", plain, CIPHER_BENCH_KDF="scrypt")
        self.assertEqual(f.open_(done.stdout, passphrase=b"some words"), plain)
        sealed = f.seal(plain, [("scrypt", b"some words", random.randbytes(16), 10)])
        self.assertEqual(run("open", "pass:some words", sealed).stdout, plain)
        self.assertIn(b"passphrase", run("open", "pass:other words", sealed).stderr)

    def test_both_refuse_the_same_damage(self):
        path = self.file(self.key)
        sealed = bytearray(f.seal(random.randbytes(5000), [("symmetric", self.key)], chunk_log=12))
        for bit in random.sample(range(len(sealed) * 8), 150):
            sealed[bit // 8] ^= 1 << bit % 8
            self.assertEqual(run("open", path, bytes(sealed)).returncode, 1, bit)
            with self.assertRaises((f.Damaged, KeyError, Exception)):
                f.open_(bytes(sealed), symmetric=self.key)
            sealed[bit // 8] ^= 1 << bit % 8

    def test_vectors_of_the_format_page(self):
        page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/formats/gcrypt.md")
        with open(page, encoding="utf-8") as text:
            text = text.read()
        for name, sealed, key, plain in vectors():
            self.assertIn(sealed.hex(), text.replace("\n", ""), name)
            self.assertEqual(run("open", self.file(key), sealed).stdout, plain, name)


def vectors():
    salt, object_key, key = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))
    secret = bytes(range(96, 128))
    public = f.public_of(secret)
    yield ("symmetric, aes-256-gcm", f.seal(b"walrig", [("symmetric", key)], 1, 16, salt, object_key), key, b"walrig")
    yield ("x25519, chacha20-poly1305", f.seal(b"walrig", [("x25519", public, bytes(range(128, 160)))], 2, 16, salt, object_key),
           f.ring("x25519", f.recipient_id(public), secret), b"walrig")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    if "--vectors" in sys.argv:
        for name, sealed, _, _ in vectors():
            print(name)
            text = sealed.hex()
            print("\n".join(text[i:i + 96] for i in range(0, len(text), 96)))
        sys.exit(0)
    random.seed(int(os.environ.get("SEED", "20261123")))
    unittest.main(verbosity=1)
