"""A server as a child process: started on a loopback port, awaited, stopped by its process id, its data thrown away."""
import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.getuid() == 0


def test_user():
    """Whom the tests run walrig and PostgreSQL as: root gives itself up for the user postgres, where there is one."""
    mine = pwd.getpwuid(os.getuid()).pw_name
    wanted = os.environ.get("WALRIG_PG_USER", "postgres") if ROOT else mine
    try:
        pwd.getpwnam(wanted)
    except KeyError:
        return mine
    return wanted


USER = test_user()


def cache():
    """Where install.sh keeps the servers."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME", "/tmp"), ".cache")
    return os.environ.get("WALRIG_TEST_CACHE") or os.path.join(home, "walrig-tests")


def versions():
    with open(os.path.join(HERE, "versions.env")) as f:
        return dict(line.strip().split("=", 1) for line in f if "=" in line and not line.startswith("#"))


def missing(server, why):
    """A server that cannot be had: said aloud, and a failure where CI is set."""
    if os.environ.get("CI"):
        raise RuntimeError(f"{server}: {why}")
    print(f"SKIPPED {server}: {why}", flush=True)
    raise unittest.SkipTest(f"{server}: {why}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def own(path):
    """Gives a path to the user who runs walrig."""
    if ROOT and USER != "root":
        for directory, _, files in os.walk(path):
            shutil.chown(directory, USER)
            for name in files:
                shutil.chown(os.path.join(directory, name), USER)
        if os.path.isfile(path):
            shutil.chown(path, USER)


class Server:
    """`with Server() as s:`; a class below says what to run (`command`) and when it is there (`ready`).

    url      where it listens
    env      the settings that make walrig use it, each server with a fresh bucket, container or folder
    secrets  texts that no log may hold
    dir      its own directory, which goes at the end
    """

    name = "server"
    seconds_to_start = 60

    def __init__(self, port=None):
        self.port = port or free_port()
        self.fixed_port = port is not None
        self.dir = tempfile.mkdtemp(prefix=f"walrig-{self.name}-")
        os.chmod(self.dir, 0o755)
        self.process, self.env, self.secrets, self.url = None, {}, [], ""
        atexit.register(self.stop)

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def ready(self):
        """True when the server answers as itself; an OSError means not yet."""
        raise NotImplementedError

    def set_up(self):
        """After the start: buckets and the like; fills `env`."""

    def start(self):
        for tries_left in (2, 1, 0):
            if self._try_start():
                break
            # Somebody took the port between our look and the server's.
            if tries_left == 0 or self.fixed_port or "in use" not in self.log().lower():
                raise RuntimeError(f"{self.name} did not start: {' '.join(self.command())}\n{self.log()[-3000:]}")
            self.port = free_port()
        self.set_up()
        return self

    def _try_start(self):
        words = ["setpriv", "--pdeathsig", "TERM", "--", *self.command()]
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": self.dir, "LC_ALL": "C.UTF-8", **self.environment()}
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.process = subprocess.Popen(words, env=environment, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + self.seconds_to_start
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            try:
                if self.ready():
                    return True
            except OSError:
                pass
            time.sleep(0.02)
        self.kill(signal.SIGKILL)
        return False

    def log(self):
        with open(os.path.join(self.dir, "log"), errors="replace") as f:
            return f.read()

    @property
    def pid(self):
        return self.process.pid

    def kill(self, number=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def stop(self):
        atexit.unregister(self.stop)
        self.kill()
        if os.environ.get("WALRIG_KEEP"):
            print(f"kept {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()
