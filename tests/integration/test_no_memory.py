"""Less memory than a job needs (prlimit --as): it succeeds or says so and ends with 1, nothing half is left, no library ends it.

libbrotlienc calls exit() where an allocation fails; backup-push then left its claim, and the server in backup mode.
"""
from harness import *

MIB = 1 << 20


class NoMemory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ:
            raise unittest.SkipTest("RLIMIT_AS does not go with a sanitizer")
        cls.world = w = World("no-memory")
        cls.addClassCleanup(w.close)
        w.env.pop("WALG_ZSTD_LEVEL")  # goes only with zstd
        cls.primary = Cluster(w, "primary").initdb().archive().start()
        cls.primary.sql("create table t as select g as id, md5(g::text) as v from generate_series(1, 50000) g")
        cls.primary.switch_wal()
        cls.segment = cls.primary.sql("select last_archived_wal from pg_stat_archiver")
        # The least with which the program, its libraries and its plugins come up.
        cls.least = next(n for n in range(8 * MIB, 512 * MIB, MIB) if cls.limited(n, "config", "check").code == 0)

    @classmethod
    def limited(cls, limit, *words, env=None):
        return cls.world.run(["prlimit", f"--as={limit}", cls.world.walrig_path, *words], env={**cls.primary.env, **(env or {})}, timeout=60)

    def squeeze(self, env, words, left):
        """Runs from next to no memory up to enough. `left()` lists what a failed run has left in the storage."""
        told, limit = 0, self.least
        while True:
            result = self.limited(limit, *words, env=env)
            if result.code == 0:
                break
            self.assertEqual(result.code, 1, f"{limit}: {result}")
            self.assertRegex(result.err, "ERROR: .*(memory|start a thread)", f"{limit}: {result}")
            self.assertIn("hint: ", result.err)
            self.assertEqual(left(), [], f"{limit}: {result}")
            told += "out of memory in " in result.err
            limit += limit // 12
            self.assertLess(limit, 4 << 30, result)
        return told

    def objects(self, storage):
        return [os.path.relpath(os.path.join(d, f), storage) for d, _, fs in os.walk(storage) for f in fs]

    def test_backup_push_without_memory_says_so_and_takes_back_what_it_began(self):
        told = 0
        for method in ("brotli", "zstd"):
            storage = self.world.mkdir(f"backup-{method}")
            env = {"WALG_FILE_PREFIX": storage, "WALG_COMPRESSION_METHOD": method, "WALRIG_WAL_ARCHIVE": "elsewhere"}
            told += self.squeeze(env, ("backup-push", self.primary.pgdata), lambda: self.objects(storage))
            self.primary.wait_for("select count(*) from pg_stat_activity where application_name like 'walrig%'", "0")
        self.assertGreater(told, 0)

    def test_wal_push_without_memory_says_so_and_leaves_nothing(self):
        source = self.world.mkdir("segments")
        self.world.walrig("wal-fetch", self.segment, os.path.join(source, self.segment), cluster=self.primary)
        for method in ("brotli", "lzma", "zstd"):
            storage = self.world.mkdir(f"wal-{method}")
            env = {"WALG_FILE_PREFIX": storage, "WALG_COMPRESSION_METHOD": method}
            told = self.squeeze(env, ("wal-push", os.path.join(source, self.segment)), lambda: self.objects(storage))
            self.assertGreater(told, 0, method)


if __name__ == "__main__":
    unittest.main(verbosity=2)
