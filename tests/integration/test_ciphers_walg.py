"""PostgreSQL is backed up, archived, verified and restored with the ciphers of WAL-G, in each compression; and fails safely."""
from harness import *

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/walg")
SODIUM_KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"


class CiphersWalg(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World("ciphers-walg")
        cls.addClassCleanup(cls.world.close)
        cls.key = cls.copy_key("openpgp-ed25519/key.asc", "key.asc")
        cls.other_key = cls.copy_key("openpgp-ring/key2.asc", "other.asc")
        cls.ciphers = {
            "libsodium": {"WALG_LIBSODIUM_KEY": SODIUM_KEY, "WALG_LIBSODIUM_KEY_TRANSFORM": "hex"},
            "openpgp": {"WALG_PGP_KEY_PATH": cls.key},
        }

    @classmethod
    def copy_key(cls, source, name):
        path = cls.world.path(name)
        shutil.copy(os.path.join(DATA, source), path)
        os.chmod(path, 0o600)
        cls.world.own(path)
        return path

    def round_trip(self, cipher, method):
        w, name = self.world, f"{cipher}-{method}"
        storage = w.mkdir("storage-" + name)
        env = {"WALG_FILE_PREFIX": storage, "WALG_COMPRESSION_METHOD": method, **self.ciphers[cipher]}
        if method != "zstd":
            env["WALG_ZSTD_LEVEL"] = ""
        # The archive_command inherits the server's environment, and so the settings.
        before = dict(w.env)
        w.env.update(env)
        w.env.pop("WALG_ZSTD_LEVEL", None)
        try:
            c = Cluster(w, "server-" + name).initdb().archive().start()
            self.addCleanup(c.stop, "immediate")
            c.sql("create table t as select g as id, md5(g::text) as v from generate_series(1, 30000) g")
            w.walrig("backup-push", c.pgdata, cluster=c)
            c.sql("insert into t select g, 'later' from generate_series(30001, 30100) g")
            c.switch_wal()
            digest = c.sql("select count(*), md5(string_agg(id || v, ',' order by id)) from t")
            w.walrig("backup-verify", "LATEST")
            self.check_nothing_is_plain(storage, method)
            pgdata = w.path("restored-" + name)
            w.walrig("backup-fetch", pgdata, "LATEST", "--target-action", "promote")
            r = Cluster(w, "restored-" + name, pgdata)
            r.configure(archive_mode="off")
            r.start()
            self.addCleanup(r.stop, "immediate")
            r.wait_for("select pg_is_in_recovery()", "f")
            self.assertEqual(r.sql("select count(*), md5(string_agg(id || v, ',' order by id)) from t"), digest)
            self.check_refusals(storage, cipher, name)
        finally:
            w.env.clear()
            w.env.update(before)

    def objects(self, storage):
        return sorted(os.path.join(directory, name) for directory, _, names in os.walk(storage) for name in names
                      if name.endswith((".zst", ".lz4")))

    def check_nothing_is_plain(self, storage, method):
        magic = {"zstd": b"\x28\xb5\x2f\xfd", "lz4": b"\x04\x22\x4d\x18"}[method]
        objects = self.objects(storage)
        self.assertGreater(len(objects), 4)
        for path in objects:
            with open(path, "rb") as f:
                self.assertNotEqual(f.read(4), magic, path)

    def check_refusals(self, storage, cipher, name):
        """No file that looks whole is left by another key, a flipped byte or a missing end."""
        w = self.world
        segment = [path for path in self.objects(os.path.join(storage, "wal_005")) if len(os.path.basename(path)) == 28][0]
        part = [path for path in self.objects(storage) if "part_" in path][0]
        other = {"libsodium": {"WALG_LIBSODIUM_KEY": SODIUM_KEY[::-1]}, "openpgp": {"WALG_PGP_KEY_PATH": self.other_key}}[cipher]
        for index, (what, env, damage) in enumerate((("another key", other, None), ("the last byte", {}, -1), ("a byte in the middle", {}, 0.5),
                                                     ("the end", {}, "cut"))):
            with self.subTest(name, what=what):
                for path in (segment, part):
                    with open(path, "rb") as f:
                        whole = f.read()
                    if damage == "cut":
                        # On a border between two messages of libsodium; anywhere for OpenPGP.
                        changed = whole[:24 + (len(whole) - 25) // 8209 * 8209]
                    elif damage is not None:
                        at = len(whole) - 1 if damage == -1 else int(len(whole) * damage)
                        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]
                    else:
                        changed = whole
                    try:
                        with open(path, "wb") as f:
                            f.write(changed)
                        target = w.path(f"refused-{name}-{index}")
                        if path is segment:
                            done = w.walrig("wal-fetch", os.path.basename(path)[:24], target, env=env, check=False)
                            self.assertFalse(os.path.exists(target), done)
                        else:
                            done = w.walrig("backup-fetch", target, "LATEST", env=env, check=False)
                            self.assertFalse(os.path.exists(os.path.join(target, "global/pg_control")), done)
                            verified = w.walrig("backup-verify", "LATEST", env=env, check=False)
                            self.assertNotEqual(verified.code, 0, verified)
                        self.assertEqual(done.code, 126 if path is segment else 1, done)
                        # Behind the cipher the decompressor may see damage of a large object first, before it a wrong size is seen.
                        if path is segment and damage != 0.5:
                            self.assertIn(cipher + ":", done.err)
                        if what == "another key" and cipher == "openpgp":
                            self.assertIn("617ECB478D9EEFB6", done.err)
                    finally:
                        with open(path, "wb") as f:
                            f.write(whole)

    def test_libsodium_with_zstd(self):
        self.round_trip("libsodium", "zstd")

    def test_libsodium_with_lz4(self):
        self.round_trip("libsodium", "lz4")

    def test_openpgp_with_zstd(self):
        self.round_trip("openpgp", "zstd")

    def test_openpgp_with_lz4(self):
        self.round_trip("openpgp", "lz4")

    def test_gnupg_reads_a_segment_that_we_wrote(self):
        w = self.world
        if not shutil.which("gpg") or not shutil.which("zstd"):
            skipped("gpg", "no gpg or no zstd on this host")
            return
        home, source = w.mkdir("gnupg"), w.mkdir("wal")
        storage = w.mkdir("storage-gnupg")
        name = "000000010000000000000033"
        env = {"WALG_FILE_PREFIX": storage, **self.ciphers["openpgp"], "WALG_PG_WAL_SIZE": "1"}
        fetched = {"WALG_FILE_PREFIX": os.path.join(w.path("walg"), "storage"), **self.ciphers["openpgp"], "WALG_PG_WAL_SIZE": "1"}
        shutil.copytree(os.path.join(DATA, "openpgp-ed25519"), w.path("walg"))
        w.run(["true"], check=True)
        w.walrig("wal-fetch", name, os.path.join(source, name), env=fetched)
        w.walrig("wal-push", os.path.join(source, name), env=env)
        stored = os.path.join(storage, "wal_005", name + ".zst")
        gnupg = {"GNUPGHOME": home}
        try:
            w.run(["gpg", "--batch", "-q", "--import", self.key], env=gnupg, check=True)
            plain = os.path.join(home, "plain.zst")
            w.run(["gpg", "--batch", "-q", "-o", plain, "-d", stored], env=gnupg, check=True)
            w.run(["zstd", "-q", "-d", plain, "-o", plain + ".wal"], check=True)
            w.run(["cmp", plain + ".wal", os.path.join(source, name)], check=True)
        finally:
            w.run(["gpgconf", "--kill", "all"], env=gnupg)

    def test_the_library_of_walg_reads_what_we_write_and_the_other_way(self):
        w = self.world
        go = shutil.which("go")
        if go is None:
            self.skipTest("SKIPPED openpgp_go: no go on this host; what WAL-G's own library says of our objects is not asked")
        tool, cache = w.path("openpgp_go"), w.mkdir("go")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../compat/openpgp_go")
        environment = {**os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
        built = subprocess.run([go, "build", "-o", tool, "."], cwd=source, env=environment, capture_output=True, text=True, timeout=300)
        if built.returncode and "dial tcp" in built.stderr:
            self.skipTest("SKIPPED openpgp_go: its modules cannot be fetched")
        self.assertEqual(built.returncode, 0, built.stderr)
        name, storage = "000000010000000000000033", w.mkdir("storage-go")
        env = {"WALG_FILE_PREFIX": storage, **self.ciphers["openpgp"], "WALG_PG_WAL_SIZE": "1", "WALG_COMPRESSION_METHOD": "lz4"}
        segment = os.path.join(cache, name)
        w.walrig("wal-fetch", name, segment, env={**env, "WALG_FILE_PREFIX": self.walg_storage(), "WALG_COMPRESSION_METHOD": "zstd"})
        before = w.env.pop("WALG_ZSTD_LEVEL")
        try:
            w.walrig("wal-push", segment, env=env)
        finally:
            w.env["WALG_ZSTD_LEVEL"] = before
        stored = os.path.join(storage, "wal_005", name + ".lz4")
        with open(stored, "rb") as f:
            plain = subprocess.run([tool, self.key], stdin=f, capture_output=True, timeout=60)
        self.assertEqual((plain.returncode, plain.stderr), (0, b""))
        self.assertEqual(plain.stdout[:4], b"\x04\x22\x4d\x18")
        sealed = subprocess.run([tool, self.key, "encrypt"], input=plain.stdout, capture_output=True, timeout=60, check=True).stdout
        with open(stored, "wb") as f:
            f.write(sealed)
        w.walrig("wal-fetch", name, segment + ".back", env=env)
        w.run(["cmp", segment, segment + ".back"], check=True)

    def walg_storage(self):
        place = self.world.path("walg-go")
        if not os.path.exists(place):
            shutil.copytree(os.path.join(DATA, "openpgp-ed25519"), place)
        return os.path.join(place, "storage")


if __name__ == "__main__":
    unittest.main(verbosity=2)
