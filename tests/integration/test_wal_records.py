"""WAL of a real server, record by record: healthy WAL passes whatever happened to the server, damaged WAL ends no recovery early."""
import threading

from harness import *

CRASHES = 4


class WalRecords(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = w = World("wal-records")
        cls.addClassCleanup(w.close)
        w.env.update(WALG_COMPRESSION_METHOD="none")  # like brotli it keeps no checksum, and it can be damaged in place
        w.env.pop("WALG_ZSTD_LEVEL")
        cls.primary = p = Cluster(w, "primary").initdb(wal_segsize=1).archive()
        p.configure(max_wal_size="4MB", min_wal_size="2MB", synchronous_commit="off", wal_level="logical")
        p.start()
        p.sql("create table t (id int, v text)")
        w.walrig("backup-push", p.pgdata, cluster=p)
        cls.backup = json.loads(w.walrig("backup-list", "--json").out)[0]["backup_name"]

    def crash(self):
        """Under a load whose records are longer than pages, so that they are cut off in their middle."""
        done = threading.Event()

        def load():
            while not done.is_set():
                self.primary.sql("insert into t select g, repeat(md5(g::text), 10) from generate_series(1, 500) g;"
                                 "select pg_logical_emit_message(false, 'walrig', repeat('x', 1 + (random() * 300000)::int))", check=False)

        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(0.7)
        self.world.run([f"{PG_BIN}/pg_ctl", "-D", self.primary.pgdata, "-m", "immediate", "-w", "stop"])
        done.set()
        for thread in threads:
            thread.join()
        self.primary.start()

    def stored(self):
        folder = os.path.join(self.world.storage, "wal_005")
        return sorted(os.path.join(folder, name) for name in os.listdir(folder) if len(name) == 24)

    def fetch(self, name, **more):
        target = self.world.path("fetched")
        if os.path.exists(target):
            os.unlink(target)
        done = self.world.walrig("wal-fetch", name, target, env=more, check=False)
        return done, os.path.exists(target)

    def test_1_wal_of_a_server_that_crashed_passes(self):
        for _ in range(CRASHES):
            self.crash()
        p, w = self.primary, self.world
        done = {}
        # Records cross the borders of its segments.
        thread = threading.Thread(target=lambda: done.update(push=w.walrig("backup-push", p.pgdata, cluster=p, check=False)))
        thread.start()
        for _ in range(5):
            p.sql("select pg_logical_emit_message(false, 'walrig', repeat('y', 700000))")
        thread.join()
        self.assertEqual(done["push"].code, 0, done["push"])
        p.switch_wal()
        self.assertGreater(len(self.stored()), 10)
        for path in self.stored():
            fetched, there = self.fetch(os.path.basename(path))
            self.assertTrue(fetched.code == 0 and there, fetched)
            self.assertNotIn("WARNING", fetched.err)
        self.assertNotRegex(p.server_log(), "damaged at|ends at .*before the segment")
        verified = w.walrig("backup-verify", "LATEST")
        self.assertRegex(verified.out, r"checked: .*WAL\)")
        self.assertNotIn("not checked: WAL", verified.out)

    def damaged(self):
        """A stored segment that is changed in its middle; put right afterwards."""
        for path in self.stored():
            with open(path, "rb") as f:
                whole = f.read()
            if os.path.basename(path) > self.backup[5:] and any(whole[500000:500100]):
                break

        def put(content):
            with open(path, "wb") as f:
                f.write(content)

        self.addCleanup(put, whole)
        # More bytes than may lie between two records.
        put(whole[:400000] + bytes(byte ^ 1 for byte in whole[400000:400008]) + whole[400008:])
        return os.path.basename(path)

    def test_2_a_flipped_bit_ends_no_recovery(self):
        p, w = self.primary, self.world
        for _ in range(3):
            p.sql("insert into t select g, repeat(md5(g::text), 10) from generate_series(1, 10000) g")
        p.switch_wal()
        name = self.damaged()
        done, there = self.fetch(name)
        self.assertNotIn(done.code, (0, 74), done)
        self.assertIn("the WAL in it is damaged at", done.err)
        self.assertFalse(there)
        target = w.path("restored")
        w.env["WALRIG_RESTORE_PATIENCE"] = "1s"
        self.addCleanup(w.env.pop, "WALRIG_RESTORE_PATIENCE")
        w.walrig("backup-fetch", target, self.backup, "--recovery-target-timeline", "latest", "--target-action", "promote")
        restored = Cluster(w, "restored", target)
        restored.configure(archive_mode="off")
        restored.start(wait=False)
        wait_until(lambda: "the WAL in it is damaged at" in restored.server_log(), what="the damage in the server's log")
        wait_until(lambda: not os.path.exists(os.path.join(target, "postmaster.pid")), what="the end of the server")
        log = restored.server_log()
        self.assertNotIn("database system is ready to accept connections", log)

    def test_3_backup_verify_tells_damage_from_trouble(self):
        p, w = self.primary, self.world
        w.walrig("backup-push", p.pgdata, cluster=p)
        p.switch_wal()
        start = json.loads(w.walrig("backup-list", "--json").out)[-1]["wal_file_name"]
        path = os.path.join(w.storage, "wal_005", start)
        with open(path, "rb") as f:
            whole = f.read()
        for content in (whole[:200] + bytes([whole[200] ^ 1]) + whole[201:], whole[:5000], b"", whole[:40] + os.urandom(len(whole) - 40)):
            with open(path, "wb") as f:
                f.write(content)
            verified = w.walrig("backup-verify", "LATEST", check=False)
            self.assertEqual(verified.code, 3, verified)
            self.assertIn(start, verified.out)
        with open(path, "wb") as f:
            f.write(whole)
        self.assertEqual(w.walrig("backup-verify", "LATEST").code, 0)
        folder = os.path.dirname(path)
        os.chmod(folder, 0)
        try:
            verified = w.walrig("backup-verify", "LATEST", check=False)
        finally:
            os.chmod(folder, 0o700)
        self.assertEqual(verified.code, 1, verified)
        self.assertIn("ermission denied", verified.err)
        self.assertNotIn("DAMAGED", verified.out)

    def test_4_an_empty_mount_point_is_no_archive_that_lacks_a_file(self):
        mount = self.world.mkdir("mount")
        for name in ("00000007.history", "000000010000000000000001"):
            done, there = self.fetch(name, WALG_FILE_PREFIX=mount)
            self.assertNotIn(done.code, (0, 74), done)
            self.assertIn("is its file system mounted", done.err)
        done, _ = self.fetch("00000007.history")
        self.assertEqual(done.code, 74, done)
        self.assertTrue(os.path.exists(os.path.join(self.world.storage, "wal_005/walrig.archive")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
