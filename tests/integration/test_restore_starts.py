"""Whatever owner, mode, links and group access a server runs with: what is restored of it starts, on a machine that has nothing else of it."""
import stat

from harness import *

SECRET = ("server.key",)  # PostgreSQL refuses a key of its own user's that the group can read


def modes(top):
    """Path -> mode of everything below `top` but symbolic links, and of `top`."""
    found = {top: os.stat(top).st_mode}
    for directory, names, files in os.walk(top):
        for name in names + files:
            path = os.path.join(directory, name)
            if not os.path.islink(path):
                found[path] = os.lstat(path).st_mode
    return found


class RestoreStarts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = w = World("restore-starts")
        cls.addClassCleanup(w.close)
        cls.outside, cls.ts = w.mkdir("outside"), w.mkdir("ts")
        cls.source = c = Cluster(w, "source").initdb("-g", "--waldir", os.path.join(cls.outside, "wal")).archive().start()
        c.sql(f"create tablespace ts location '{cls.ts}'")
        c.sql("create database other")
        c.sql("create table t as select generate_series(1, 1000) id", database="other")
        c.sql("create table in_ts tablespace ts as select generate_series(1, 500) id")
        c.sql("alter system set work_mem = '7MB'")
        other = c.sql("select oid from pg_database where datname = 'other'")
        template = c.sql("select oid from pg_database where datname = 'template0'")
        cls.ssl = cls.make_key(c)
        c.stop()
        for name in ("postgresql.conf", "pg_hba.conf", "postgresql.auto.conf", "pg_xact", "pg_stat", f"base/{other}"):
            cls.move_away(name)
        for oid in os.listdir(os.path.join(c.pgdata, "pg_tblspc")):
            link = os.path.join(c.pgdata, "pg_tblspc", oid)
            os.unlink(link)
            os.symlink(os.path.relpath(cls.ts, os.path.dirname(link)), link)
        c.start()
        cls.linked = cls.push()
        # What a server that runs does not look at again.
        os.chmod(c.pgdata, 0o777)
        os.chmod(os.path.join(c.pgdata, f"base/{template}/1259"), 0o400)
        os.chmod(os.path.join(c.pgdata, f"base/{template}"), 0o500)
        cls.template = template
        cls.chmodded = cls.push()
        c.switch_wal()
        os.chmod(c.pgdata, 0o750)
        c.stop()
        # Another machine.
        os.rename(cls.outside, cls.outside + ".gone")
        os.rename(c.pgdata, c.pgdata + ".gone")

    @classmethod
    def push(cls):
        return cls.world.walrig("backup-push", cls.source.pgdata, cluster=cls.source).err.split("Wrote backup with name ")[1].split()[0]

    @classmethod
    def make_key(cls, c):
        """A key of root's that the server's group can read, as configuration tools leave them."""
        if not ROOT or not shutil.which("openssl"):
            skipped("a server key of root's", "that takes root and openssl")
            return False
        key, cert = (os.path.join(c.pgdata, name) for name in ("server.key", "server.crt"))
        subprocess.run(["openssl", "req", "-new", "-x509", "-days", "9", "-nodes", "-subj", "/CN=walrig", "-newkey", "rsa:2048",
                        "-keyout", key, "-out", cert], check=True, capture_output=True)
        shutil.chown(key, "root", os.stat(c.pgdata).st_gid)
        os.chmod(key, 0o640)
        os.chmod(cert, 0o644)
        c.configure(ssl="on")
        return True

    @classmethod
    def move_away(cls, name):
        path, to = os.path.join(cls.source.pgdata, name), os.path.join(cls.outside, name.replace("/", "-"))
        shutil.move(path, to)
        os.symlink(to, path)

    def flags(self, pgdata, name):
        return [pgdata, name, "--tablespace-mapping", f"{self.ts}={pgdata}.ts", "--recovery-target-immediate", "--target-action", "promote"]

    def started(self, name, pgdata):
        cluster = Cluster(self.world, name, pgdata)
        self.addCleanup(cluster.stop, "immediate")
        self.world.run(["sh", "-c", f"echo \"archive_mode = 'off'\" >> {pgdata}/postgresql.conf"], check=True)
        cluster.start()
        cluster.wait_for("select pg_is_in_recovery()", "f")
        self.assertEqual(cluster.sql("select count(*) from t", database="other"), "1000")
        self.assertEqual(cluster.sql("select count(*) from in_ts"), "500")
        self.assertEqual(cluster.sql("show work_mem"), "7MB")
        self.assertEqual(cluster.sql("show ssl"), "on" if self.ssl else "off")
        cluster.sql("create database again template template0")
        return cluster

    def assert_group_reads_all(self, pgdata):
        for top in (pgdata, pgdata + ".ts"):
            for path, mode in modes(top).items():
                want = 0o050 if stat.S_ISDIR(mode) else 0o040
                if os.path.basename(path) not in SECRET:
                    self.assertEqual(mode & want, want, f"{path}: {oct(mode)}")

    def test_links_and_group_access(self):
        pgdata = self.world.path("linked")
        self.world.walrig("backup-fetch", *self.flags(pgdata, self.linked))
        self.assertEqual(os.stat(pgdata).st_mode & 0o7777, 0o750)
        self.assert_group_reads_all(pgdata)
        self.assertEqual(self.started("linked", pgdata).sql("show data_directory_mode"), "0750")
        for directory, names, files in os.walk(pgdata):
            for name in names + files:
                if os.path.basename(directory) != "pg_tblspc":
                    self.assertFalse(os.path.islink(os.path.join(directory, name)), f"{directory}/{name}")

    def test_modes_that_no_server_starts_with(self):
        pgdata = self.world.path("chmodded")
        self.world.walrig("backup-fetch", *self.flags(pgdata, self.chmodded))
        self.started("chmodded", pgdata)

    def test_as_root_under_a_strict_umask(self):
        if not ROOT:
            self.skipTest("only root gives files to others")
        pgdata = self.world.path("made/by/root")
        done = subprocess.run(["sh", "-c", 'umask 077; exec "$@"', "sh", self.world.walrig_path, "backup-fetch", *self.flags(pgdata, self.linked)],
                              env=self.world.env, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        owner = os.stat(self.world.data).st_uid
        for path in modes(self.world.path("made")):
            self.assertEqual(os.lstat(path).st_uid, owner, path)
        self.started("by-root", pgdata)

    def test_into_a_directory_that_was_made_for_a_group(self):
        if not ROOT:
            self.skipTest("only root makes one for another group")
        pgdata = self.world.mkdir("grouped")
        os.chown(pgdata, -1, 4567)
        os.chmod(pgdata, 0o2750)
        # As a member of the group: the kernel takes the bit from others.
        words = [word if word != "--clear-groups" else "--groups=4567" for word in
                 self.world.command([self.world.walrig_path, "backup-fetch", *self.flags(pgdata, self.linked)])]
        done = subprocess.run(words, env=self.world.env, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        for path in modes(pgdata):
            self.assertEqual(os.lstat(path).st_gid, 4567, path)
        self.started("grouped", pgdata)

    def test_latest_of_a_copy_is_what_was_finished_last(self):
        copy = self.world.path("copy")
        self.world.run(["cp", "-r", self.world.storage, copy], check=True)
        sentinel = os.path.join(copy, "basebackups_005/{}_backup_stop_sentinel.json")
        os.utime(sentinel.format(self.chmodded), (1_800_000_000, 1_800_000_000))
        os.utime(sentinel.format(self.linked), (1_800_000_001, 1_800_000_001))
        env = {"WALG_FILE_PREFIX": copy}
        listed = self.world.walrig("backup-list", env=env)
        self.assertEqual([line.split()[0] for line in listed.out.splitlines()[1:]], [self.chmodded, self.linked])
        self.assertIn(f"LATEST is {self.chmodded}", listed.err)
        for words in (["backup-show", "LATEST"], ["delete", "target", "LATEST"], ["backup-verify", "LATEST"]):
            done = self.world.walrig(*words, env=env)
            self.assertIn(self.chmodded, done.out + done.err, words)
            self.assertIn("LATEST is " + self.chmodded, done.err, words)
        pgdata = self.world.path("of-copy")
        done = self.world.walrig("backup-fetch", *self.flags(pgdata, "LATEST"), env=env)
        self.assertIn(f"taking backup {self.chmodded}, finished ", done.err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
