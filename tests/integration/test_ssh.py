"""The storage ssh against Debian's sshd: who is let in, whom walrig believes, and a backup there and back, killed and not."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from harness import BUILD, Cluster, World

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import servers  # noqa: E402


def walrig_here(*words, env, timeout=60):
    """The program of the build tree; nothing is installed for a look at who is let in."""
    env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "WALRIG_PLUGIN_TRUST": "any", **env}
    return subprocess.run([os.path.join(BUILD, "bin/walrig"), *words], env=env, capture_output=True, text=True, timeout=timeout)


class LettingIn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sshd = servers.sshd().__enter__()
        cls.addClassCleanup(cls.sshd.__exit__, None, None, None)
        cls.dir = tempfile.mkdtemp(prefix="walrig-ssh-")
        cls.addClassCleanup(shutil.rmtree, cls.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def keygen(self, name, *words):
        subprocess.run(["ssh-keygen", "-q", "-f", self.path(name), *words], check=True)
        return self.path(name)

    def refused(self, *texts, **env):
        done = walrig_here("backup-list", env={**self.sshd.env, "WALRIG_RETRY_ATTEMPTS": "1", **env})
        self.assertNotEqual(done.returncode, 0, done.stdout)
        for text in texts:
            self.assertIn(text, done.stderr)
        for secret in self.sshd.secrets:
            self.assertNotIn(secret, done.stdout + done.stderr)
        return done.stderr

    def test_lets_in_by_the_key_that_is_named(self):
        done = walrig_here("backup-list", env=self.sshd.env)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_an_unknown_host_is_refused_with_the_line_to_add(self):
        empty = self.path("empty")
        open(empty, "w").close()
        error = self.refused("is not known", WALRIG_SSH_KNOWN_HOSTS=empty)
        with open(self.sshd.env["WALRIG_SSH_KNOWN_HOSTS"]) as f:
            line = f.read().strip()
        self.assertIn(line, error)
        with open(empty, "w") as f:
            f.write(line + "\n")
        done = walrig_here("backup-list", env={**self.sshd.env, "WALRIG_SSH_KNOWN_HOSTS": empty})
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_hashed_names_are_known(self):
        hashed = self.path("hashed")
        shutil.copy(self.sshd.env["WALRIG_SSH_KNOWN_HOSTS"], hashed)
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", hashed], check=True, capture_output=True)
        with open(hashed) as f:
            self.assertTrue(f.read().startswith("|1|"))
        done = walrig_here("backup-list", env={**self.sshd.env, "WALRIG_SSH_KNOWN_HOSTS": hashed})
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_changed_host_key_is_refused_aloud(self):
        with open(self.keygen("other_host", "-t", "ed25519", "-N", "") + ".pub") as f:
            key = " ".join(f.read().split()[:2])
        changed = self.path("changed")
        with open(changed, "w") as f:
            f.write(f"[127.0.0.1]:{self.sshd.port} {key}\n")
        self.refused("IT HAS CHANGED", f"{changed}:1", WALRIG_SSH_KNOWN_HOSTS=changed)

    def test_a_wrong_key_is_refused(self):
        key = self.keygen("stranger", "-t", "ed25519", "-N", "")
        self.refused("does not let", key, SSH_PRIVATE_KEY_PATH=key)

    def test_an_rsa_key_is_told_what_to_use_instead(self):
        key = self.keygen("rsa", "-t", "rsa", "-b", "2048", "-N", "")
        self.refused("ed25519 or ECDSA", SSH_PRIVATE_KEY_PATH=key)

    def test_a_key_with_a_passphrase(self):
        locked = self.path("locked")
        shutil.copy(self.sshd.env["SSH_PRIVATE_KEY_PATH"], locked)
        os.chmod(locked, 0o600)
        subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-f", locked], check=True, capture_output=True)
        self.refused("no passphrase is set", SSH_PRIVATE_KEY_PATH=locked)
        self.refused("passphrase is wrong", SSH_PRIVATE_KEY_PATH=locked, WALRIG_SSH_KEY_PASSPHRASE="shut sesame")
        done = walrig_here("backup-list", env={**self.sshd.env, "SSH_PRIVATE_KEY_PATH": locked, "WALRIG_SSH_KEY_PASSPHRASE": "open sesame"})
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_an_agent_lets_in(self):
        said = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
        agent = dict(re.findall(r"(SSH_\w+)=([^;]+);", said))
        try:
            subprocess.run(["ssh-add", "-q", self.sshd.env["SSH_PRIVATE_KEY_PATH"]], env={**os.environ, **agent}, check=True)
            env = {k: v for k, v in self.sshd.env.items() if k != "SSH_PRIVATE_KEY_PATH"}
            done = walrig_here("backup-list", env={**env, "SSH_AUTH_SOCK": agent["SSH_AUTH_SOCK"]})
            self.assertEqual(done.returncode, 0, done.stderr)
        finally:
            os.kill(int(agent["SSH_AGENT_PID"]), signal.SIGTERM)

    def test_no_server_is_said_within_the_timeout(self):
        self.refused("refused", SSH_PORT="1")

    def test_a_root_that_is_not_there_is_no_empty_archive_and_a_put_makes_it(self):
        root = os.path.join(self.sshd.data, "disk/archive")
        env = {**self.sshd.env, "WALG_SSH_PREFIX": f"ssh://127.0.0.1{root}", "WALRIG_RETRY_ATTEMPTS": "1"}
        fetch = ("wal-fetch", "000000010000000000000001", self.path("fetched"))
        for words in (fetch, ("backup-list",), ("st", "ls")):
            done = walrig_here(*words, env=env)
            self.assertNotIn(done.returncode, (0, 74), f"{words}: {done.stdout}{done.stderr}")
            self.assertIn(f"directory {root} does not exist", done.stderr)
        self.assertFalse(os.path.exists(os.path.dirname(root)), "a read made the directory")
        file = self.path("file")
        with open(file, "w") as f:
            f.write("bytes")
        done = walrig_here("st", "put", file, "folder/file", env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(walrig_here(*fetch, env=env).returncode, 74)
        done = walrig_here("backup-list", env=env)
        self.assertEqual(done.returncode, 0, done.stderr)


class BackupThereAndBack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World("ssh")
        cls.addClassCleanup(cls.world.close)
        cls.sshd = servers.sshd().__enter__()
        cls.addClassCleanup(cls.sshd.__exit__, None, None, None)
        cls.world.env.pop("WALG_FILE_PREFIX")
        cls.world.env.update(cls.sshd.env)
        cls.primary = Cluster(cls.world, "primary").initdb().archive()
        cls.primary.start()
        cls.primary.sql("create table t as select g as id, md5(g::text) as v from generate_series(1, 300000) g")

    def push(self, **more):
        return self.world.walrig("backup-push", self.primary.pgdata, cluster=self.primary, **more)

    def test_the_first_backup_makes_the_root(self):
        self.push(env={"WALG_SSH_PREFIX": self.sshd.env["WALG_SSH_PREFIX"] + "/not/there/yet", "WALRIG_WAL_ARCHIVE": "elsewhere"})
        self.assertTrue(any(k.startswith("not/there/yet/basebackups_005/") for k in self.sshd.keys()))
        shutil.rmtree(os.path.join(self.sshd.data, "not"))

    def test_a_backup_comes_back_whole(self):
        self.push()
        target = self.world.path("restored")
        self.world.walrig("backup-fetch", target, "LATEST")
        self.assertEqual(self.world.check_directory(target), "")

    def test_killed_in_mid_upload_nothing_is_visible_and_the_next_run_is_fine(self):
        process = self.world.popen([self.world.walrig_path, "backup-push", self.primary.pgdata],
                                   env={**self.primary.env, "WALG_NETWORK_RATE_LIMIT": "2000000"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while not any(".tmp." in k for k in self.sshd.keys()) and time.monotonic() < end:
            time.sleep(0.05)
        before = [k for k in self.sshd.keys() if ".tmp." in k]
        process.kill()
        process.wait()
        self.assertTrue(before, "the upload was not seen to begin")
        listed = json.loads(self.world.walrig("backup-list", "--json").out or "[]")
        self.push()
        self.assertEqual(len(json.loads(self.world.walrig("backup-list", "--json").out)), len(listed or []) + 1)


if __name__ == "__main__":
    unittest.main()
