"""Recovery from storages that fail at every call in turn: it never ends early, takes no wrong timeline, and no standby goes down.

The archive holds timeline 1, abandoned after a fork, and timeline 2, which is right. Each run restores the same backup, as a recovery
(recovery.signal) or as a standby (standby.signal), while the storage fails at its n-th call: once, or until it is put right. A
recovery that was stopped is started again then, as an administrator would.

  WALRIG_RECOVERIES   how many runs (default 40); `tests/run.sh long` has 500
  WALRIG_RECOVERY     one run again, by its number, with all that the server said
"""
import subprocess

from harness import *
from test_storages import servers

RUNS = int(os.environ.get("WALRIG_RECOVERIES", "40"))
ONE = os.environ.get("WALRIG_RECOVERY")
PATIENCE = "2s"
PROXY = "libexec/walrig/walrig-fault-proxy"
SECONDS_MAX = 60

# How a directory fails; each pair is of shell commands in the run's directory.
FS_KINDS = {
    "closed": ("chmod 000 archive/wal_005", "chmod 700 archive/wal_005"),
    "away": ("mv archive aside", "mv aside archive"),
    "unmounted": ("mv archive aside; mkdir archive", "rmdir archive; mv aside archive"),  # an empty mount point
    "settings-emptied": ("cp config.json config.good; : > config.json", "mv config.good config.json"),
    "settings-gone": ("mv config.json config.good", "mv config.good config.json"),
    "cut": ('for f in archive/wal_005/*; do cp "$f" "$f.good"; truncate -s 7 "$f"; mv "$f.good" ".good-${f##*/}"; done',
            'for f in archive/wal_005/*; do mv ".good-${f##*/}" "$f"; done'),
}
S3_KINDS = ("status status=403", "status status=500", "status status=503", "reset at=0", "reset at=40", "half-close at=20")
SSH_KINDS = ("reset at=0", "reset at=1500", "reset at=4000", "half-close at=3000")

WRAPPER = """#!/bin/sh
# Counts the calls of restore_command; breaks the storage at one of them.
run={run}
n=$(($(cat $run/count 2>/dev/null || echo 0) + 1)); echo $n > $run/count.new; mv $run/count.new $run/count
if [ $n -ge {at} ] && [ ! -e $run/broken ] && [ ! -e $run/healed ]; then
  touch $run/broken
  (cd $run && {breaks})
  {later}
fi
unset WALG_FILE_PREFIX  # of the archiving server; the settings' file counts
export WALRIG_RESTORE_PATIENCE={patience}  # here, since the settings' file may be what fails
exec {walrig} --config $run/config.json wal-fetch "$1" "$2"
"""


class Archive:
    """An archive and a way to break it. `calls` of a run in which nothing fails are counted first."""

    def __init__(self, test):
        self.test, self.world = test, test.world

    def settings(self, run):
        raise NotImplementedError

    def arm(self, run, at, kind, once):
        """From now on the `at`-th call fails; `once`, or until heal()."""

    def heal(self, run):
        pass

    def struck(self, run):
        """Whether anything failed yet: a run in which nothing did proves nothing."""
        return os.path.exists(os.path.join(run, "broken"))

    def calls(self, run):
        with open(os.path.join(run, "count")) as f:
            return int(f.read() or 0)

    def wrapper(self, run, at=1 << 30, breaks=":", later=":"):
        path = os.path.join(run, "restore.sh")
        with open(path, "w") as f:
            f.write(WRAPPER.format(run=run, at=at, breaks=breaks, later=later, walrig=self.world.walrig_path, patience=PATIENCE))
        os.chmod(path, 0o755)


class Directory(Archive):
    name, kinds = "fs", tuple(FS_KINDS)

    def settings(self, run):
        self.world.run(["cp", "-a", self.world.storage, os.path.join(run, "archive")], check=True)
        return {"WALG_FILE_PREFIX": os.path.join(run, "archive")}

    def arm(self, run, at, kind, once):
        breaks, heals = FS_KINDS[kind]
        with open(os.path.join(run, "heal.sh"), "w") as f:
            f.write(f"cd {run} && [ -e broken ] && [ ! -e healed ] && touch healed && {{ {heals}; }}\n:\n")
        self.wrapper(run, at, breaks, "(sleep 0.7; sh $run/heal.sh) >/dev/null 2>&1 &" if once else ":")

    def heal(self, run):
        self.world.run(["sh", os.path.join(run, "heal.sh")], check=True)


class Served(Archive):
    """Behind a proxy, which counts requests (S3) or connections (SSH)."""

    def arm(self, run, at, kind, once):
        self.wrapper(run)
        self.hit, self.before = False, 0
        self.proxy.rules(f"{kind} skip={at - 1} times={'1' if once else 'all'}")

    def heal(self, run):
        self.hit, self.before = self.struck(run), self.calls(run)
        self.proxy.rules()

    def struck(self, run):
        return self.hit or self.proxy.hits() > 0

    def calls(self, run):
        return self.before + len(self.proxy.exchanges())


