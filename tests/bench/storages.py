#!/usr/bin/env python3
"""Each storage beside rclone and sftp, in one run, on loopback: one table.

  storages.py --build BUILD_DIR [--size 4G] [--rounds 3] [--concurrency 1,4,16] [--only REGEX] [--json FILE]

--size of incompressible data in 16 objects goes up and comes back, so many objects at once as the concurrency says:
`walrig st transfer` between a directory and the storage, `rclone copy --transfers`, and OpenSSH's `sftp -b` one after another.
The servers are those of the tests: MinIO, fake-gcs-server, Azurite, sshd. Those that keep everything in memory get at most
--memory-size; their rows name it. What comes back is compared by SHA-256 outside the time that is taken.

Columns: wall seconds, CPU seconds (user + system) a GiB of the client alone, peak RSS in MiB; medians, tools taking turns.
"""
import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import servers  # noqa: E402

OBJECTS = 16
IN_MEMORY = ("gcs", "azure")
# What walrig is to reach: storage, direction -> (CPU s a GiB at most, share of the peer's CPU at most).
CPU_MAX = {("s3", "up"): (1.3, 0.15), ("s3", "down"): (0.75, 0.3), ("ssh", "up"): (None, 1.0), ("ssh", "down"): (None, 1.0)}
RSS_MAX = {16: 160, 4: 160, 1: 48}


def bytes_of(text):
    return int(float(text.rstrip("KMGkmg")) * {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}.get(text[-1].lower(), 1))


