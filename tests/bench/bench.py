#!/usr/bin/env python3
"""walrig beside its peers, in one run, on one machine: one table.

  bench.py --build BUILD_DIR [--scale 100] [--rounds 5] [--workers 2] [--only REGEX] [--cache DIR] [--files N] [--json FILE]

Peers: WAL-RUS 0.4.1 (cargo install into --cache; without cargo its row says so), pgBackRest of Debian (zst level 1,
bundling), tar | zstd -1. Clusters: pgbench of --scale, and one of incompressible rows; both stay in the page cache, so that
programs are compared and not disks. Each figure is the median of --rounds, tools taking turns within a round.

Columns: wall and CPU (user + system, with children) in seconds, peak RSS in MiB of the largest process, size stored.
A restore's wall is until it is durable: `sync -f` is added where the tool does not fsync. Restores and backups alike end
with everything written back before the next one begins.
"""
import argparse
import json
import os
import pwd
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers import postgres  # noqa: E402

BIN = postgres.newest()
ROOT = os.getuid() == 0
USER = "postgres" if ROOT else pwd.getpwuid(os.getuid()).pw_name


def as_user(words):
    return (["setpriv", f"--reuid={USER}", f"--regid={pwd.getpwnam(USER).pw_gid}", "--clear-groups"] if ROOT else []) + list(words)


class Measured:
    def __init__(self, wall, cpu, rss_kib):
        self.wall, self.cpu, self.rss = wall, cpu, rss_kib / 1024