class S3(Served):
    name, kinds = "s3", S3_KINDS

    def __init__(self, test):
        super().__init__(test)
        self.server = test.enter(servers.minio())
        self.proxy = test.enter(servers.FaultProxy(os.path.join(self.world.prefix, PROXY), self.server.url))
        for directory, _, files in os.walk(self.world.storage):
            for path in (os.path.join(directory, name) for name in files):
                key = os.path.relpath(path, self.world.storage)
                if not key.startswith("basebackups_005/"):
                    with open(path, "rb") as f:
                        status, body = self.server.client().request("PUT", f"{self.server.bucket}/walrig/{key}", body=f.read())
                    assert status == 200, body

    def settings(self, run):
        return {**self.server.env, "AWS_ENDPOINT": self.proxy.url}


class Ssh(Served):
    name, kinds = "ssh", SSH_KINDS

    def __init__(self, test):
        super().__init__(test)
        self.server = test.enter(servers.sshd())
        self.proxy = test.enter(servers.FaultProxy(os.path.join(self.world.prefix, PROXY), self.server.url, tcp=True))
        self.known = self.world.path("known_hosts")
        with open(self.server.env["WALRIG_SSH_KNOWN_HOSTS"]) as straight, open(self.known, "w") as shaken:
            shaken.write(straight.read().replace(f":{self.server.port} ", f":{self.proxy.port} "))
        os.chmod(self.known, 0o644)
        shutil.copytree(self.world.storage, self.server.data, dirs_exist_ok=True, ignore=shutil.ignore_patterns("basebackups_005"))
        subprocess.run(["chown", "-R", "--reference", self.server.data, self.server.data], check=True)

    def settings(self, run):
        return {**self.server.env, "SSH_PORT": str(self.proxy.port), "WALRIG_SSH_KNOWN_HOSTS": self.known}


