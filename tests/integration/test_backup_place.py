"""What backup-push refuses before an hour of copying: an archiver that fails, WAL that goes elsewhere, another cluster's
storage, a storage inside the cluster. And what it leaves out, and what a killed run leaves.
"""
from harness import *


class BackupPlace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = w = World("place")
        cls.addClassCleanup(w.close)
        cls.primary = Cluster(w, "primary").initdb(wal_segsize=1).archive()
        cls.ours = cls.primary.world.walrig_path
        cls.primary.start()
        cls.primary.sql("create table t as select g as id, md5(g::text) as v from generate_series(1, 20000) g")

    def archive_with(self, command):
        """Another archive_command, until the test is over; what waits then is archived before the next test begins."""
        p = self.primary
        def back():
            p.sql("alter system reset archive_command")
            p.sql("select pg_reload_conf()")
            p.sql("select pg_switch_wal()")
            p.wait_for("select count(*) from pg_ls_archive_statusdir() where name like '%.ready'", "0", 90)
        self.addCleanup(back)
        p.sql(f"alter system set archive_command = '{command}'")
        p.sql("select pg_reload_conf()")

    def push(self, storage=None, check=True, cluster=None, **env):
        c = cluster or self.primary
        return self.world.walrig("backup-push", c.pgdata, cluster=c, check=check, env={**({"WALG_FILE_PREFIX": storage} if storage else {}), **env})

    def backups(self, **env):
        return [b["backup_name"] for b in json.loads(self.world.walrig("backup-list", "--json", env=env).out)]

    def refused(self, result, *words):
        self.assertEqual(result.code, 1, result)
        for word in words:
            self.assertIn(word, result.err)
        self.assertEqual([o for d, _, fs in os.walk(self.world.storage) for o in fs if "part_" in o and "base_" in d and d not in self.kept], [])
        self.primary.wait_for("select count(*) from pg_stat_activity where application_name like 'walrig%'", "0")

    def setUp(self):
        self.kept = {d for d, _, _ in os.walk(self.world.storage)}

    def test_an_archiver_that_fails_already_ends_the_backup_before_it_copies(self):
        self.archive_with("false")
        self.primary.sql("insert into t select 0, 'x'")
        self.primary.sql("select pg_switch_wal()")
        self.primary.wait_for("select failed_count > 0 from pg_stat_archiver", "t")
        self.primary.sql("insert into t select 0, 'x'")  # else the backup begins without a new segment, and the archiver sleeps for a minute
        result = self.push(check=False)
        self.refused(result, "the server's archiver fails", "the last failure")
        self.assertLess(result.seconds, 30)

    def test_an_archive_command_that_is_not_found_is_seen_although_no_counter_moves(self):
        failed = "select failed_count from pg_stat_archiver"
        before = self.primary.sql(failed)
        self.archive_with("/nonexistent/walrig wal-push %p")  # the shell ends with 127
        self.refused(self.push(check=False, WALG_STOP_BACKUP_TIMEOUT="5s"), "the server's archiver fails", "126 and above")
        self.assertEqual(self.primary.sql(failed), before)

    def test_wal_that_goes_elsewhere_makes_no_backup_unless_that_is_said(self):
        place = self.world.mkdir("elsewhere")
        self.archive_with(f"cp %p {place}/%f")
        self.refused(self.push(check=False, WALG_STOP_BACKUP_TIMEOUT="4s"), "was archived, but is not in the storage", "WALRIG_WAL_ARCHIVE=elsewhere")
        storage = self.world.mkdir("without-wal")
        done = self.push(storage, WALRIG_WAL_ARCHIVE="elsewhere")
        self.assertIn("WALRIG_WAL_ARCHIVE is elsewhere", done.err)
        (name,) = self.backups(WALG_FILE_PREFIX=storage)
        with open(os.path.join(storage, "basebackups_005", name, "walrig.json")) as f:
            self.assertEqual(json.load(f)["wal"], "elsewhere")
        verified = self.world.walrig("backup-verify", name, env={"WALG_FILE_PREFIX": storage})
        self.assertIn("is kept elsewhere", verified.err)
        # All segments from start to stop were archived when it ended.
        with open(os.path.join(storage, "basebackups_005", f"{name}_backup_stop_sentinel.json")) as f:
            told = json.load(f)
        for n in range(told["LSN"] >> 20, (told["FinishLSN"] - 1 >> 20) + 1):
            self.assertTrue(os.path.exists(os.path.join(place, f"00000001{n >> 12:08X}{n & 0xFFF:08X}")))

    def test_a_server_that_archives_nothing_is_refused(self):
        silent = Cluster(self.world, "silent").initdb().start()
        self.addCleanup(silent.stop, "immediate")
        self.refused(self.push(self.world.mkdir("silent-storage"), check=False, cluster=silent), "archive_mode is off", "WALRIG_WAL_ARCHIVE=elsewhere")
        self.push(self.world.path("silent-storage"), cluster=silent, WALRIG_WAL_ARCHIVE="elsewhere")

    def test_another_clusters_storage_is_refused(self):
        self.push()
        other = Cluster(self.world, "other").initdb().archive("true").start()
        self.addCleanup(other.stop, "immediate")
        before = self.backups()
        self.kept = {d for d, _, _ in os.walk(self.world.storage)}
        self.refused(self.push(check=False, cluster=other), "is of another cluster", "WALRIG_ALLOW_OTHER_CLUSTER=true")
        self.assertEqual(self.backups(), before)
        shared = self.world.path("shared")
        self.world.run(["cp", "-a", self.world.storage, shared], check=True)
        self.push(shared, cluster=other, WALRIG_WAL_ARCHIVE="elsewhere", WALRIG_ALLOW_OTHER_CLUSTER="true")
        self.push(shared, cluster=other, WALRIG_WAL_ARCHIVE="elsewhere")  # it is this one's storage from now on

    def tablespace(self, name):
        place = self.world.mkdir(name)
        self.primary.sql(f"create tablespace {name} location '{place}'")
        self.addCleanup(self.primary.sql, f"drop tablespace {name}")
        return place

    def test_a_storage_inside_the_cluster_is_refused_by_whatever_way(self):
        inside = os.path.join(self.primary.pgdata, "backups")
        space = os.path.join(self.tablespace("space"), "backups")
        link = self.world.path("link")
        for path in (inside, space):
            self.world.run(["mkdir", path], check=True)
            self.addCleanup(shutil.rmtree, path)
        self.world.run(["ln", "-s", inside, link], check=True)
        for storage in (inside, space, link):
            self.refused(self.push(storage, check=False), "a directory of the cluster")
            done = self.world.walrig("config", "check", check=False, env={"WALG_FILE_PREFIX": storage, "PGDATA": self.primary.pgdata})
            self.assertEqual(done.code, 1, done)
            self.assertIn("a directory of the cluster", done.out)
        outside = self.world.mkdir("outside")
        if not ROOT or subprocess.run(["mount", "--bind", outside, inside], capture_output=True).returncode:
            return skipped("a bind mount inside the cluster", "mounting needs root")
        try:
            self.refused(self.push(outside, check=False), "walrig.claim is an object of it")
        finally:
            subprocess.run(["umount", inside], check=True)
        self.assertEqual([f for _, _, fs in os.walk(outside) for f in fs], [])

    def test_of_a_tablespace_only_this_servers_directory_is_backed_up(self):
        place = self.tablespace("mixed")
        self.primary.sql("create table in_space tablespace mixed as select generate_series(1, 1000) as id")
        self.addCleanup(self.primary.sql, "drop table in_space")
        self.world.run(["mkdir", "-p", os.path.join(place, "PG_9.6_201608131/1"), os.path.join(place, "notes")], check=True)
        self.world.run(["cp", "/etc/hostname", os.path.join(place, "PG_9.6_201608131/1/1259")], check=True)
        self.world.run(["mkdir", "-m", "0", os.path.join(place, "lost+found")], check=True)
        if ROOT:
            shutil.chown(os.path.join(place, "lost+found"), "root")
        try:
            self.push()
            target, moved = self.world.path("mixed-data"), self.world.path("mixed-space")
            self.world.walrig("backup-fetch", target, "LATEST", "--tablespace-mapping", f"{place}={moved}")
            self.assertEqual(len(os.listdir(moved)), 1, os.listdir(moved))
            self.assertEqual(self.world.check_directory(target), "")
        finally:
            for name in ("PG_9.6_201608131", "notes", "lost+found"):
                shutil.rmtree(os.path.join(place, name), ignore_errors=True)

    def test_what_a_killed_run_leaves_is_said_and_goes_with_one_command(self):
        before = self.backups()
        process = self.world.popen([self.world.walrig_path, "backup-push", self.primary.pgdata], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**self.primary.env, "WALG_DISK_RATE_LIMIT": "4000000"})
        folders = os.path.join(self.world.storage, "basebackups_005")
        def begun():
            return {d for d in (os.listdir(folders) if os.path.isdir(folders) else []) if d.startswith("base_") and not d.endswith(".json")
                    and os.path.exists(os.path.join(folders, d, "tar_partitions")) and d not in before}
        wait_until(begun, what="a part of the backup")
        (name,) = begun()
        while_running = self.world.walrig("backup-list")
        self.assertNotIn(name, while_running.out + while_running.err, "a backup that is being written is no leftover")
        self.world.walrig("delete", "garbage", "BACKUPS", "--confirm")
        self.assertIn(name, begun())
        process.kill()
        process.wait()
        listed = self.world.walrig("backup-list")
        self.assertIn(f"left 1 unfinished backup ({name})", listed.err)
        self.assertIn("delete garbage BACKUPS", listed.err)
        self.assertIn(name, self.world.walrig("delete", "garbage", "BACKUPS").err)
        self.assertIn(name, begun())
        self.world.walrig("delete", "garbage", "BACKUPS", "--confirm")
        self.assertFalse(os.path.exists(os.path.join(folders, name)))
        self.assertNotIn("unfinished", self.world.walrig("backup-list").err)
        self.assertEqual(self.backups(), before)
        done = self.push()
        self.assertNotIn("interrupted", done.err)


if __name__ == "__main__":
    unittest.main()
