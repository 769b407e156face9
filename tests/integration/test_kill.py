"""kill -9, SIGTERM and full disks at any moment: the thing is whole and verified, or visibly absent, and a re-run succeeds.

WALRIG_KILLS says how often each job is killed (default 100); WALRIG_SEED repeats a run.
"""
import random

from harness import *

KILLS = int(os.environ.get("WALRIG_KILLS", "100"))
SEED = int(os.environ.get("WALRIG_SEED", str(random.randrange(1 << 30))))


class Kill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"seed {SEED}, {KILLS} kills a job")
        cls.random = random.Random(SEED)
        cls.world = World("kill")
        cls.addClassCleanup(cls.world.close)
        cls.primary = Cluster(cls.world, "primary").initdb().archive()
        cls.primary.start()
        cls.primary.sql("create table t as select g as id, md5(g::text) as v from generate_series(1, 100000) g")

    def setUp(self):
        # Moved away at once: the server goes on archiving, and what is emptied meanwhile is never empty.
        aside = self.world.path("storage-before-" + self._testMethodName)
        os.rename(self.world.storage, aside)
        os.makedirs(self.world.storage, 0o700, exist_ok=True)
        self.world.own(self.world.storage)
        shutil.rmtree(aside, ignore_errors=True)

    def kill_at_random(self, words, longest, number=signal.SIGKILL, env=None):
        """Starts the command and kills it somewhere within `longest` seconds; returns its exit code (negative: killed)."""
        process = self.world.popen(words, env={**self.primary.env, **(env or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return process.wait(timeout=self.random.random() * longest)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            return process.wait(timeout=30)

    def backups(self):
        return [b["backup_name"] for b in json.loads(self.world.walrig("backup-list", "--json").out)]

    def push(self, **more):
        return self.world.walrig("backup-push", self.primary.pgdata, cluster=self.primary, **more)

    def objects(self):
        return [os.path.join(d, f) for d, _, fs in os.walk(self.world.storage) for f in fs]

    def test_killed_backup_push_leaves_a_whole_backup_or_none(self):
        whole = self.push().seconds
        killed = 0
        for _ in range(KILLS):
            before = set(self.backups())
            killed += self.kill_at_random([self.world.walrig_path, "backup-push", self.primary.pgdata], whole * 1.1) < 0
            for name in set(self.backups()) - before:
                self.world.walrig("backup-verify", name)
        self.assertGreater(killed, KILLS // 10, "hardly any run was killed in time")
        # A session that ended takes the server out of backup mode by itself; nothing may hold it there.
        self.primary.wait_for("select count(*) from pg_stat_activity where application_name like 'walrig%'", "0")
        self.primary.sql("checkpoint")
        before = set(self.backups())
        self.push()
        (name,) = set(self.backups()) - before
        self.world.walrig("backup-verify", name)

    def test_killed_backup_fetch_cannot_be_started_and_can_be_repeated(self):
        whole_before = self.world.path("fetch-whole")
        self.push()
        self.primary.switch_wal()
        seconds = self.world.walrig("backup-fetch", whole_before, "LATEST").seconds
        killed = started = 0
        for i in range(KILLS):
            target = self.world.path(f"fetch-{i}")
            code = self.kill_at_random([self.world.walrig_path, "backup-fetch", target, "LATEST"], seconds * 1.1)
            killed += code < 0
            if code < 0 and os.path.exists(target):
                if os.path.exists(os.path.join(target, "global/pg_control")):
                    # pg_control is the last thing: with it, everything must be there.
                    self.assertEqual(self.world.run([f"{TOOLS}/pg_verifybackup", "-n", target]).code, 0, "pg_control stands in half a restore")
                elif started < 5 and os.path.exists(os.path.join(target, "PG_VERSION")):
                    started += 1
                    done = self.world.run([f"{PG_BIN}/postgres", "-D", target, "-p", "1"], timeout=30)
                    self.assertNotEqual(done.code, 0, "PostgreSQL started on half a restore")
            elif code == 0:
                self.assertEqual(self.world.run([f"{TOOLS}/pg_verifybackup", "-n", target]).code, 0)
            shutil.rmtree(target, ignore_errors=True)
            if code < 0 and i % 20 == 0:
                self.world.walrig("backup-fetch", target, "LATEST")
                self.assertEqual(self.world.run([f"{TOOLS}/pg_verifybackup", "-n", target]).code, 0)
                shutil.rmtree(target)
        self.assertGreater(killed, KILLS // 10, "hardly any run was killed in time")

    def segment(self):
        directory = os.path.join(self.primary.pgdata, "pg_wal")
        name = sorted(n for n in os.listdir(directory) if len(n) == 24)[0]
        copy = self.world.path(name)
        if not os.path.exists(copy):
            self.world.run(["cp", os.path.join(directory, name), copy], check=True)
        return name, copy

    def test_killed_wal_push_leaves_a_whole_segment_or_none(self):
        self.primary.sql("insert into t select g, md5(g::text) from generate_series(1, 200000) g")
        name, path = self.segment()
        env = {"WALG_PREVENT_WAL_OVERWRITE": "true"}
        shutil.rmtree(self.world.path("walg_data"), ignore_errors=True)  # the note of a marker that another test deleted
        seconds = self.world.walrig("wal-push", path, env=env).seconds
        with open(path, "rb") as f:
            want = f.read()
        killed = 0
        for _ in range(KILLS):
            for stored in self.objects():
                if not stored.endswith("walrig.archive"):  # without it an empty place is no archive
                    os.unlink(stored)
            killed += self.kill_at_random([self.world.walrig_path, "wal-push", path], seconds * 1.2, env=env) < 0
            fetched = self.world.path("fetched")
            code = self.world.walrig("wal-fetch", name, fetched, check=False).code
            self.assertIn(code, (0, 74))
            if code == 0:
                with open(fetched, "rb") as f:
                    self.assertEqual(f.read() == want, True, "half a segment in the archive")
                os.unlink(fetched)
            else:
                self.assertFalse(os.path.exists(fetched))
            self.world.walrig("wal-push", path, env=env)  # a re-run always succeeds
        self.assertGreater(killed, KILLS // 10, "hardly any run was killed in time")

    def test_killed_wal_fetch_leaves_no_destination(self):
        name, path = self.segment()
        self.world.walrig("wal-push", path)
        into = self.world.mkdir("fetched-into")
        target = os.path.join(into, "RECOVERYXLOG")
        seconds = self.world.walrig("wal-fetch", name, target).seconds
        for _ in range(KILLS):
            if os.path.exists(target):
                os.unlink(target)
            self.kill_at_random([self.world.walrig_path, "wal-fetch", name, target], seconds * 1.1)
            if os.path.exists(target):
                self.assertEqual(self.world.run(["cmp", path, target]).code, 0, "half a segment at the destination")
            # A file system without unnamed files keeps what was begun; the tests' have them.
            self.assertLessEqual(set(os.listdir(into)), {"RECOVERYXLOG"}, "a beginning of a segment stays for ever")

    def test_sigterm_and_sigint_clean_up_within_seconds(self):
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
            before = self.backups()
            process = self.world.popen([self.world.walrig_path, "backup-push", self.primary.pgdata],
                                       env={**self.primary.env, "WALG_DISK_RATE_LIMIT": "4000000"}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            wait_until(lambda: any("tar_partitions" in o for o in self.objects()), what="an object of the backup")
            start = time.monotonic()
            process.send_signal(number)
            _, err = process.communicate(timeout=30)
            self.assertLess(time.monotonic() - start, 10)
            self.assertEqual(process.returncode, code, err)
            self.assertEqual(self.backups(), before)
            self.assertEqual([o for o in self.objects() if "basebackups_005" in o], [], "uploaded objects were left")
            self.primary.wait_for("select count(*) from pg_stat_activity where application_name like 'walrig%'", "0")

    def test_full_disk_is_said_and_leaves_no_backup(self):
        if not ROOT:
            print("SKIPPED full disk: mounting a small tmpfs needs root")
            return
        small = self.world.mkdir("small")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0777", "tmpfs", small], capture_output=True).returncode:
            print("SKIPPED full disk: tmpfs cannot be mounted here")
            return
        try:
            done = self.push(env={"WALG_FILE_PREFIX": small, "WALRIG_WAL_ARCHIVE": "elsewhere"}, check=False)
            self.assertEqual(done.code, 1, done)
            self.assertIn("no space left", done.err.lower())
            self.assertEqual([f for _, _, fs in os.walk(small) for f in fs if "sentinel" in f], [])
            self.push()
            os.mkdir(os.path.join(small, "in"), 0o777)
            os.chmod(os.path.join(small, "in"), 0o777)
            target = os.path.join(small, "in", "data")
            done = self.world.walrig("backup-fetch", target, "LATEST", check=False)
            self.assertEqual(done.code, 1, done)
            self.assertIn("the backup needs", done.err)  # refused before anything is written
            self.assertFalse(os.path.exists(os.path.join(target, "global/pg_control")))
        finally:
            subprocess.run(["umount", small], check=True)

    def test_read_only_storage_is_said(self):
        self.push()
        name, path = self.segment()
        for directory, _, _ in os.walk(self.world.storage):
            os.chmod(directory, 0o500)
        try:
            done = self.push(check=False)
            self.assertEqual(done.code, 1, done)
            self.assertIn("permission denied", done.err.lower())
            self.world.walrig("backup-verify", "LATEST")
            done = self.world.walrig("wal-push", path, check=False)
            self.assertEqual(done.code, 1, done)
        finally:
            for directory, _, _ in os.walk(self.world.storage):
                os.chmod(directory, 0o700)


if __name__ == "__main__":
    unittest.main(verbosity=2)