def measure(words, env, cwd):
    with tempfile.TemporaryFile("w+") as output:
        start = time.monotonic()
        process = subprocess.Popen(words, env=env, cwd=cwd, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        wall = time.monotonic() - start
        if status:
            output.seek(0)
            raise RuntimeError(f"{' '.join(words)}: exit {os.waitstatus_to_exitcode(status)}\n{output.read()[-1500:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


class Bench:
    def __init__(self, a):
        self.a = a
        self.rows, self.notes = [], []
        self.dir = tempfile.mkdtemp(prefix="walrig-storages-", dir="/var/tmp")
        # Both ends in memory where it suffices, so that programs are compared and not disks.
        free = os.statvfs("/dev/shm")
        roomy = free.f_bavail * free.f_frsize > 3 * a.size
        self.ends = tempfile.mkdtemp(prefix="walrig-storages-", dir="/dev/shm") if roomy else self.dir
        if not roomy:
            self.notes.append("/dev/shm is too small: files come from a disk and go to it")
        self.prefix = os.path.join(self.dir, "prefix")
        subprocess.run(["cmake", "--install", a.build, "--prefix", self.prefix], check=True, capture_output=True)
        self.env = {"PATH": "/usr/bin:/bin", "HOME": self.dir, "LC_ALL": "C.UTF-8", "WALRIG_PLUGIN_TRUST": "any",
                    "RCLONE_CONFIG": os.path.join(self.dir, "rclone.conf")}
        open(self.env["RCLONE_CONFIG"], "w").close()

    def path(self, *parts):
        return os.path.join(self.ends if parts[0] in ("from", "to") else self.dir, *parts)

    def make_objects(self, size):
        """The same names for all tools; SHA-256 of each."""
        folder = self.path("from", "data")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        self.sums = {}
        for i in range(OBJECTS):
            digest = hashlib.sha256()
            with open(os.path.join(folder, f"object-{i:02}"), "wb") as f:
                for at in range(0, size // OBJECTS, 1 << 20):
                    block = os.urandom(min(1 << 20, size // OBJECTS - at))
                    digest.update(block)
                    f.write(block)
            self.sums[f"object-{i:02}"] = digest.hexdigest()
        subprocess.run(["sync", "-f", folder], check=True)

    def check(self, folder):
        for name, want in self.sums.items():
            with open(os.path.join(folder, name), "rb") as f:
                if hashlib.file_digest(f, "sha256").hexdigest() != want:
                    raise RuntimeError(f"{folder}/{name} came back other than it went")

    def fresh(self, name):
        shutil.rmtree(self.path(name), ignore_errors=True)
        os.makedirs(self.path(name))
        return self.path(name)

    # -- tools: (up, down), each a function of the concurrency that answers what was measured ----------------------------------
    def walrig(self, env):
        config = self.path("walg.json")
        with open(config, "w") as f:
            json.dump({**env, "WALG_FAILOVER_STORAGES_CHECK": False, "WALG_FAILOVER_STORAGES":
                       {"from": {"WALG_FILE_PREFIX": self.path("from")}, "to": {"WALG_FILE_PREFIX": self.path("to")}}}, f)
        program = os.path.join(self.prefix, "bin/walrig")

        def move(concurrency, source, target):
            count = {"WALG_UPLOAD_CONCURRENCY": str(concurrency), "WALG_DOWNLOAD_CONCURRENCY": str(concurrency)}
            return measure([program, "--config", config, "st", "transfer", "files", "data/", "--source", source, "--target", target, "--preserve",
                            "--overwrite", "--fail-fast", "--concurrency", str(concurrency)], {**self.env, **count}, self.dir)

        return (lambda n: move(n, "from", "default")), (lambda n: (self.fresh("to"), move(n, "default", "to"), self.check(self.path("to", "data")))[1])

    def rclone(self, remote):
        env = {**self.env, **{f"RCLONE_CONFIG_PEER_{k}": v for k, v in remote.items() if k != "path"}}
        base = ["rclone", "copy", "--ignore-times", "--no-traverse"]
        there = "peer:" + remote["path"]
        return (lambda n: measure(base + ["--transfers", str(n), self.path("from", "data"), there], env, self.dir),
                lambda n: (self.fresh("to"), measure(base + ["--transfers", str(n), there, self.path("to")], env, self.dir), self.check(self.path("to")))[1])

    def sftp(self, server):
        folder = os.path.join(server.data, "sftp")
        base = ["sftp", "-q", "-o", f"UserKnownHostsFile={server.env['WALRIG_SSH_KNOWN_HOSTS']}", "-o", f"Port={server.port}",
                "-i", server.env["SSH_PRIVATE_KEY_PATH"], "-b"]
        place = f"{server.env['SSH_USERNAME']}@127.0.0.1"

        def run(lines):
            batch = self.path("batch")
            with open(batch, "w") as f:
                f.write("\n".join(lines) + "\n")
            return measure(base + [batch, place], self.env, self.dir)

        return (lambda n: run([f"-mkdir {folder}"] + [f"put {self.path('from', 'data', name)} {folder}/{name}" for name in self.sums]),
                lambda n: (self.fresh("to"), run([f"get {folder}/{name} {self.path('to', name)}" for name in self.sums]), self.check(self.path("to")))[1])

    @contextlib.contextmanager
    def storage(self, kind):
        """A server of `kind`, and the tools for it."""
        if kind == "fs":
            yield {"walrig": self.walrig({"WALG_FILE_PREFIX": self.fresh("fs")})}
            return
        start = {"s3": servers.minio, "gcs": servers.fake_gcs, "azure": servers.azurite, "ssh": servers.sshd}[kind]
        with start() as server:
            tools = {"walrig": self.walrig(server.env)}
            e = server.env
            if kind == "s3":
                tools["rclone"] = self.rclone({"TYPE": "s3", "PROVIDER": "Minio", "ENDPOINT": server.url, "ACCESS_KEY_ID": e["AWS_ACCESS_KEY_ID"],
                                               "SECRET_ACCESS_KEY": e["AWS_SECRET_ACCESS_KEY"], "REGION": e["AWS_REGION"], "path": f"{server.bucket}/rclone"})
            if kind == "azure":
                tools["rclone"] = self.rclone({"TYPE": "azureblob", "ACCOUNT": e["AZURE_STORAGE_ACCOUNT"], "KEY": e["AZURE_STORAGE_ACCESS_KEY"],
                                               "ENDPOINT": e["AZURE_ENDPOINT"], "path": f"{server.container}/rclone"})
            if kind == "ssh":
                tools["rclone"] = self.rclone({"TYPE": "sftp", "HOST": "127.0.0.1", "PORT": str(server.port), "USER": e["SSH_USERNAME"],
                                               "KEY_FILE": e["SSH_PRIVATE_KEY_PATH"], "path": os.path.join(server.data, "rclone")})
                tools["sftp"] = self.sftp(server)
            if "rclone" in tools and not shutil.which("rclone"):
                del tools["rclone"]
                self.notes.append("rclone: not measured: not installed (apt-get install rclone)")
            yield tools

    def run(self, kind, size):
        if kind in IN_MEMORY:
            size = min(size, bytes_of(self.a.memory_size))
        self.make_objects(size)
        gib = size / (1 << 30)
        with self.storage(kind) as tools:
            for concurrency in self.a.concurrency:
                samples = {}
                for round_number in range(self.a.rounds + 1):  # the first round warms up and does not count
                    for tool in list(tools):
                        if tool == "sftp" and concurrency > 1:
                            continue
                        for direction in (0, 1):
                            try:
                                wall, cpu, rss = tools[tool][direction](concurrency)
                            except RuntimeError as e:
                                if tool == "walrig":
                                    raise
                                self.notes.append(f"{kind}: {tool} left out: {' '.join(str(e).split())[-200:]}")
                                del tools[tool]
                                break
                            if round_number:
                                samples.setdefault((tool, ("up", "down")[direction]), []).append((wall, cpu / gib, rss))
                            print(f"{kind} {concurrency} {tool} {('up', 'down')[direction]} {wall:.2f} s", file=sys.stderr)
                for (tool, direction), taken in samples.items():
                    wall, cpu, rss = (statistics.median(column) for column in zip(*taken))
                    self.rows.append({"storage": kind, "size": size, "concurrency": concurrency, "tool": tool, "direction": direction, "wall": wall,
                                      "cpu": cpu, "rss": max(one[2] for one in taken)})

    def verdict(self, row):
        """What walrig's row was to reach, and whether it did."""
        said = []
        limit, share = CPU_MAX.get((row["storage"], row["direction"]), (None, None))
        if limit:
            said.append(f"CPU <= {limit}: {'met' if row['cpu'] <= limit else 'MISSED'}")
        same = [r for r in self.rows if (r["storage"], r["concurrency"], r["direction"]) == (row["storage"], row["concurrency"], row["direction"])]
        peer = next((r for r in same if r["tool"] == ("sftp" if row["storage"] == "ssh" else "rclone")), None)
        if share and peer:
            said.append(f"CPU {row['cpu'] / peer['cpu']:.2f} of {peer['tool']}'s, <= {share}: {'met' if row['cpu'] <= share * peer['cpu'] else 'MISSED'}")
            if row["storage"] == "ssh":
                said.append(f"wall {row['wall'] / peer['wall']:.2f}: {'met' if row['wall'] <= peer['wall'] else 'MISSED'}")
        most = RSS_MAX.get(row["concurrency"])
        if most:
            said.append(f"RSS <= {most}: {'met' if row['rss'] <= most else 'MISSED'}")
        return "; ".join(said)

    def table(self):
        print(f"\nmedians of {self.a.rounds} rounds, {os.cpu_count()} cores, {OBJECTS} objects, loopback")
        print(f"{'storage':8} {'GiB':>5} {'at once':>7} {'way':5} {'tool':8} {'wall s':>8} {'CPU s/GiB':>9} {'RSS MiB':>8}")
        for r in sorted(self.rows, key=lambda r: (r["storage"], r["concurrency"], r["direction"] == "down")):
            told = self.verdict(r) if r["tool"] == "walrig" else ""
            print(f"{r['storage']:8} {r['size'] / (1 << 30):5.2f} {r['concurrency']:7} {r['direction']:5} {r['tool']:8} {r['wall']:8.2f} {r['cpu']:9.2f} {r['rss']:8.1f}   {told}")
        for note in self.notes:
            print("note:", note)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", required=True)
    p.add_argument("--size", type=bytes_of, default=bytes_of("4G"))
    p.add_argument("--memory-size", default="1G", help="for servers that keep everything in memory")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--concurrency", type=lambda text: [int(one) for one in text.split(",")], default=[1, 4, 16])
    p.add_argument("--only", default="", help="storages that match this expression")
    p.add_argument("--json")
    a = p.parse_args()
    bench = Bench(a)
    try:
        for kind in ("fs", "s3", "gcs", "azure", "ssh"):
            if re.search(a.only, kind):
                bench.run(kind, a.size)
        bench.table()
        if a.json:
            with open(a.json, "w") as f:
                json.dump(bench.rows, f, indent=1)
    finally:
        shutil.rmtree(bench.dir, ignore_errors=True)
        shutil.rmtree(bench.ends, ignore_errors=True)


if __name__ == "__main__":
    main()
