"""Backups from a standby, promotion in the middle of one, timelines, load while the backup runs."""
from harness import *


class Standby(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World("standby")
        cls.addClassCleanup(cls.world.close)
        cls.primary = Cluster(cls.world, "primary").initdb().archive()
        cls.primary.configure(wal_keep_size="1GB")  # a standby never comes too late
        cls.primary.start()
        cls.primary.pgbench("-i", "-s", "5", "-q", "postgres")
        cls.primary.sql("create table t as select generate_series(1, 1000) as id")

    def make_standby(self, name):
        pgdata = self.world.path(name)
        if tools_major() >= server_major():
            self.world.run([f"{TOOLS}/pg_basebackup", "-D", pgdata, "-X", "stream", "-c", "fast"], env=self.primary.env, check=True)
        else:
            skipped("pg_basebackup", f"that of {tools_major()} refuses PostgreSQL {server_major()}; walrig itself makes the standbys")
            self.world.walrig("backup-push", self.primary.pgdata, cluster=self.primary)
            self.world.walrig("backup-fetch", pgdata, "LATEST")
        self.world.run(["touch", os.path.join(pgdata, "standby.signal")], check=True)
        standby = Cluster(self.world, name, pgdata)
        # Not with pg_basebackup -R: what that of 15 writes (sslsni) a standby of 13 does not understand.
        standby.configure(primary_conninfo=f"host={self.primary.socket_dir} port={self.primary.port} user=postgres")
        # A standby that is promoted must not archive its timeline beside the primary's.
        standby.configure(archive_command="true")
        standby.start()
        # A backup of the standby begins at the primary's latest checkpoint, which has to be a newer one than that of its own making.
        self.primary.sql("checkpoint")
        lsn = self.primary.sql("select pg_current_wal_lsn()")
        standby.wait_for(f"select pg_is_in_recovery() and pg_last_wal_replay_lsn() >= '{lsn}'", "t")
        self.addCleanup(standby.stop, "immediate")
        return standby

    def names(self):
        return [b["backup_name"] for b in json.loads(self.world.walrig("backup-list", "--json").out)]

    def test_backup_from_a_standby_restores(self):
        standby = self.make_standby("standby1")
        before = set(self.names())
        process = self.world.popen([self.world.walrig_path, "backup-push", standby.pgdata], env=standby.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # Its last segment is archived by the primary, once that is full: not a word of success before.
        wait_until(lambda: any(f == "walrig.json" for _, _, fs in os.walk(self.world.storage) for f in fs) or process.poll() is not None, what="the documents")
        time.sleep(1)
        self.assertIsNone(process.poll(), "it did not wait for the primary to archive the WAL")
        self.assertEqual(set(self.names()), before)
        self.primary.switch_wal()
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        (name,) = set(self.names()) - before
        self.world.walrig("backup-verify", name)
        self.primary.sql("insert into t values (2000)")
        self.primary.switch_wal()
        pgdata = self.world.path("from-standby")
        self.world.walrig("backup-fetch", pgdata, name, "--target-action", "promote")
        self.assertEqual(self.world.check_directory(pgdata), "")
        restored = Cluster(self.world, "from-standby", pgdata)
        restored.configure(archive_mode="off", primary_conninfo="")
        restored.start()
        restored.wait_for("select pg_is_in_recovery()", "f")
        self.assertEqual(restored.sql("select max(id) from t"), "2000")
        restored.stop("immediate")

    def test_promotion_during_the_backup_leaves_no_backup(self):
        standby = self.make_standby("standby2")
        before = self.names()
        process = self.world.popen([self.world.walrig_path, "backup-push", standby.pgdata], env={**standby.env, "WALG_DISK_RATE_LIMIT": "10000000"},
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(2)
        standby.sql("select pg_promote()")
        out, err = process.communicate(timeout=120)
        self.assertNotEqual(process.returncode, 0, err)
        self.assertEqual(self.names(), before)

    def test_backup_under_load_restores_consistently(self):
        load = self.world.popen([f"{TOOLS}/pgbench", "-n", "-c", "2", "-T", "8", "postgres"], env=self.primary.env,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = set(self.names())
        self.world.walrig("backup-push", self.primary.pgdata, cluster=self.primary)
        load.wait()
        (name,) = set(self.names()) - before
        totals = "select (select sum(abalance) from pgbench_accounts), (select sum(bbalance) from pgbench_branches), (select sum(delta) from pgbench_history)"
        want = self.primary.sql(totals)
        self.primary.switch_wal()
        pgdata = self.world.path("under-load")
        self.world.walrig("backup-fetch", pgdata, name, "--target-action", "promote")
        self.assertEqual(self.world.check_directory(pgdata), "")
        restored = Cluster(self.world, "under-load", pgdata)
        restored.configure(archive_mode="off")
        restored.start()
        restored.wait_for("select pg_is_in_recovery()", "f", 120)
        self.assertEqual(restored.sql(totals), want)
        restored.stop("immediate")

    def test_recovery_follows_a_timeline_switch(self):
        before = set(self.names())
        self.world.walrig("backup-push", self.primary.pgdata, cluster=self.primary)
        (name,) = set(self.names()) - before
        self.primary.sql("create table timeline_one (id int)")
        self.primary.switch_wal()
        # The first restore is promoted and archives timeline 2 into the same storage.
        first = self.world.path("second-line")
        self.world.walrig("backup-fetch", first, name, "--target-action", "promote")
        c = Cluster(self.world, "second-line", first)
        c.start()
        c.wait_for("select pg_is_in_recovery()", "f")
        c.sql("create table timeline_two as select 42 as id")
        c.switch_wal()
        c.wait_for("select count(*) from pg_ls_archive_statusdir() where name like '%.history.ready'", "0")
        c.stop("fast")
        second = self.world.path("third-line")
        self.world.walrig("backup-fetch", second, name, "--recovery-target-timeline", "latest", "--target-action", "promote")
        d = Cluster(self.world, "third-line", second)
        d.configure(archive_mode="off")
        d.start()
        d.wait_for("select pg_is_in_recovery()", "f")
        self.assertEqual(d.sql("select id from timeline_two"), "42")
        d.stop("immediate")


if __name__ == "__main__":
    unittest.main(verbosity=2)
