"""PG_READY_RENAME: wal-push marks what it archived in the background as done, under the eyes of PostgreSQL's archiver.

Neither PostgreSQL's wait at the end of a backup nor walrig's may stop short or hang, and no segment may be recycled that
the storage does not have.
"""
import threading

from harness import *

SEGMENTS = 12


class ReadyRename(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = w = World("ready-rename")
        cls.addClassCleanup(w.close)
        cls.gate, cls.calls = w.path("gate"), w.path("calls")
        trust = f"WALRIG_PLUGIN_TRUST={w.env['WALRIG_PLUGIN_TRUST']}" if "WALRIG_PLUGIN_TRUST" in w.env else ""
        script = w.path("archive.sh")
        with open(script, "w") as f:
            # Closed, the gate makes segments wait; they then go out together, one asked for and the others in the background.
            f.write(f"#!/bin/sh\necho $1 >> {cls.calls}\nuntil [ -e {cls.gate} ]; do sleep 0.05; done\n"
                    f"exec env HOME={w.env['HOME']} {trust} WALG_FILE_PREFIX={w.storage} WALG_COMPRESSION_METHOD=zstd WALG_ZSTD_LEVEL=fastest "
                    f"PG_READY_RENAME=true WALG_UPLOAD_CONCURRENCY=4 {w.walrig_path} wal-push $1\n")
        os.chmod(script, 0o755)
        cls.primary = Cluster(w, "primary").initdb(wal_segsize=1).archive(f"{script} %p")
        # Nothing is kept but what waits for the archiver: what is marked wrongly goes at the next checkpoint.
        cls.primary.configure(max_wal_size="2MB", min_wal_size="2MB", wal_keep_size="0", checkpoint_timeout="30s", wal_recycle="off")
        cls.primary.start()
        cls.primary.sql("create table t (id int)")

    def shut(self):
        if os.path.exists(self.gate):
            os.unlink(self.gate)

    def open(self):
        with open(self.gate, "w"):
            pass

    def fill(self):
        for _ in range(SEGMENTS):
            self.primary.sql("insert into t select generate_series(1, 1000)")
            self.primary.sql("select pg_switch_wal()")

    def through_the_gate(self, work, begun=None):
        """Runs `work` while segments wait, opens the gate once it is under way, and returns what it returns. With `begun`
        segments only wait from then on: a backup begins with a look at the archiver."""
        answer = []
        thread = threading.Thread(target=lambda: answer.append(work()))
        if begun:
            self.open()
            thread.start()
            wait_until(begun, what="the beginning")
        self.shut()
        self.fill()
        if not begun:
            thread.start()
        self.primary.wait_for("select count(*) > 0 from pg_ls_archive_statusdir() where name like '%.backup.ready'", "t")
        self.assertTrue(thread.is_alive(), "it did not wait for the archive")
        self.open()
        thread.join(60)
        self.assertFalse(thread.is_alive(), "it waits although everything is archived")
        self.primary.sql("checkpoint")
        return answer[0]

    def copies(self):
        return any("tar_partitions" in d for d, _, _ in os.walk(self.world.storage))

    def archived(self):
        return {name.split(".")[0] for name in os.listdir(self.world.storage + "/wal_005") if ".backup" not in name and name != "walrig.archive"}

    def test_no_wait_ends_early_or_late_and_no_segment_is_lost(self):
        p = self.primary
        # Copying is slow enough for many segments between the backup's start and stop.
        slowly = {"WALG_DISK_RATE_LIMIT": "4000000"}
        result = self.through_the_gate(lambda: self.world.walrig("backup-push", p.pgdata, cluster=p, check=False, timeout=90, env=slowly), self.copies)
        self.assertEqual(result.code, 0, result)
        (sentinel,) = [n for n in os.listdir(self.world.storage + "/basebackups_005") if n.endswith("_sentinel.json")]
        with open(os.path.join(self.world.storage, "basebackups_005", sentinel)) as f:
            told = json.load(f)
        first, final = told["LSN"] >> 20, (told["FinishLSN"] - 1) >> 20
        self.assertGreater(final - first, SEGMENTS // 2)
        needed = {f"00000001{n >> 12:08X}{n & 0xFFF:08X}" for n in range(first, final + 1)}
        self.assertEqual(needed - self.archived(), set(), "backup-push ended before its WAL was in the storage")
        begin, end = ("pg_start_backup('x', true, false)", "pg_stop_backup(false, true)") if server_major() < 15 else (
            "pg_backup_start('x', true)", "pg_backup_stop(true)")
        told = self.through_the_gate(lambda: p.sql(f"select {begin}; select lsn from {end}"))
        last = p.sql(f"select pg_walfile_name('{told.splitlines()[-1]}'::pg_lsn - 1)")
        self.assertIn(last, self.archived(), "PostgreSQL's wait ended before its last segment was archived")

        self.fill()
        rows = p.sql("select count(*) from t")
        # Not pg_stat_archiver: the archiver never hears of what went out in the background, the last segment perhaps among it.
        p.sql("select pg_switch_wal()")
        p.wait_for("select count(*) from pg_ls_archive_statusdir() where name like '%.ready'", "0")
        names = sorted(self.archived())
        first, final = (int(name[8:16], 16) * 4096 + int(name[16:], 16) for name in (names[0], names[-1]))
        self.assertEqual(len(names), final - first + 1, f"segments are missing between {names[0]} and {names[-1]}")
        with open(self.calls) as f:
            asked = {os.path.basename(line.strip()) for line in f}
        self.assertLess(len(asked & set(names)), len(names), "nothing went out in the background")
        self.assertNotRegex(p.server_log(), "WARNING|FATAL|PANIC")
        markers = os.path.join(p.pgdata, "pg_wal/walg_data/walg_archive_status")
        self.assertEqual(os.listdir(markers), [], "nobody takes these markers away any more")

        target = self.world.path("restored")
        self.world.walrig("backup-fetch", target, "LATEST", "--recovery-target-timeline", "latest", "--target-action", "promote")
        restored = Cluster(self.world, "restored", target)
        restored.configure(archive_mode="off")
        restored.start()
        restored.wait_for("select pg_is_in_recovery()", "f")
        self.assertEqual(restored.sql("select count(*) from t"), rows)


if __name__ == "__main__":
    unittest.main()