def measure(words, env, cwd, also=None):
    """Runs a command (and `also`, counted in the wall time only); raises with its output when it fails."""
    with tempfile.TemporaryFile("w+") as output:
        start = time.monotonic()
        process = subprocess.Popen(as_user(words), env=env, cwd=cwd, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        if also:
            subprocess.run(also, check=True)
        wall = time.monotonic() - start
        if status:
            output.seek(0)
            raise RuntimeError(f"{' '.join(words)}: exit {os.waitstatus_to_exitcode(status)}\n{output.read()[-2000:]}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)


def quiet(words, env=None, check=True, user=True):
    done = subprocess.run(as_user(words) if user else words, env=env, capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


def size_of(path):
    return int(subprocess.run(["du", "-sb", path], capture_output=True, text=True).stdout.split()[0]) if os.path.exists(path) else 0


class Bench:
    def __init__(self, a):
        self.a = a
        base = "/opt" if ROOT else os.path.abspath(a.build)
        self.dir = tempfile.mkdtemp(prefix="walrig-bench-", dir=base)
        os.chmod(self.dir, 0o755)
        self.prefix = os.path.join(self.dir, "prefix")
        quiet(["cmake", "--install", a.build, "--prefix", self.prefix], user=False)
        self.data = os.path.join(self.dir, "w")
        os.mkdir(self.data)
        if ROOT:
            shutil.chown(self.data, USER)
        self.sockets = tempfile.mkdtemp(prefix="wb.")
        if ROOT:
            shutil.chown(self.sockets, USER)
        self.env = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": self.data, "LC_ALL": "C.UTF-8", "PGHOST": self.sockets, "PGPORT": "5432",
                    "PGUSER": "postgres", "PGDATABASE": "postgres"}
        self.walrus = self.find_walrus()
        self.notes = []
        self.rows = []

    def find_walrus(self):
        path = os.path.join(self.a.cache, "wal-rus-0.4.1/bin/walrus")
        if not os.path.exists(path) and shutil.which("cargo"):
            print("installing WAL-RUS 0.4.1 by cargo, once", file=sys.stderr)
            subprocess.run(["cargo", "install", "wal-rus", "--version", "0.4.1", "--quiet", "--root", os.path.dirname(os.path.dirname(path))])
        return path if os.path.exists(path) else None

    def path(self, *parts):
        return os.path.join(self.data, *parts)

    def fresh(self, name, mode=0o700):
        path = self.path(name)
        shutil.rmtree(path, ignore_errors=True)
        os.mkdir(path, mode)
        if ROOT:
            shutil.chown(path, USER)
        return path

    # -- clusters -------------------------------------------------------------------------------------------------------
    def make_cluster(self, name):
        pg = self.path(name)
        quiet([f"{BIN}/initdb", "-D", pg, "-U", "postgres", "-A", "trust", "-k", "-N", "--locale=C"], self.env)
        with open(os.path.join(pg, "postgresql.conf"), "a") as f:
            f.write(f"listen_addresses=''\nunix_socket_directories='{self.sockets}'\nfsync=off\nautovacuum=off\nmax_wal_size=8GB\n"
                    f"shared_buffers=256MB\narchive_mode=on\narchive_command='true'\n")
        self.start(pg)
        if name == "pgbench":
            quiet([f"{BIN}/pgbench", "-i", "-s", str(self.a.scale), "-q"], self.env)
        else:
            quiet([f"{BIN}/psql", "-XAtq", "-c", "create extension pgcrypto", "-c", "create table noise (b bytea)",
                   "-c", f"insert into noise select gen_random_bytes(1000) from generate_series(1, {self.a.scale * 14000})"], self.env)
        quiet([f"{BIN}/psql", "-XAtqc", "checkpoint"], self.env)
        return pg

    def start(self, pg):
        quiet([f"{BIN}/pg_ctl", "-D", pg, "-l", pg + ".log", "-w", "start"], self.env)

    def stop(self, pg):
        quiet([f"{BIN}/pg_ctl", "-D", pg, "-m", "fast", "-w", "stop"], self.env, check=False)

    # -- tools: name -> (backup, restore, stored folder, does it fsync what it restores?) -------------------------------------
    def wal_g_like(self, program, storage):
        w = str(self.a.workers)
        return {**self.env, "WALG_FILE_PREFIX": storage, "WALG_COMPRESSION_METHOD": "zstd", "WALG_ZSTD_LEVEL": "fastest", "WALG_THREADS": w,
                "WALG_UPLOAD_DISK_CONCURRENCY": w, "WALG_UPLOAD_CONCURRENCY": w, "WALG_DOWNLOAD_CONCURRENCY": w,
                "WALRIG_WAL_ARCHIVE": "elsewhere"}  # archive_command is 'true'

    def tools(self, pg):
        a = self.a
        walrig = os.path.join(self.prefix, "bin/walrig")
        found = {}

        def prefix_tool(name, program, fsyncs):
            env = self.wal_g_like(program, self.path("s-" + name))
            found[name] = dict(
                backup=lambda: (self.fresh("s-" + name), measure([program, "backup-push", pg], env, self.data))[1],
                restore=lambda: (shutil.rmtree(self.path("r"), ignore_errors=True),
                                 measure([program, "backup-fetch", self.path("r"), "LATEST"], env, self.data,
                                         None if fsyncs else ["sync", "-f", self.data]))[1],
                stored=self.path("s-" + name, "basebackups_005"))

        prefix_tool("walrig", walrig, True)
        if self.walrus:
            prefix_tool("WAL-RUS 0.4.1", self.walrus, False)
        elif "WAL-RUS" not in "".join(self.notes):
            self.notes.append("WAL-RUS: not measured: no cargo to install it with")
        if shutil.which("pgbackrest"):
            self.add_pgbackrest(found, pg)
        else:
            self.notes.append("pgBackRest: not measured: not installed (apt-get install pgbackrest)")
        tar = self.path("t.tar.zst")
        found["tar | zstd -1"] = dict(
            backup=lambda: measure(["sh", "-c", f"tar -C {pg} --exclude=./pg_wal -cf - . 2>/dev/null | zstd -1 -q -f -o {tar}; sync {tar}"], self.env, self.data),
            restore=lambda: (self.fresh("r"), measure(["sh", "-c", f"zstd -dc -q {tar} | tar -C {self.path('r')} -xf -"], self.env, self.data,
                                                      ["sync", "-f", self.data]))[1],
            stored=tar)
        return {name: tool for name, tool in found.items() if re.search(a.only, name)}

    def add_pgbackrest(self, found, pg):
        conf = self.path("pgbackrest.conf")
        repo, w = self.path("s-pgbackrest"), self.a.workers
        with open(conf, "w") as f:
            f.write(f"[global]\nrepo1-path={repo}\nrepo1-bundle=y\ncompress-type=zst\ncompress-level=1\nprocess-max={w}\nstart-fast=y\n"
                    f"archive-check=n\nlog-level-file=off\nlog-level-console=warn\nlock-path={self.path('lock')}\nspool-path={self.path('spool')}\n"
                    f"log-path={self.path('log')}\n[main]\npg1-path={pg}\npg1-socket-path={self.sockets}\npg1-port=5432\npg1-user=postgres\n")
        base = ["pgbackrest", f"--config={conf}", "--stanza=main"]

        def backup():
            self.fresh("s-pgbackrest")
            quiet(base + ["stanza-create"], self.env)
            return measure(base + ["--type=full", "backup"], self.env, self.data)

        def restore():
            self.fresh("r")
            return measure(base + [f"--pg1-path={self.path('r')}", "restore"], self.env, self.data)

        found["pgBackRest"] = dict(backup=backup, restore=restore, stored=repo)

    # -- what is measured -----------------------------------------------------------------------------------------------------
    def backups_and_restores(self, cluster):
        pg = self.make_cluster(cluster)
        quiet(["sh", "-c", f"find {pg} -type f -exec cat {{}} + > /dev/null"])
        plain = size_of(pg) - size_of(os.path.join(pg, "pg_wal"))
        tools = self.tools(pg)
        results = {name: {"backup": [], "restore": [], "stored": 0} for name in tools}
        for round_number in range(self.a.rounds + 1):  # the first round warms up and does not count
            for name, tool in tools.items():
                for what in ("backup", "restore"):
                    subprocess.run(["sync", "-f", self.data])
                    measured = tool[what]()
                    if round_number:
                        results[name][what].append(measured)
                results[name]["stored"] = size_of(tool["stored"])
                print(f"{cluster} round {round_number} {name}", file=sys.stderr)
        self.stop(pg)
        for name, r in results.items():
            for what in ("backup", "restore"):
                self.rows.append(self.row(f"{cluster} {what}", name, r[what], r["stored"], plain))
        shutil.rmtree(self.path("r"), ignore_errors=True)
        return pg

    @staticmethod
    def row(what, name, samples, stored=0, plain=0):
        median = lambda pick: statistics.median(pick(s) for s in samples)
        return dict(what=what, tool=name, wall=median(lambda s: s.wall), cpu=median(lambda s: s.cpu), rss=max(s.rss for s in samples), stored=stored, plain=plain)

    def wal(self, pg):
        """One full 16 MiB segment of OLTP load: push, fetch, fetch of what is not there, --version."""
        walrig = os.path.join(self.prefix, "bin/walrig")
        self.start(pg)
        quiet([f"{BIN}/pgbench", "-n", "-c", "2", "-t", "12000"], self.env, check=False)
        name = quiet([f"{BIN}/psql", "-XAtqc", "select pg_walfile_name(pg_current_wal_lsn() - 17 * 1024 * 1024)"], self.env).strip()
        # Copied before the server's last checkpoint recycles it, and put back where pgBackRest looks for it.
        wal_dir = self.fresh("pg_wal")
        copy = os.path.join(wal_dir, name)
        shutil.copy(os.path.join(pg, "pg_wal", name), copy)
        self.stop(pg)
        shutil.copy(copy, os.path.join(pg, "pg_wal", name))
        if ROOT:
            shutil.chown(copy, USER)
            shutil.chown(os.path.join(pg, "pg_wal", name), USER)
        programs = {"walrig": walrig}
        if self.walrus:
            programs["WAL-RUS 0.4.1"] = self.walrus
        commands = {}
        for tool, program in programs.items():
            env = self.wal_g_like(program, self.fresh("w-" + tool))
            commands[tool] = (env, {"wal-push": [program, "wal-push", os.path.join(wal_dir, name)],
                                    "wal-fetch": [program, "wal-fetch", name, self.path("fetched")],
                                    "fetch of none": [program, "wal-fetch", "0000000100000000000000FF", self.path("fetched")],
                                    "--version": [program, "--version"]})
        if shutil.which("pgbackrest"):
            base = ["pgbackrest", f"--config={self.path('pgbackrest.conf')}", "--stanza=main"]
            commands["pgBackRest"] = (self.env, {"wal-push": base + ["archive-push", os.path.join(pg, "pg_wal", name)],
                                                 "wal-fetch": base + ["archive-get", name, self.path("fetched")],
                                                 "fetch of none": base + ["archive-get", "0000000100000000000000FF", self.path("fetched")],
                                                 "--version": ["pgbackrest", "version"]})
        for what in ("wal-push", "wal-fetch", "fetch of none", "--version"):
            samples = {tool: [] for tool in commands}
            for _ in range(self.a.rounds * 4 + 1):
                for tool, (env, by_name) in commands.items():
                    if os.path.exists(self.path("fetched")):
                        os.unlink(self.path("fetched"))
                    if what == "wal-push":
                        self.forget(tool, name)
                    try:
                        samples[tool].append(measure(by_name[what], env, self.data))
                    except RuntimeError as e:
                        if what != "fetch of none":
                            raise
                        samples[tool].append(self.failed_quickly(by_name[what], env, e))
            for tool in commands:
                self.rows.append(self.row(what, tool, samples[tool][1:]))

    def forget(self, tool, name):
        for directory, _, files in os.walk(self.path("s-pgbackrest" if tool == "pgBackRest" else "w-" + tool)):
            for f in files:
                if f.startswith(name):
                    os.unlink(os.path.join(directory, f))

    def failed_quickly(self, words, env, error):
        """The absent segment's exit code is not 0: measured again, the code ignored."""
        start = time.monotonic()
        process = subprocess.Popen(as_user(words), env=env, cwd=self.data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        if os.waitstatus_to_exitcode(status) not in (1, 74):
            raise error
        return Measured(time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)

    def many_files(self, count):
        """Peak memory and time with `count` small files, walrig alone."""
        pg = self.path("many")
        quiet([f"{BIN}/initdb", "-D", pg, "-U", "postgres", "-A", "trust", "-N", "--locale=C"], self.env)
        with open(os.path.join(pg, "postgresql.conf"), "a") as f:
            f.write(f"listen_addresses=''\nunix_socket_directories='{self.sockets}'\nfsync=off\narchive_mode=on\narchive_command='true'\n")
        subprocess.run(as_user([sys.executable, "-c", f"import os\nfor d in range({max(1, count // 1000)}):\n os.makedirs('{pg}/extra/%d' % d)\n"
                                f" for f in range(1000): open('{pg}/extra/%d/%d' % (d, f), 'w').write('x' * 100)"]), check=True)
        self.start(pg)
        tools = {k: v for k, v in self.tools(pg).items() if k == "walrig"}
        for what in ("backup", "restore"):
            self.rows.append(self.row(f"{count} files {what}", "walrig", [tools["walrig"][what]()]))
        self.stop(pg)

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def table(self):
        best = {}
        for r in self.rows:
            if r["tool"] != "walrig":
                best.setdefault(r["what"], {}).update({r["tool"]: r})
        print(f"\nmedians of {self.a.rounds} rounds, {self.a.workers} workers, {os.cpu_count()} cores, zstd level 1")
        print(f"{'what':24} {'tool':16} {'wall s':>8} {'CPU s':>8} {'RSS MiB':>8} {'stored MiB':>10}   walrig's wall / CPU relative to it")
        mine = {r["what"]: r for r in self.rows if r["tool"] == "walrig"}
        for r in self.rows:
            own = mine.get(r["what"])
            relative = f"{own['wall'] / r['wall']:.2f} / {own['cpu'] / max(r['cpu'], 1e-9):.2f}" if own and r is not own else ""
            stored = f"{r['stored'] / 2**20:10.1f}" if r["stored"] else " " * 10
            print(f"{r['what']:24} {r['tool']:16} {r['wall']:8.3f} {r['cpu']:8.3f} {r['rss']:8.1f} {stored}   {relative}")
        for note in self.notes:
            print("note:", note)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", required=True)
    p.add_argument("--scale", type=int, default=100)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--only", default="")
    p.add_argument("--files", type=int, default=0, help="also measure this many small files")
    p.add_argument("--clusters", default="pgbench,noise")
    p.add_argument("--cache", default=os.path.expanduser("~/.cache/walrig-bench"))
    p.add_argument("--json")
    a = p.parse_args()
    bench = Bench(a)
    try:
        for i, cluster in enumerate(a.clusters.split(",")):
            pg = bench.backups_and_restores(cluster)
            if i == 0:
                bench.wal(pg)
            shutil.rmtree(pg)
        if a.files:
            bench.many_files(a.files)
        if a.json:
            with open(a.json, "w") as f:
                json.dump(bench.rows, f, indent=1)
    finally:
        bench.table()  # of what was measured, even when something failed later
        for name in ("pgbench", "noise", "many"):
            if os.path.exists(bench.path(name, "postmaster.pid")):
                bench.stop(bench.path(name))
        bench.close()


if __name__ == "__main__":
    main()
