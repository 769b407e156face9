"""Throwaway PostgreSQL clusters and an installed walrig for the integration tests.

Everything lives below one directory that is removed at the end. PostgreSQL refuses to run as root, so root hands the
directory to the user postgres and runs the servers as that user. Settings by environment:
  WALRIG_BUILD     the build tree (its `cmake --install` is what is tested)
  WALRIG_PG_BIN    PostgreSQL's programs; default: Debian's, of the newest major that is there
  WALRIG_PG_TOOLS  psql, pg_verifybackup and the like, where WALRIG_PG_BIN has none; default as above
  WALRIG_KEEP=1    keeps the directory
"""
import atexit
import functools
import json
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import manifest_check  # noqa: E402
from servers import postgres  # noqa: E402

TOOLS = os.environ.get("WALRIG_PG_TOOLS") or postgres.newest()
PG_BIN = os.environ.get("WALRIG_PG_BIN", TOOLS)
BUILD = os.environ.get("WALRIG_BUILD", os.path.join(os.path.dirname(__file__), "../../build/developer"))
ROOT = os.getuid() == 0
USER = os.environ.get("WALRIG_PG_USER", "postgres") if ROOT else pwd.getpwuid(os.getuid()).pw_name

signal.signal(signal.SIGTERM, signal.default_int_handler)  # what ends the tests also stops their servers


def require_postgres():
    for program in ("initdb", "pg_ctl", "postgres"):
        if not os.access(os.path.join(PG_BIN, program), os.X_OK):
            message = f"no {program} in {PG_BIN}"
            if os.environ.get("CI"):
                raise RuntimeError(message)
            print(f"SKIPPED: {message}")
            raise unittest.SkipTest(message)


