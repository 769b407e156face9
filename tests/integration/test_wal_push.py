"""wal-push under a real archiver: after root's hand, with another cluster in the archive.

WALRIG_PROGRAM names another build's program to be tested instead.
"""
import pwd

from harness import *


class WalPush(unittest.TestCase):
    def setUp(self):
        self.world = w = World("wal-push")
        self.addCleanup(w.close)
        w.walrig_path = os.environ.get("WALRIG_PROGRAM", w.walrig_path)

    def cluster(self, name, **settings):
        cluster = Cluster(self.world, name).initdb(wal_segsize=1).archive()
        cluster.configure(**settings)
        return cluster.start()

    def archived(self):
        folder = os.path.join(self.world.storage, "wal_005")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def content(self, name):
        with open(os.path.join(self.world.storage, "wal_005", name), "rb") as f:
            return f.read()

    def test_the_archiver_goes_on_after_a_first_push_by_root(self):
        if not ROOT:
            skipped("root's hand", "the tests do not run as root")
            return
        p = self.cluster("primary", archive_command="false")
        name = p.sql("select pg_walfile_name(pg_switch_wal())")
        for _ in range(3):  # others wait, so that pg_wal/walg_data is made, too
            p.sql("create table t (); drop table t; select pg_switch_wal()")
        by_hand = subprocess.run([self.world.walrig_path, "wal-push", f"{p.pgdata}/pg_wal/{name}"], env={**self.world.env, "WALG_LOG_DESTINATION": self.world.path("walrig.log")},
                                 capture_output=True, text=True)
        self.assertEqual(by_hand.returncode, 0, by_hand.stderr)
        p.archive().sql("select pg_reload_conf()")
        p.switch_wal()
        self.assertIn(name, [n.split(".")[0] for n in self.archived()])
        owner = pwd.getpwnam(self.world.run(["id", "-un"]).out.strip()).pw_uid
        for top in (self.world.storage, p.pgdata, self.world.path("walrig.log")):
            for directory, folders, files in os.walk(top):
                for each in folders + files:
                    self.assertEqual(os.lstat(os.path.join(directory, each)).st_uid, owner, os.path.join(directory, each))
        self.assertEqual(os.stat(self.world.path("walrig.log")).st_uid, owner)

    def test_another_clusters_segments_are_not_replaced(self):
        first, second = self.cluster("first"), self.cluster("second", archive_command="false")
        name = first.switch_wal()
        stored = {n: self.content(n) for n in self.archived()}
        self.assertTrue(any(n.startswith(name) for n in stored))
        for _ in range(3):
            second.sql("create table t (); drop table t; select pg_switch_wal()")
        second.archive().sql("select pg_reload_conf()")
        second.wait_for("select failed_count > 0 and last_failed_wal is not null from pg_stat_archiver", "t")
        wait_until(lambda: "already archived by another cluster" in second.server_log(), what="the refusal")
        for n, content in stored.items():
            self.assertTrue(self.content(n) == content, f"{n} was replaced")
        # The first cluster is not disturbed, also where its archiver asks twice for one segment.
        again = self.world.walrig("wal-push", f"{first.pgdata}/pg_wal/{name}", check=False)
        self.assertEqual(again.code, 0, again)
        first.switch_wal()


if __name__ == "__main__":
    unittest.main(verbosity=2)
