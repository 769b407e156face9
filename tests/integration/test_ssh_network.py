"""The storage ssh over a network that fails, by a proxy before sshd, and by a password."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import BUILD, ROOT, Cluster, World, wait_until
from test_ssh import walrig_here

import servers  # in the path since test_ssh

PROXY = "libexec/walrig/walrig-fault-proxy"


class BadNetwork(unittest.TestCase):
    """Connections are counted, not requests: each is a walk through key exchange, login and SFTP."""

    @classmethod
    def setUpClass(cls):
        cls.world = World("ssh-network")
        cls.addClassCleanup(cls.world.close)
        cls.sshd = servers.sshd().__enter__()
        cls.addClassCleanup(cls.sshd.__exit__, None, None, None)
        cls.proxy = servers.FaultProxy(os.path.join(cls.world.prefix, PROXY), cls.sshd.url, tcp=True)
        cls.addClassCleanup(cls.proxy.stop)
        known = cls.world.path("known_hosts")
        with open(cls.sshd.env["WALRIG_SSH_KNOWN_HOSTS"]) as straight, open(known, "w") as shaken:
            shaken.write(straight.read().replace(f":{cls.sshd.port} ", f":{cls.proxy.port} "))
        os.chmod(known, 0o644)
        for name in ("WALG_FILE_PREFIX", "WALG_ZSTD_LEVEL"):
            cls.world.env.pop(name)
        cls.world.env.update(cls.sshd.env, WALG_COMPRESSION_METHOD="none")
        cls.shaken = {"SSH_PORT": str(cls.proxy.port), "WALRIG_SSH_KNOWN_HOSTS": known, "WALRIG_RETRY_INITIAL": "5ms",
                      "WALRIG_RETRY_MAX": "50ms", "WALRIG_RETRY_ATTEMPTS": "5",
                      "WALRIG_STORAGE": f"ssh,prefix={cls.sshd.env['WALG_SSH_PREFIX']},stall_timeout=2s,keepalive=1s", "WALG_SSH_PREFIX": ""}
        cls.world.env["WALRIG_WAL_ARCHIVE"] = "elsewhere"  # this server archives nothing
        cls.primary = Cluster(cls.world, "primary").initdb()
        cls.primary.start()
        cls.primary.sql("create table t as select g as id, md5(g::text) as v from generate_series(1, 100000) g")
        cls.name = cls.primary.sql("select pg_walfile_name(pg_current_wal_lsn())")
        cls.primary.sql("select pg_switch_wal()")
        cls.segment = os.path.join(cls.world.mkdir("pg_wal"), cls.name)  # away from checkpoints
        shutil.copy(os.path.join(cls.primary.pgdata, "pg_wal", cls.name), cls.segment)
        os.chmod(cls.segment, 0o644)

    def objects(self, part):
        return [key for key in self.sshd.keys() if part in key and ".tmp." not in key]

    def fetched(self, env):
        target = self.world.path("fetched")
        if os.path.exists(target):
            os.unlink(target)
        done = self.world.walrig("wal-fetch", self.name, target, check=False, env=env)
        if not os.path.exists(target):
            return done, None
        with open(target, "rb") as got, open(self.segment, "rb") as want:
            return done, got.read() == want.read()

    # Bytes from the server: 100 is in the key exchange, 3000 about the login, 6000 in SFTP.
    def test_wal_goes_up_whole_or_not_at_all(self):
        for fault in ("reset-request at=500", "reset-request at=2000000", "reset at=100", "reset at=3000", "half-close at=100", "half-close at=6000",
                      "stall at=3000", "corrupt at=4000", "corrupt-request at=2000000", "reset-request at=16000000"):
            for times in ("1", "all"):
                if times == "all" and fault.startswith(("stall", "corrupt at")):
                    continue  # the same again for as long as attempts last
                with self.subTest(fault=fault, times=times):
                    shutil.rmtree(os.path.join(self.sshd.data, "wal_005"), True)
                    self.proxy.rules(f"{fault} times={times}")
                    done = self.world.walrig("wal-push", self.segment, check=False, env=self.shaken, timeout=60)
                    self.proxy.rules()
                    if times == "1":
                        self.assertEqual(done.code, 0, str(done)[-3000:])
                    self.assertEqual(len(self.objects(self.name)), 1 if done.code == 0 else 0, str(done)[-3000:])
                    if done.code == 0:
                        self.assertEqual(self.fetched({})[1], True)

    def test_wal_comes_back_whole_or_not_at_all(self):
        self.world.walrig("wal-push", self.segment)
        for fault in ("reset at=100", "reset at=5000000", "half-close at=5000000", "stall at=5000000", "corrupt at=5000000", "reset-request at=3500"):
            with self.subTest(fault=fault):
                self.proxy.rules(f"{fault} times=1")
                done, same = self.fetched(self.shaken)
                self.assertEqual((done.code, same), (0, True), str(done)[-3000:])
        self.proxy.rules("reset at=5000000 times=all")
        done, same = self.fetched(self.shaken)
        self.assertIn((done.code == 0, same), ((True, True), (False, None)))

    def test_a_backup_through_broken_connections_is_whole_or_none(self):
        before = json.loads(self.world.walrig("backup-list", "--json").out or "[]") or []
        self.proxy.rules("reset-request at=3000000 every=3 times=2", "half-close at=8000 every=2 times=2")
        done = self.world.walrig("backup-push", self.primary.pgdata, cluster=self.primary, check=False, env=self.shaken, timeout=90)
        hits = self.proxy.hits()
        self.proxy.rules()
        after = json.loads(self.world.walrig("backup-list", "--json").out or "[]") or []
        self.assertGreater(hits, 0)
        self.assertEqual(len(after), len(before) + (done.code == 0), str(done)[-3000:])
        if done.code == 0:
            self.world.walrig("backup-fetch", self.world.path("restored"), "LATEST")
        self.world.walrig("backup-push", self.primary.pgdata, cluster=self.primary)  # and the next is fine
        self.world.walrig("backup-fetch", self.world.path("restored-next"), "LATEST")  # every hash, every file of the manifest

    def test_an_upload_does_not_go_on_where_the_server_lost_what_it_had(self):
        shutil.rmtree(os.path.join(self.sshd.data, "wal_005"), True)
        temporary = lambda: [os.path.join(self.sshd.data, key) for key in self.sshd.keys() if ".tmp." in key]
        for lose in (lambda f: f.truncate(65536), lambda f: f.write(b"other")):
            self.proxy.rules("reset-request at=6000000 times=1")
            process = self.world.popen([self.world.walrig_path, "wal-push", self.segment], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                       env={**self.shaken, "WALG_NETWORK_RATE_LIMIT": "4000000"})
            wait_until(lambda: process.poll() is not None or any(os.path.getsize(path) > 3_000_000 for path in temporary()), what="3 MB")
            with open(temporary()[0], "r+b") as f:
                lose(f)
            _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 1, err)
            self.assertIn("has not what it acknowledged before", err)
            self.assertEqual([key for key in self.sshd.keys() if self.name in key], [])

    def test_what_a_broken_upload_left_is_removed_as_unfinished(self):
        shutil.rmtree(os.path.join(self.sshd.data, "wal_005"), True)
        self.proxy.rules()
        process = self.world.popen([self.world.walrig_path, "wal-push", self.segment], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**self.shaken, "WALG_NETWORK_RATE_LIMIT": "2000000"})
        temporary = lambda: [key for key in self.sshd.keys() if ".tmp." in key]
        try:
            wait_until(lambda: process.poll() is not None or temporary(), what="a temporary file")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.assertTrue(temporary(), "the kill came too late")
        self.proxy.rules("reset at=6000 times=1")
        self.world.walrig("st", "rm", "--unfinished", "", "--older-than", "0s", "--confirm", env=self.shaken)
        self.assertEqual(temporary(), [])


@unittest.skipUnless(ROOT, "only root can give sshd a password file of its own")
class Password(unittest.TestCase):
    """A user whose password only this sshd knows: it sees a shadow file of its own, in a mount namespace."""

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="walrig-ssh-")
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        can = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True)
        if can.returncode:
            servers.missing("sshd with a password", can.stderr.strip())

    def path(self, name, text=None):
        path = os.path.join(self.dir, name)
        if text is not None:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
                f.write(text)
        return path

    def sshd(self, kind):
        crypted = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input="the passw0rd\n", capture_output=True, text=True, check=True).stdout.strip()
        with open("/etc/shadow") as f:
            lines = [line for line in f if not line.startswith(servers.USER + ":")]
        shadow = self.path("shadow", "".join(lines) + f"{servers.USER}:{crypted}:19000:0:99999:7:::\n")

        class PasswordSshd(servers.sshd):
            def command(self):
                words = super().command()
                config = words[words.index("-f") + 1]
                with open(config) as f:
                    text = f.read()
                text = text.replace(f"{kind} no", f"{kind} yes") + "PubkeyAuthentication no\n"
                if kind == "PasswordAuthentication":
                    text = text.replace("UsePAM yes", "UsePAM no")  # the simplest way that a server has
                with open(config, "w") as f:
                    f.write(text)
                return ["unshare", "-m", "sh", "-c", f'mount --bind {shadow} /etc/shadow && exec "$@"', "sh", *words]

        return PasswordSshd()

    def check(self, kind):
        with self.sshd(kind) as server:
            env = {k: v for k, v in server.env.items() if k != "SSH_PRIVATE_KEY_PATH"}
            right, wrong = self.path("right", "the passw0rd\n"), self.path("wrong", "an0ther\n")
            done = walrig_here("backup-list", env={**env, "WALRIG_SSH_PASSWORD_FILE": right, "WALG_LOG_LEVEL": "DEVEL"})
            self.assertEqual(done.returncode, 0, done.stderr + server.log()[-2000:])
            self.assertNotIn("passw0rd", done.stdout + done.stderr)
            done = walrig_here("backup-list", env={**env, "WALRIG_SSH_PASSWORD_FILE": wrong, "WALRIG_RETRY_ATTEMPTS": "1"})
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("does not let", done.stderr)
            self.assertNotIn("an0ther", done.stdout + done.stderr)

    def test_a_password_from_a_file_lets_in(self):
        self.check("PasswordAuthentication")

    def test_a_server_that_asks_interactively_gets_it_too(self):
        self.check("KbdInteractiveAuthentication")


if __name__ == "__main__":
    unittest.main(verbosity=2)