@functools.lru_cache(maxsize=None)
def major_of(program):
    """15 for a program whose --version says "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"\) (\d+)", said)[1])


def server_major():
    return major_of(f"{PG_BIN}/postgres")


def tools_major():
    return major_of(f"{TOOLS}/psql")


@functools.lru_cache(maxsize=None)
def skipped(what, why):
    """Says once, aloud, what this server or these tools do not allow to check."""
    print(f"SKIPPED {what}: {why}", flush=True)


class Result:
    def __init__(self, completed, seconds):
        self.code, self.out, self.err, self.seconds = completed.returncode, completed.stdout, completed.stderr, seconds

    def __str__(self):
        return f"exit {self.code} after {self.seconds:.2f} s\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class World:
    """A directory, an installation of walrig in it, and the clusters made in it."""

    def __init__(self, name):
        require_postgres()
        # Below a directory that only its owner can write to: walrig refuses plugins from anywhere else.
        base = "/opt" if ROOT else os.path.join(os.path.abspath(BUILD), "world")
        os.makedirs(base, exist_ok=True)
        self.dir = tempfile.mkdtemp(prefix=f"walrig-{name}-", dir=base)
        os.chmod(self.dir, 0o755)
        self.prefix = os.path.join(self.dir, "prefix")
        done = subprocess.run(["cmake", "--install", BUILD, "--prefix", self.prefix], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"cmake --install failed: {done.stdout}{done.stderr}")
        self.walrig_path = os.path.join(self.prefix, "bin/walrig")
        self.data = os.path.join(self.dir, "w")
        os.mkdir(self.data, 0o755)
        self.own(self.data)
        self.storage = self.mkdir("storage")
        self.env = {"PATH": f"{TOOLS}:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "HOME": self.mkdir("home"), "TZ": "UTC",
                    "WALG_FILE_PREFIX": self.storage, "WALG_COMPRESSION_METHOD": "zstd", "WALG_ZSTD_LEVEL": "fastest"}
        if not ROOT:
            # A checkout may lie where others can write; root's prefix below /opt keeps the rules of trust in the test.
            self.env["WALRIG_PLUGIN_TRUST"] = "any"
        for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.clusters, self.closed = [], False
        atexit.register(self.close)  # an interrupted run skips the classes' cleanups

    def own(self, path):
        if ROOT:
            shutil.chown(path, USER)

    def mkdir(self, name, mode=0o700):
        path = os.path.join(self.data, name)
        os.makedirs(path, mode)
        self.own(path)
        return path

    def path(self, name):
        return os.path.join(self.data, name)

    def command(self, words):
        return (["setpriv", f"--reuid={USER}", f"--regid={pwd.getpwnam(USER).pw_gid}", "--clear-groups"] if ROOT else []) + list(words)

    def run(self, words, env=None, timeout=300, check=False, cwd=None, stdin=None):
        start = time.monotonic()
        done = subprocess.run(self.command(words), env={**self.env, **(env or {})}, cwd=cwd or self.data, text=True, input=stdin,
                              capture_output=True, timeout=timeout, errors="replace")
        result = Result(done, time.monotonic() - start)
        if check and result.code:
            raise AssertionError(f"{' '.join(words)}: {result}")
        return result

    def check_directory(self, pgdata):
        """Findings of pg_verifybackup, or of our own check where that one is too old for the manifest; empty when there are none."""
        if server_major() < 17 or tools_major() >= 17:
            done = self.run([f"{TOOLS}/pg_verifybackup", "-n", pgdata])
            return "" if done.code == 0 and "backup successfully verified" in done.out + done.err else str(done)
        skipped("pg_verifybackup", f"that of {tools_major()} reads no manifest of version 2; the test compares names, sizes, CRC-32C and the manifest's checksum")
        with open(os.path.join(pgdata, "global/pg_control"), "rb") as f:
            (system_identifier,) = struct.unpack("<Q", f.read(8))
        return "\n".join(manifest_check.check_directory(pgdata, 2, system_identifier))

    def popen(self, words, env=None, **more):
        return subprocess.Popen(self.command(words), env={**self.env, **(env or {})}, cwd=self.data, text=True, **more)

    def walrig(self, *words, env=None, check=True, timeout=300, cluster=None, cwd=None):
        return self.run([self.walrig_path, *words], env={**(cluster.env if cluster else {}), **(env or {})}, check=check, timeout=timeout, cwd=cwd)

    def close(self):
        if self.closed:
            return
        self.closed = True
        for cluster in self.clusters:
            cluster.stop("immediate")
        if os.environ.get("WALRIG_KEEP"):
            print(f"kept {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cluster:
    """One PostgreSQL server; `pgdata` may come from initdb or from a restore."""

    def __init__(self, world, name, pgdata=None):
        self.world, self.name = world, name
        self.pgdata = pgdata or world.path(name)
        self.port = free_port()
        self.socket_dir = tempfile.mkdtemp(prefix="pgs-")  # short: a socket's path has 107 bytes at the most
        world.own(self.socket_dir)
        self.env = {"PGHOST": self.socket_dir, "PGPORT": str(self.port), "PGUSER": "postgres", "PGDATABASE": "postgres", "PGDATA": self.pgdata}
        self.log = world.path(f"{name}.log")
        world.clusters.append(self)

    def initdb(self, *extra, checksums=True, wal_segsize=16):
        words = [f"{PG_BIN}/initdb", "-D", self.pgdata, "-U", "postgres", "--locale=C", "-E", "UTF8", "-A", "trust", "-N", f"--wal-segsize={wal_segsize}"]
        without = ["--no-data-checksums"] if server_major() >= 18 else []
        self.world.run(words + (["-k"] if checksums else without) + list(extra), check=True)
        self.configure(fsync="off", wal_level="replica", max_wal_senders=5, autovacuum="off", log_min_messages="info")
        return self

    def configure(self, **settings):
        with open(os.path.join(self.pgdata, "postgresql.conf"), "a") as f:
            for key, value in settings.items():
                f.write("%s = '%s'\n" % (key, str(value).replace("'", "''")))

    def archive(self, command=None):
        """archive_command runs walrig as a server would: nothing in its environment but what a service file gives."""
        env = " ".join(f"{k}={v!r}" for k, v in self.world.env.items() if k.startswith(("WALG_", "WALRIG_", "HOME", "ASAN", "TSAN")))
        self.configure(archive_mode="on", archive_command=command or f"env {env} {self.world.walrig_path} wal-push %p", archive_timeout="0")
        return self

    def start(self, wait=True, timeout=120):
        words = [f"{PG_BIN}/pg_ctl", "-D", self.pgdata, "-l", self.log, "-t", str(timeout),
                 "-o", f"-p {self.port} -k {self.socket_dir} -c listen_addresses=''", "-w" if wait else "-W", "start"]
        result = self.world.run(words, timeout=timeout + 30)
        if result.code:
            raise AssertionError(f"{self.name} does not start: {result}\n{self.server_log()[-4000:]}")
        return self

    def server_log(self):
        try:
            with open(self.log, errors="replace") as f:
                return f.read()
        except OSError:
            return "(no log)"

    def stop(self, mode="fast"):
        if os.path.exists(os.path.join(self.pgdata, "postmaster.pid")):
            self.world.run([f"{PG_BIN}/pg_ctl", "-D", self.pgdata, "-m", mode, "-w", "-t", "60", "stop"])
        shutil.rmtree(self.socket_dir, ignore_errors=True) if mode == "immediate" else None

    def sql(self, text, database="postgres", check=True):
        result = self.world.run([f"{TOOLS}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", text], env=self.env)
        if check and result.code:
            raise AssertionError(f"{text}: {result}\n{self.server_log()[-2000:]}")
        return result.out.strip()

    def pgbench(self, *words):
        return self.world.run([f"{TOOLS}/pgbench", *words], env=self.env, check=True)

    def wait_for(self, sql, want, seconds=60):
        deadline = time.monotonic() + seconds
        got = None
        while time.monotonic() < deadline:
            result = self.world.run([f"{TOOLS}/psql", "-XAtq", "-d", "postgres", "-c", sql], env=self.env)
            got = result.out.strip() if result.code == 0 else result.err
            if got == want:
                return
            time.sleep(0.1)
        raise AssertionError(f"{sql}: wanted {want}, got {got}\n{self.server_log()[-4000:]}")

    def switch_wal(self):
        """Closes the current segment and waits until it is archived."""
        name = self.sql("select pg_walfile_name(pg_switch_wal())")
        # Not by pg_stat_archiver: the last file may be a backup's history, whose name is lower.
        self.wait_for(f"select count(*) from pg_ls_archive_statusdir() where name = '{name}.ready'", "0")
        return name


def tree_listing(top):
    """Relative path -> (kind, mode, size), for everything below `top`."""
    found = {}
    for directory, names, files in os.walk(top):
        for name in names + files:
            path = os.path.join(directory, name)
            st = os.lstat(path)
            found[os.path.relpath(path, top)] = (st.st_mode & 0o170000, st.st_mode & 0o7777, st.st_size)
    return found


def wait_until(condition, seconds=60, what="condition"):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come true within {seconds} s")


__all__ = ["World", "Cluster", "ROOT", "PG_BIN", "TOOLS", "server_major", "tools_major", "skipped", "tree_listing", "wait_until", "json", "os", "shutil", "signal", "subprocess", "sys", "time", "unittest"]
