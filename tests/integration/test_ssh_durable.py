"""What storage ssh calls stored is durable: folders that do not sync, connections that break around the name.

The faults come from a library (eio_shim.c) that is preloaded into OpenSSH's own sftp-server.
"""
import shutil
import sys

from harness import *
from harness import BUILD

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import servers
from servers.process import own

SHIM = os.path.join(os.path.abspath(BUILD), "tests/integration/eio_shim.so")
SFTP_SERVER = "/usr/lib/openssh/sftp-server"


class ShimmedSshd(servers.sshd):
    def fault(self, call, pattern, nth=1):
        folder = self._path("calls")
        shutil.rmtree(folder, True)
        os.mkdir(folder)
        own(folder)
        self.log = os.path.join(folder, "log")
        with open(self._path("sftp"), "w") as f:
            f.write(f"#!/bin/sh\nexport EIO_CALL={call} EIO_PATH='{pattern}' EIO_NTH={nth} EIO_LOG={self.log} EIO_TRACE=1\n"
                    f"LD_PRELOAD={self._path('shim.so')} exec {SFTP_SERVER}\n")
        os.chmod(self._path("sftp"), 0o755)

    def command(self):
        words = super().command()
        shutil.copy(SHIM, self._path("shim.so"))
        os.chmod(self._path("shim.so"), 0o755)
        with open(self._path("sshd_config")) as f:
            text = f.read()
        with open(self._path("sshd_config"), "w") as f:
            f.write(text.replace("internal-sftp", self._path("sftp")))
        self.fault("none", "none")
        return words

    def calls(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log) as f:
            return [line.split(" ", 1) for line in f.read().splitlines()]


class Durable(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World("ssh-durable")
        cls.addClassCleanup(cls.world.close)
        cls.sshd = ShimmedSshd().__enter__()
        cls.addClassCleanup(cls.sshd.__exit__, None, None, None)
        for name in ("WALG_FILE_PREFIX", "WALG_ZSTD_LEVEL"):
            cls.world.env.pop(name)
        cls.world.env.update(cls.sshd.env, WALG_COMPRESSION_METHOD="none", WALRIG_RETRY_INITIAL="5ms", WALRIG_RETRY_MAX="50ms")
        cls.primary = Cluster(cls.world, "primary").initdb().start()
        name = cls.primary.sql("select pg_walfile_name(pg_current_wal_lsn())")
        cls.primary.sql("select pg_switch_wal()")
        folder = cls.world.mkdir("pg_wal")
        cls.segment = os.path.join(folder, name)
        shutil.copy(os.path.join(cls.primary.pgdata, "pg_wal", name), cls.segment)
        cls.history = os.path.join(folder, "00000002.history")
        with open(cls.history, "w") as f:
            f.write("1\t0/3000000\tno recovery target specified\n")
        for path in (cls.segment, cls.history):
            os.chmod(path, 0o644)

    def setUp(self):
        shutil.rmtree(os.path.join(self.sshd.data, "wal_005"), True)

    def stored(self):
        return [key for key in self.sshd.keys("wal_005/") if ".tmp." not in key and not key.endswith("walrig.archive")]

    def push(self, path):
        return self.world.walrig("wal-push", path, check=False, timeout=60)

    def put(self, path):
        """As replaceable objects are written, which get their name by a rename; WAL is linked to its name."""
        return self.world.walrig("st", "put", "--force", "--no-compress", path, f"wal_005/{os.path.basename(path)}", check=False, timeout=60)

    def same(self, path):
        with open(path, "rb") as want, open(os.path.join(self.sshd.data, self.stored()[0]), "rb") as got:
            return want.read() == got.read()

    def test_a_folder_that_does_not_sync_is_an_error_and_the_name_goes_again(self):
        for path in (self.segment, self.history):
            with self.subTest(path):
                self.sshd.fault("none", "none")
                os.makedirs(os.path.join(self.sshd.data, "wal_005"), exist_ok=True)
                own(os.path.join(self.sshd.data, "wal_005"))
                self.sshd.fault("fsync", "*/wal_005")
                done = self.push(path)
                self.assertEqual(done.code, 1, done)
                self.assertIn("sync folder", done.err)
                self.assertEqual(self.stored(), [])
                self.sshd.fault("none", "none")
                self.assertEqual(self.push(path).code, 0)
                self.assertTrue(self.same(path))
                shutil.rmtree(os.path.join(self.sshd.data, "wal_005"))

    def test_a_connection_that_ends_with_the_name_is_made_up_for(self):
        for path, call, store in ((self.segment, "rename", self.put), (self.segment, "link", self.push), (self.history, "link", self.push)):
            with self.subTest(f"{call} {os.path.basename(path)}"):
                shutil.rmtree(os.path.join(self.sshd.data, "wal_005"), True)
                self.sshd.fault(call, "*/wal_005/*")
                done = store(path)
                self.assertEqual(done.code, 0, done)
                self.assertTrue(self.same(path))
                calls = self.sshd.calls()
                died = [i for i, (name, path) in enumerate(calls) if name == call and "walrig.archive" not in path]
                self.assertEqual(len(died), 1, calls)
                self.assertIn("wal_005", [os.path.basename(name) for what, name in calls[died[0]:] if what == "fsync"], "the folder was not synced after the name was given")

    def test_a_connection_that_ends_with_a_new_folder_is_made_up_for(self):
        self.sshd.fault("mkdir", "*/wal_005")
        done = self.push(self.segment)
        self.assertEqual(done.code, 0, done)
        self.assertTrue(self.same(self.segment))
        calls = self.sshd.calls()
        died = [i for i, (name, _) in enumerate(calls) if name == "mkdir"]
        self.assertEqual(len(died), 1, calls)
        self.assertIn(os.path.realpath(self.sshd.data), [name for what, name in calls[died[0]:] if what == "fsync"], "the folder's parent was not synced")


if __name__ == "__main__":
    unittest.main(verbosity=2)