class RecoveryFaults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World("recovery-faults")
        cls.addClassCleanup(cls.world.close)
        cls.world.env["WALRIG_RETRY_ATTEMPTS"] = "1"
        cls.make_archive()
        cls.archives = []
        for kind in (Directory, S3, Ssh):
            try:
                cls.archives.append(kind(cls))
            except unittest.SkipTest as why:
                skipped(f"recovery from {kind.name}", why)

    @classmethod
    def enter(cls, what):
        value = what.__enter__()
        cls.addClassCleanup(what.__exit__, None, None, None)
        return value

    @classmethod
    def make_archive(cls):
        w = cls.world
        primary = Cluster(w, "primary").initdb(wal_segsize=1).archive()
        primary.configure(shared_buffers="2MB", max_wal_size="64MB")
        primary.start()
        w.walrig("backup-push", primary.pgdata, cluster=primary)
        for table in ("one_first", "one_last"):
            primary.sql(f"create table {table} as select generate_series(1, 100) as id")
            primary.switch_wal()
        primary.sql("select pg_create_restore_point('fork')")
        # What was written on timeline 1 after the fork: whoever has it went the wrong way.
        for table in ("abandoned_first", "abandoned_last"):
            primary.sql(f"create table {table} as select 1 as id")
            primary.switch_wal()
        primary.stop()
        cls.base = w.path("base")
        w.walrig("backup-fetch", cls.base, "LATEST")
        line2 = w.path("line2")
        w.walrig("backup-fetch", line2, "LATEST", "--recovery-target-name", "fork", "--target-action", "promote")
        second = Cluster(w, "line2", line2).start()
        second.wait_for("select pg_is_in_recovery()", "f")
        for table in ("two_first", "two_middle", "two_last"):
            second.sql(f"create table {table} as select 2 as id")
            second.switch_wal()
        second.wait_for("select count(*) from pg_ls_archive_statusdir() where name like '%.ready'", "0")
        second.stop()

    def prepare(self, number, archive, standby):
        """A directory of its own for a run: data, settings, restore_command."""
        run = self.world.mkdir(f"run-{number}")
        data = os.path.join(run, "data")
        self.world.run(["cp", "-a", "--reflink=auto", self.base, data], check=True)
        settings = {**archive.settings(run), "WALRIG_RETRY_ATTEMPTS": "1", "WALG_COMPRESSION_METHOD": "zstd",
                    "WALRIG_PLUGIN_TRUST": self.world.env.get("WALRIG_PLUGIN_TRUST", "")}
        with open(os.path.join(run, "config.json"), "w") as f:
            json.dump({k: v for k, v in settings.items() if v}, f)
        self.world.own(os.path.join(run, "config.json"))
        archive.wrapper(run)
        cluster = Cluster(self.world, f"run-{number}", data)
        cluster.configure(archive_mode="off", restore_command=f'{run}/restore.sh "%f" "%p"', recovery_target_timeline="latest", hot_standby="on",
                          wal_retrieve_retry_interval="100ms", logging_collector="off")
        self.world.run(["touch", os.path.join(data, "standby.signal" if standby else "recovery.signal")], check=True)
        return run, cluster

    def launch(self, cluster):
        log = open(cluster.log, "a")
        process = self.world.popen([f"{PG_BIN}/postgres", "-D", cluster.pgdata, "-p", str(cluster.port), "-k", cluster.socket_dir,
                                    "-c", "listen_addresses="], stdout=log, stderr=log)
        log.close()
        return process

    def tables(self, cluster):
        done = self.world.run([f"{TOOLS}/psql", "-XAtq", "-d", "postgres", "-c",
                               "select pg_is_in_recovery(), coalesce(string_agg(relname, ' ' order by relname), '') from pg_class "
                               "where relname ~ '^(one|two|abandoned)_'"], env=cluster.env)
        return done.out.strip() if done.code == 0 else None

    def judge(self, cluster, process, standby, archive, run):
        """What became of a server: "right", or what went wrong."""
        want = ("t" if standby else "f") + "|one_first one_last two_first two_last two_middle"
        deadline, restarts, said = time.monotonic() + SECONDS_MAX, 0, None
        while time.monotonic() < deadline:
            if process[0].poll() is not None:
                if standby:
                    return "standby shut down"
                # 126 stopped it. The archive is put right, and it is started again.
                restarts += 1
                if restarts > 3:
                    return "cannot be started again"
                archive.heal(run)
                process[0] = self.launch(cluster)
            said = self.tables(cluster)
            if said and "abandoned" in said:
                return "wrong timeline"
            if said == want:
                return "right"
            if said and said[0] == "f":
                return "standby promoted" if standby else "early promotion"
            if standby and time.monotonic() > deadline - SECONDS_MAX + 5:
                archive.heal(run)  # for a while it failed each time
            time.sleep(0.05)
        return f"stuck with {said}"

    def one_run(self, number, archive, standby, at, kind, once):
        run, cluster = self.prepare(number, archive, standby)
        process = [None]
        try:
            archive.arm(run, at, kind, once)
            process[0] = self.launch(cluster)
            verdict = self.judge(cluster, process, standby, archive, run)
            calls, struck = archive.calls(run), archive.struck(run)
        finally:
            if process[0] is not None and process[0].poll() is None:
                process[0].send_signal(signal.SIGQUIT)
                process[0].wait(30)
            archive.heal(run)
        if verdict != "right" or ONE:
            print(f"--- run {number}: {verdict}\n{cluster.server_log()[-6000:]}", flush=True)
        self.world.clusters.remove(cluster)
        shutil.rmtree(cluster.socket_dir, ignore_errors=True)
        shutil.rmtree(run, ignore_errors=True)
        return verdict, calls, struck

    def test_no_call_that_fails_ends_a_recovery_early(self):
        jobs, counts = [(archive, standby) for archive in self.archives for standby in (False, True)], []
        for number, (archive, standby) in enumerate(jobs):
            verdict, calls, _ = self.one_run(f"clean-{number}", archive, standby, 1 << 30, archive.kinds[0], True)
            self.assertEqual(verdict, "right", f"{archive.name} without any failure")
            counts.append(calls)
            print(f"{archive.name}, {'standby' if standby else 'recovery'}: {calls} calls", flush=True)
        wrong, started = {}, time.monotonic()
        for number in [int(ONE)] if ONE else range(RUNS):
            (archive, standby), calls = jobs[number % len(jobs)], counts[number % len(jobs)]
            turn = number // len(jobs)
            # Each call in turn; spread over all of them when there are fewer runs.
            turns = -(-RUNS // len(jobs))
            at = 1 + (turn * calls // turns if turns < calls else turn % calls)
            kind, once = archive.kinds[turn % len(archive.kinds)], turn % 3 == 0
            what = f"run {number}: {archive.name}, {'standby' if standby else 'recovery'}, {kind} at call {at}, {'once' if once else 'until it is put right'}"
            verdict, _, struck = self.one_run(number, archive, standby, at, kind, once)
            while not struck and at > 1:  # a server that is quick asks less often
                at //= 2
                verdict, _, struck = self.one_run(number, archive, standby, at, kind, once)
            self.assertTrue(struck, f"{what}: nothing failed")
            if verdict != "right":
                wrong[what] = verdict
            if ONE or verdict != "right":
                print(f"{what}: {verdict}", flush=True)
        print(f"{RUNS} runs in {time.monotonic() - started:.0f} s, wrong: {len(wrong)}", flush=True)
        self.assertEqual(wrong, {})


if __name__ == "__main__":
    unittest.main(verbosity=2)
