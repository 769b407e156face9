"""A disk that answers EIO, once, to a read, a write or an fsync: a clear error, nothing visible left, no luck by asking again.

The failure comes from a preloaded library (eio_shim.c): a disk that fails at a wanted call cannot be had.
"""
from harness import *
from harness import BUILD

SHIM = os.path.join(os.path.abspath(BUILD), "tests/integration/eio_shim.so")


class Eio(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = w = World("eio")
        cls.addClassCleanup(w.close)
        cls.shim = os.path.join(w.dir, "eio_shim.so")
        shutil.copy(SHIM, cls.shim)
        cls.primary = Cluster(w, "primary").initdb().archive().start()
        cls.primary.sql("create table t as select g as id, md5(g::text) as v from generate_series(1, 50000) g")
        cls.relation = cls.primary.sql("select pg_relation_filepath('t')")
        cls.primary.switch_wal()
        cls.segment = cls.primary.sql("select last_archived_wal from pg_stat_archiver")

    def setUp(self):
        # A storage of its own, which the server's archive_command does not write to.
        self.storage = self.world.mkdir(f"storage-{self._testMethodName}")

    def failing(self, call, pattern, *words, nth=1, code=1, **more):
        """Runs walrig with the `nth` such call on files of a pattern failing, and checks that it was made and told of."""
        log = self.world.path("calls")
        if os.path.exists(log):
            os.unlink(log)
        env = {"LD_PRELOAD": self.shim, "EIO_CALL": call, "EIO_PATH": pattern, "EIO_NTH": str(nth), "EIO_LOG": log,
               "ASAN_OPTIONS": "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")}
        result = self.walrig(*words, env=env, check=False, **more)
        self.assertTrue(os.path.exists(log), f"no such call was made: {result}")
        self.assertEqual(result.code, code, result)
        self.assertIn("input/output error", result.err)
        self.assertRegex(result.err, "hint: .*kernel's log")
        return result

    def walrig(self, *words, env=None, **more):
        return self.world.walrig(*words, cluster=self.primary, env={"WALG_FILE_PREFIX": self.storage, "WALRIG_WAL_ARCHIVE": "elsewhere", **(env or {})}, **more)

    def objects(self):
        return [os.path.relpath(os.path.join(d, f), self.storage) for d, _, fs in os.walk(self.storage) for f in fs if f != "walrig.archive"]

    def push(self):
        return self.walrig("backup-push", self.primary.pgdata)

    def expect_no_trace(self):
        """Nothing is stored, the server is in no backup, and the same again succeeds."""
        self.assertEqual(self.objects(), [])
        self.primary.wait_for("select count(*) from pg_stat_activity where application_name like 'walrig%'", "0")
        self.push()

    def test_backup_push_names_the_file_that_cannot_be_read(self):
        result = self.failing("read", "*/" + self.relation, "backup-push", self.primary.pgdata, nth=3)
        self.assertIn(self.relation, result.err)
        self.expect_no_trace()

    def test_backup_push_withdraws_everything_when_an_object_cannot_be_synced(self):
        for pattern in ("*/part_*.tar.zst.tmp.*", "*/walrig.json.tmp.*", "*/base_*_backup_stop_sentinel.json.tmp.*",
                        self.storage + "/basebackups_005/base_*/tar_partitions"):
            with self.subTest(pattern):
                self.failing("fsync", pattern, "backup-push", self.primary.pgdata)
                self.assertEqual(self.objects(), [])
        self.expect_no_trace()

    def test_backup_push_withdraws_everything_when_a_part_cannot_be_written(self):
        result = self.failing("write", "*/part_*.tar.zst.tmp.*", "backup-push", self.primary.pgdata, nth=2)
        self.assertIn(".tar.zst", result.err)
        self.expect_no_trace()

    def wal(self):
        """An archived segment, as PostgreSQL would hand it to archive_command."""
        path = self.world.path(self.segment)
        if not os.path.exists(path):
            self.world.walrig("wal-fetch", self.segment, path)
        return path

    def test_wal_push_is_not_done_before_file_and_folder_are_synced(self):
        # A sync that failed may succeed when it is asked for again, although the bytes are lost: it must not be asked.
        path = self.wal()
        for call, pattern in (("read", path), ("write", f"*/{self.segment}.zst.tmp.*"), ("fsync", f"*/{self.segment}.zst.tmp.*"),
                              ("fsync", self.storage + "/wal_005"), ("fsync", self.storage)):
            with self.subTest(call=call, pattern=pattern):
                result = self.failing(call, pattern, "wal-push", path)
                self.assertRegex(result.err, f"{self.segment}|folder of wal_005")
                self.assertEqual(self.objects(), [])
                shutil.rmtree(self.storage + "/wal_005", ignore_errors=True)
        self.walrig("wal-push", path)
        self.assertEqual(self.objects(), [f"wal_005/{self.segment}.zst"])

    def test_folder_whose_making_could_not_be_synced_is_made_again(self):
        path = self.wal()
        self.failing("fsync", self.storage, "wal-push", path)
        self.assertEqual(os.listdir(self.storage), [])

    def test_object_that_replaces_another_is_left_when_its_folder_cannot_be_synced(self):
        path = self.wal()
        self.walrig("wal-push", path)
        self.failing("fsync", self.storage + "/wal_005", "wal-push", path)
        self.assertEqual(self.objects(), [f"wal_005/{self.segment}.zst"])

    def test_wal_fetch_of_an_object_that_cannot_be_read_is_an_error_and_no_absence(self):
        self.walrig("wal-push", self.wal())
        to = self.world.path("fetched")
        result = self.failing("read", f"*/{self.segment}.zst", "wal-fetch", self.segment, to, code=126)
        self.assertIn(self.segment, result.err)
        self.assertFalse(os.path.exists(to))

    def test_restore_that_meets_an_error_cannot_be_started(self):
        self.push()
        for number, (call, pattern) in enumerate((("read", self.storage + "/*/part_*.tar.zst"), ("write", "*/" + self.relation),
                                                  ("fsync", "*/" + self.relation), ("fsync", "*/global"))):
            with self.subTest(call=call, pattern=pattern):
                target = self.world.path(f"restored-{number}")
                self.failing(call, pattern, "backup-fetch", target, "LATEST")
                self.assertFalse(os.path.exists(target + "/global/pg_control"))


if __name__ == "__main__":
    unittest.main()
