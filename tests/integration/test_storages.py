"""A real PostgreSQL, backed up to real servers of each kind of storage, and through networks that fail.

The servers are those of tests/servers. Settings reach walrig by a configuration file, as a service would have them:
credentials stand neither in an archive_command nor in an environment.
"""
import errno
import hashlib
import re
import struct
import tempfile

from harness import *
from harness import BUILD

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import servers  # noqa: E402

PROXY = "libexec/walrig/walrig-fault-proxy"


class Base(unittest.TestCase):
    """One cluster for all classes: a backup is a matter of seconds, a cluster of many."""

    world = None

    @classmethod
    def setUpClass(cls):
        if Base.world is None:
            w = Base.world = World("storages")
            w.env = {k: v for k, v in w.env.items() if k not in ("WALG_FILE_PREFIX", "WALG_COMPRESSION_METHOD", "WALG_ZSTD_LEVEL")}
            Base.config = w.path("walg.json")
            Base.primary = Cluster(w, "primary").initdb()
            trust = f"WALRIG_PLUGIN_TRUST={w.env['WALRIG_PLUGIN_TRUST']} " if "WALRIG_PLUGIN_TRUST" in w.env else ""
            Base.primary.archive(f"{trust}{w.walrig_path} --config {Base.config} wal-push %p")
            Base.primary.start()
            Base.primary.sql("create table t (id int primary key, v text)")
            Base.outputs = []

    def use(self, settings, config=None, **more):
        """Writes the configuration that every walrig reads from now on, the server's archive_command too; or another one."""
        config = config or self.config
        whole = {"WALG_COMPRESSION_METHOD": "zstd", "WALG_ZSTD_LEVEL": "fastest", "WALG_LOG_LEVEL": "DEVEL",
                 "WALRIG_RETRY_INITIAL": "5ms", "WALRIG_RETRY_MAX": "50ms", **settings, **more}
        fresh = config + ".new"
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            json.dump({key: value for key, value in whole.items() if value is not None}, f)
        self.world.own(fresh)
        os.rename(fresh, config)

    def walrig(self, *words, config=None, **more):
        """Runs walrig with a configuration file and keeps what it says for the search for credentials."""
        result = self.world.walrig("--config", config or self.config, *words, cluster=self.primary, **more)
        self.outputs.append((words, result.out + result.err))
        return result

    def fill(self, rows=20000):
        first = int(self.primary.sql("select coalesce(max(id), 0) from t"))
        self.primary.sql(f"insert into t select g, md5(g::text) || md5((g * 7)::text) from generate_series({first} + 1, {first} + {rows}) g")

    @staticmethod
    def digest(cluster):
        return cluster.sql("select count(*), md5(string_agg(id || v, ',' order by id)) from t")

    def backups(self):
        return [b["backup_name"] for b in json.loads(self.walrig("backup-list", "--json").out)]

    def push(self, **more):
        return self.walrig("backup-push", self.primary.pgdata, **more)

    def segment(self):
        """A finished segment that is archived, as (name, copy of its bytes)."""
        self.fill(100)
        path = self.primary.sql("select pg_walfile_name(pg_current_wal_lsn())")
        self.primary.switch_wal()
        copy = self.world.path(path)
        self.world.run(["cp", os.path.join(self.primary.pgdata, "pg_wal", path), copy], check=True)
        return path, copy

    @staticmethod
    def content(path):
        with open(path, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()

    def fetched(self, name, **more):
        """(exit code, SHA-256 or None) of a wal-fetch."""
        target = self.world.path("fetched")
        if os.path.exists(target):
            os.unlink(target)
        done = self.walrig("wal-fetch", name, target, check=False, **more)
        return done.code, self.content(target) if os.path.exists(target) else None

    def recover(self, name):
        """Restores the newest backup, replays all WAL, and gives the server."""
        pgdata = self.world.path(name)
        self.walrig("backup-fetch", pgdata, "LATEST", "--target-action", "promote")
        self.assertEqual(self.world.check_directory(pgdata), "")
        cluster = Cluster(self.world, name, pgdata)
        cluster.configure(archive_mode="off", restore_command=f"{self.world.walrig_path} --config {self.config} wal-fetch %f %p")
        self.addCleanup(shutil.rmtree, pgdata, True)
        self.addCleanup(cluster.stop, "immediate")
        cluster.start()
        cluster.wait_for("select pg_is_in_recovery()", "f")
        return cluster

    def assert_no_secret(self, secrets):
        for words, text in self.outputs + [("server log", self.primary.server_log())]:
            for secret in secrets:
                if secret and secret in text:
                    self.fail(f"a credential stands in the output of {' '.join(words) if isinstance(words, tuple) else words}")
        self.assertTrue(any("DEVEL" in text or "DEBUG" in text for _, text in self.outputs), "the log was not at its most verbose")


class DeleteWithFailover(unittest.TestCase):
    """Two directories, of which one goes away: no PostgreSQL and no server."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="walrig-failover-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.near, self.far = os.path.join(self.dir, "near"), os.path.join(self.dir, "far")
        self.objects = [self.object(place) for place in (self.near, self.far)]
        with open(os.path.join(self.dir, "walg.json"), "w") as f:
            json.dump({"WALG_FILE_PREFIX": self.near, "WALG_FAILOVER_STORAGES": {"far": {"WALG_FILE_PREFIX": self.far}}}, f)

    @staticmethod
    def object(place):
        os.makedirs(os.path.join(place, "wal_005"))
        path = os.path.join(place, "wal_005/000000010000000000000001.lz4")
        with open(path, "w") as f:
            f.write("bytes")
        return path

    def delete(self, *words):
        home = tempfile.mkdtemp(dir=self.dir)  # no verdict of the run before
        env = {"PATH": "/usr/bin:/bin", "HOME": home, "WALRIG_PLUGIN_TRUST": "any"}
        return subprocess.run([os.path.join(BUILD, "bin/walrig"), "--config", os.path.join(self.dir, "walg.json"), "delete", "everything", *words],
                              env=env, capture_output=True, text=True, timeout=60)

    def there(self):
        return [os.path.exists(path) for path in self.objects]

    def test_nothing_goes_while_a_storage_cannot_be_reached(self):
        away = self.far + ".away"
        os.rename(self.far, away)
        plan = self.delete()
        self.assertEqual(plan.returncode, 0, plan.stderr)
        self.assertIn("storage far is not used", plan.stderr)
        refused = self.delete("--confirm")
        self.assertNotEqual(refused.returncode, 0, refused.stderr)
        self.assertEqual(self.there(), [True, False])
        for text in ("storage far cannot be reached", "--target-storage"):
            self.assertIn(text, refused.stderr)
        os.rename(away, self.far)
        done = self.delete("--confirm")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.there(), [False, False])

    def test_the_one_that_is_named_is_deleted_from_all_the_same(self):
        shutil.rmtree(self.far)
        done = self.delete("--confirm", "--target-storage", "default")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.there(), [False, False])


class Alone(unittest.TestCase):
    """walrig by itself on directories: no PostgreSQL and no server."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="walrig-alone-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.near, self.far = self.path("near"), self.path("far")
        os.mkdir(self.near)
        os.mkdir(self.far)
        self.config({})

    def path(self, name):
        return os.path.join(self.dir, name)

    def config(self, more):
        with open(self.path("walg.json"), "w") as f:
            json.dump({"WALG_FILE_PREFIX": self.near, "WALG_FAILOVER_STORAGES": {"far": {"WALG_FILE_PREFIX": self.far}},
                       "WALRIG_RETRY_INITIAL": "1ms", "WALRIG_RETRY_MAX": "1ms", **more}, f)

    def walrig(self, *words, code=0, **env):
        env = {"PATH": "/usr/bin:/bin", "HOME": self.dir, "WALRIG_PLUGIN_TRUST": "any", **env}
        done = subprocess.run([os.path.join(BUILD, "bin/walrig"), "--config", self.path("walg.json"), *words],
                              env=env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def failing(self, call, pattern, number=None):
        """Settings under which every such call on such paths fails."""
        settings = {"LD_PRELOAD": os.path.join(os.path.abspath(BUILD), "tests/integration/eio_shim.so"), "EIO_CALL": call,
                    "EIO_PATH": pattern, "EIO_NTH": "all", "EIO_LOG": self.path("calls"),
                    "ASAN_OPTIONS": "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")}
        return settings if number is None else {**settings, "EIO_ERRNO": str(number)}

    def objects(self, place):
        return sorted(os.path.relpath(os.path.join(d, f), place) for d, _, fs in os.walk(place) for f in fs)

    def history(self, timeline):
        path = self.path(f"{timeline:08X}.history")
        with open(path, "w") as f:
            f.write("1\t0/3000000\tno recovery target specified\n")
        return path

    def segment(self, number):
        path = self.path(f"0000000100000000{number:08X}")
        with open(path, "wb") as f:
            # The long header of a segment of 1 MiB.
            f.write(struct.pack("<HHIQIIQII", 0xD110, 2, 1, number << 20, 0, 0, 7, 1 << 20, 8192).ljust(1 << 20, b"\0"))
        return path


class FirstStorageDies(Alone):
    """The verdict that it lives is fresh: it is what it does now that counts."""

    def stored(self, place):
        return [name.split(".")[0] for name in self.objects(place) if name.startswith("wal_005/") and not name.endswith("walrig.archive")]

    def test_wal_push_goes_on_in_the_next_at_once_and_the_next_run_does_not_ask_the_first(self):
        for make in (self.segment, self.history):
            with self.subTest(make.__name__):
                shutil.rmtree(self.near), shutil.rmtree(self.far)
                os.mkdir(self.near), os.mkdir(self.far)
                self.walrig("wal-push", make(2))
                self.assertEqual(len(self.stored(self.near)), 1)
                dead = self.failing("write", self.near + "/wal_005/*", errno.ENOSPC)
                done = self.walrig("wal-push", make(3), **dead)
                self.assertIn("storage default failed", done.stderr)
                self.assertEqual(len(self.stored(self.far)), 1)
                again = self.walrig("wal-push", make(4), **dead)
                self.assertIn("storage default is not used", again.stderr)
                self.assertNotIn("storage default failed", again.stderr)
                self.assertEqual(len(self.stored(self.far)), 2)
                self.assertEqual(len(self.stored(self.near)), 1)
                for status in (".walrig_storage_rw_status", ".walrig_storage_ro_status"):
                    if os.path.exists(self.path(status)):
                        os.unlink(self.path(status))

    def test_a_failure_that_is_the_files_own_goes_nowhere_else(self):
        self.walrig("wal-push", self.history(2))
        path = self.history(2)
        with open(path, "a") as f:
            f.write("# otherwise\n")
        refused = self.walrig("wal-push", path, code=1)
        self.assertIn("already archived", refused.stderr)
        self.assertEqual(self.stored(self.far), [])

    def test_a_storage_that_is_remembered_as_dead_is_asked_before_nothing_is_done(self):
        os.rename(self.near, self.near + ".away")
        os.rename(self.far, self.far + ".away")
        self.walrig("wal-push", self.segment(2), code=1)
        os.rename(self.near + ".away", self.near)
        self.walrig("wal-push", self.segment(2))
        self.assertEqual(len(self.stored(self.near)), 1)

    def test_readers_check_anew_after_a_failure(self):
        self.walrig("wal-push", self.segment(2))
        fetch = lambda name, **more: self.walrig("wal-fetch", os.path.basename(self.segment(2)), self.path(name), **more)
        fetch("one")
        fetch("two", code=126, **self.failing("read", self.near + "/wal_005/*"))
        with open(self.path(".walrig_storage_ro_status")) as f:
            status = {name.split("#")[0]: entry for name, entry in json.load(f).items()}
        self.assertTrue(status["default"]["updated"].startswith("1970"), status)
        fetch("three")


class NetworkMount(Alone):
    """What CIFS and FUSE answer and a local disk does not, by a preloaded library."""

    def test_a_mount_that_syncs_no_folders_holds_wal(self):
        cifs = self.failing("fsync", self.near, errno.EINVAL)
        self.walrig("wal-push", self.segment(2), **cifs)
        self.walrig("st", "check", "write", **cifs)
        with open(self.path("calls")) as f:
            self.assertIn("fsync", f.read())
        self.walrig("wal-fetch", os.path.basename(self.segment(2)), self.path("fetched"))

    def test_a_mount_without_links_and_exclusive_renames_is_told_before_a_backup_fails_on_it(self):
        fuse = self.failing("once", self.near + "*", errno.ENOSYS)
        told = self.walrig("st", "check", "write", code=1, **fuse)
        self.assertIn("put if absent", told.stderr)
        self.assertIn("put_if_absent=false", told.stderr)
        self.assertEqual(self.objects(self.near), [])
        self.config({"WALRIG_STORAGE": "fs,put_if_absent=false"})
        done = self.walrig("st", "check", "write", **fuse)
        self.assertIn("two writers of one name", done.stderr)
        self.walrig("wal-push", self.history(2), **fuse)
        self.assertEqual(len(self.objects(self.near)), 2)  # with the archive's marker


class Rates(Alone):
    def test_a_transfer_moves_at_the_rate_that_is_set(self):
        with open(os.path.join(self.near, "object"), "wb") as f:
            f.write(os.urandom(12_000_000))
        self.config({"WALG_NETWORK_RATE_LIMIT": "4000000"})
        begin = time.monotonic()
        self.walrig("st", "transfer", "files", "object", "-s", "default", "-t", "far")
        seconds = time.monotonic() - begin
        self.assertGreater(seconds, 2.7)
        self.assertLess(seconds, 5, "each byte was paid for twice")
        self.assertEqual(self.objects(self.far), ["object"])
        self.assertEqual(self.objects(self.near), [])

    def test_a_rate_without_a_unit_is_warned_of(self):
        self.config({"WALG_NETWORK_RATE_LIMIT": "5"})
        self.assertIn("a unit may be missing", self.walrig("st", "ls").stderr)


class Failover(Base):
    """A storage that goes away under a living PostgreSQL, and comes back."""

    def test_work_goes_on_in_the_other_storage_meanwhile(self):
        far = self.world.mkdir("far")
        in_far = lambda part: any(part in name for _, folders, names in os.walk(far) for name in folders + names)
        with servers.minio() as server:
            in_s3 = lambda part: any(part in key for key in server.client().keys(server.bucket))
            self.use(server.env, WALG_FAILOVER_STORAGES={"far": {"WALG_FILE_PREFIX": far}}, WALG_FAILOVER_STORAGES_CACHE_LIFETIME="1ms",
                     WALG_FAILOVER_STORAGES_CHECK_TIMEOUT="5s", WALRIG_RETRY_ATTEMPTS="2")
            self.fill()
            self.push()
            first = self.segment()
            self.assertTrue(in_s3(first[0]))

            server.process.kill()
            server.process.wait()
            self.fill()
            second = self.segment()
            self.assertTrue(in_far(second[0]))
            self.assertEqual(self.fetched(second[0]), (0, self.content(second[1])))
            code, got = self.fetched(first[0])
            self.assertIsNone(got)
            self.assertNotIn(code, (0, 74), "PostgreSQL would take it for the end of WAL")
            self.push()
            self.assertEqual(len(self.backups()), 1)
            self.assertTrue(in_far(self.backups()[0]))

            self.assertTrue(server._try_start(), server.log())
            for name in os.listdir(self.world.env["HOME"]):
                if name.startswith(".walrig_storage_"):  # the verdict, which would take its time to change
                    os.unlink(os.path.join(self.world.env["HOME"], name))
            self.assertEqual(len(self.backups()), 2)
            self.fill(300)
            third = self.segment()
            self.assertTrue(in_s3(third[0]))
            self.assertFalse(in_far(third[0]))
            for name, copy in (first, second, third):
                self.assertEqual(self.fetched(name), (0, self.content(copy)))
            want = self.digest(self.primary)
            # Its backup lies in one storage, its WAL in both.
            self.assertEqual(self.digest(self.recover("failed-over")), want)


    def test_what_another_storage_holds_is_neither_contradicted_nor_deleted(self):
        near, far = self.world.mkdir("near"), self.world.mkdir("far-too")
        self.use({"WALG_FILE_PREFIX": near}, WALG_FAILOVER_STORAGES={"far": {"WALG_FILE_PREFIX": far}})
        self.fill()
        alone = {"WALG_TARGET_STORAGE": "far"}
        histories = []
        for number, lsn in ((0, "0/3000000"), (1, "0/4000000")):
            histories.append(os.path.join(self.world.mkdir(f"histories-{number}"), "00000002.history"))
            with open(histories[-1], "w") as f:
                f.write(f"1\t{lsn}\tno recovery target specified\n")
            os.chmod(histories[-1], 0o644)
        self.walrig("wal-push", histories[0], env=alone)
        refused = self.walrig("wal-push", histories[1], check=False)
        self.assertEqual(refused.code, 1, refused)
        self.assertIn("contents differ", refused.err)
        self.walrig("wal-push", histories[0])

        self.push()
        (name,) = self.backups()
        self.walrig("st", "transfer", "backups", name, "-s", "default", "-t", "far", "--preserve")
        metadata = os.path.join(far, "basebackups_005", name, "metadata.json")
        with open(metadata) as f:
            text = f.read()
        with open(metadata, "w") as f:
            f.write(text.replace('"is_permanent":false', '"is_permanent":true'))
        kept = self.walrig("delete", "target", name, "--confirm", check=False)
        self.assertEqual(kept.code, 1, kept)
        self.assertIn("permanent", kept.err)
        self.assertTrue(os.path.exists(os.path.join(near, "basebackups_005", name + "_backup_stop_sentinel.json")))
        self.walrig("delete", "target", name, "--confirm", "--force")
        self.assertEqual(self.backups(), [])


class EachStorage(Base):
    def round_trip(self, server):
        self.use(server.env)
        self.outputs.clear()
        self.fill()
        self.push()
        self.fill(500)
        name, copy = self.segment()
        want = self.digest(self.primary)
        self.assertEqual(self.fetched(name), (0, self.content(copy)))
        self.assertEqual(self.fetched("0000000100000077000000AA"), (74, None))
        self.walrig("wal-push", copy, env={"WALG_PREVENT_WAL_OVERWRITE": "true"})  # again, the same: nothing to do
        self.walrig("backup-verify", "LATEST")
        self.assertEqual(len(self.backups()), 1)
        self.assertEqual(self.digest(self.recover(f"restored-{server.name}")), want)
        keys = server.keys if hasattr(server, "keys") else lambda: server.client().keys(server.bucket)
        self.assertTrue(any(name in k for k in keys()) and any("sentinel" in k for k in keys()), "the server has not what walrig says")
        self.walrig("delete", "everything", "FORCE", "--confirm")
        self.assertEqual(keys(), [])
        self.assert_no_secret(server.secrets)

    def test_s3_on_minio(self):
        with servers.minio() as server:
            self.round_trip(server)

    def test_s3_on_s3rver(self):
        with servers.s3rver() as server:
            self.round_trip(server)

    def test_gcs_on_fake_gcs(self):
        with servers.fake_gcs() as server:
            self.round_trip(server)

    def test_azure_on_azurite(self):
        with servers.azurite() as server:
            self.round_trip(server)

    def test_ssh_on_sshd(self):
        with servers.sshd() as server:
            self.round_trip(server)


class Tls(Base):
    """Over TLS with a private authority; what does not prove itself gets no byte of a backup."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        place = os.path.join(cls.world.dir, "ca")
        cls.authority = servers.Authority(place)
        os.chmod(place, 0o755)

    def check(self, start, keys):
        for kind in self.authority.KINDS:
            with self.subTest(certificate=kind), start(tls=self.authority, kind=kind) as server:
                self.use(server.env, WALRIG_RETRY_ATTEMPTS="2")
                done = self.walrig("backup-list", check=False)
                if kind == "good":
                    self.assertEqual(done.code, 0, str(done))
                    self.push()
                    self.walrig("backup-verify", "LATEST")
                    self.assertTrue(keys(server))
                    continue
                self.assertNotEqual(done.code, 0, f"a certificate of kind {kind} was taken")
                self.assertRegex(done.err.lower(), "certificate|ssl|tls")
                self.assertNotEqual(self.push(check=False).code, 0)
                self.assertEqual(keys(server), [])

    def test_s3(self):
        self.check(servers.minio, lambda s: s.client().keys(s.bucket))

    def test_gcs(self):
        self.check(servers.fake_gcs, lambda s: s.keys())

    def test_azure(self):
        self.check(servers.azurite, lambda s: s.keys())


class Killed(Base):
    """kill -9 in the middle of an upload."""

    def check(self, server, stored_bytes, keys, found=lambda: None, finds=True):
        """`found` looks, after the kill, for what it left; `finds`: walrig can find it too."""
        self.use(server.env)
        self.fill(60000)  # some MiB that do not compress
        slow = self.world.path("slow.json")
        self.use(server.env, config=slow, WALG_COMPRESSION_METHOD="none", WALG_ZSTD_LEVEL=None, WALG_NETWORK_RATE_LIMIT="4194304",
                 S3_MAX_PART_SIZE="5242880" if "AWS_ENDPOINT" in server.env else None,
                 AZURE_BUFFER_SIZE="1048576" if "AZURE_ENDPOINT" in server.env else None,
                 GCS_MAX_CHUNK_SIZE="1048576" if "WALG_GS_PREFIX" in server.env else None)
        before = stored_bytes()
        process = self.world.popen([self.world.walrig_path, "--config", slow, "backup-push", self.primary.pgdata], env=self.primary.env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            wait_until(lambda: process.poll() is not None or stored_bytes() > before + (6 << 20), what="6 MiB at the server")
        finally:
            process.kill()
            said = process.communicate()[1]
        self.assertEqual(process.returncode, -signal.SIGKILL, said)
        self.assertEqual(self.backups(), [])
        self.assertEqual([k for k in keys() if "tar_partitions" in k or "sentinel" in k], [])
        found()
        told = self.walrig("st", "check", "read", check=False)
        if finds:
            self.assertIn("tar_partitions", told.out + told.err, "st check does not tell of what the kill left")
            self.walrig("st", "rm", "--unfinished", "", "--older-than", "0s", "--confirm")
            told = self.walrig("st", "check", "read", check=False)
            self.assertNotIn("tar_partitions", told.out + told.err)
        self.push()
        self.walrig("backup-verify", "LATEST")
        self.assertEqual(len(self.backups()), 1)

    @staticmethod
    def bytes_below(directory):
        total = 0
        for where, _, files in os.walk(directory):
            for name in files:
                try:
                    total += os.stat(os.path.join(where, name)).st_size
                except OSError:
                    pass  # it went meanwhile
        return total

    def test_s3(self):
        with servers.minio() as server:
            client = server.client()
            orphans = lambda: self.assertTrue(any("part_001.tar" in k for k in client.uploads(server.bucket)), "the kill left no upload")
            self.check(server, lambda: self.bytes_below(server.data), lambda: client.keys(server.bucket), orphans)

    def test_gcs(self):
        with servers.fake_gcs() as server:
            pieces = lambda: [key for key in server.keys() if "_chunks/" in key]
            self.check(server, lambda: len(pieces()) << 20, lambda: [key for key in server.keys() if "_chunks/" not in key],
                       lambda: self.assertTrue(any("part_001.tar" in key for key in pieces()), "the kill left no pieces"))
            self.assertEqual(pieces(), [])

    def test_azure(self):
        with servers.azurite() as server:
            # Bytes on its disk may all be of blocks that are still coming in; only a block that is in whole is left behind.
            unfinished = lambda: [key for key in server.keys(include="uncommittedblobs") if server.uncommitted_blocks(key)]
            self.check(server, lambda: sum(server.uncommitted_blocks(key) for key in unfinished()) << 20, server.keys,
                       lambda: self.assertTrue(any("part_001.tar" in key for key in unfinished()), "the kill left no blocks"))
            self.assertEqual(unfinished(), [])

    def test_ssh(self):
        with servers.sshd() as server:
            self.check(server, lambda: self.bytes_below(server.data), lambda: [k for k in server.keys() if ".tmp." not in k])


class BadNetwork(Base):
    """Through a proxy that breaks requests by rules, before MinIO."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = servers.minio().__enter__()
        cls.addClassCleanup(cls.server.stop)
        cls.proxy = servers.FaultProxy(os.path.join(cls.world.prefix, PROXY), cls.server.url)
        cls.addClassCleanup(cls.proxy.stop)

    def setUp(self):
        self.outputs.clear()
        self.proxy.rules()
        self.use(self.server.env)  # the server archives straight
        self.shaken = self.world.path("shaken.json")
        self.use({**self.server.env, "AWS_ENDPOINT": self.proxy.url}, config=self.shaken, S3_MAX_PART_SIZE="5242880")

    def keys(self, part=""):
        return [k for k in self.server.client().keys(self.server.bucket) if part in k]

    def fresh_segment(self):
        """A segment that the archive does not have any more, as (name, copy)."""
        name, copy = self.segment()
        for key in self.keys(name):
            self.assertEqual(self.server.client().request("DELETE", f"{self.server.bucket}/{key}")[0], 204)
        return name, copy

    def upload(self, source, *rules):
        """(result, attempts to store) of a wal-push."""
        self.proxy.rules(*rules)
        done = self.walrig("wal-push", source, check=False, config=self.shaken, env={"WALRIG_RETRY_ATTEMPTS": "4"})
        name = os.path.basename(source)
        return done, self.proxy.attempts("PUT", name) + self.proxy.attempts("POST", name)

    def test_attempts_are_those_of_the_policy(self):
        for rule, code, attempts in [
                ("status status=503 method=PUT times=3", 0, 4), ("status status=500 method=PUT times=3", 0, 4),
                ("status status=429 method=PUT times=1", 0, 2), ("drop method=PUT times=2", 0, 3),
                ("reset-request at=100 method=PUT times=3", 0, 4),
                ("status status=503 method=PUT times=all", 1, 4), ("reset-request at=0 method=PUT times=all", 1, 4),
                ("status status=403 body=denied method=PUT times=all", 1, 1)]:
            with self.subTest(rule=rule):
                name, copy = self.fresh_segment()  # so small that it goes up by one PUT
                done, seen = self.upload(copy, rule)
                self.assertEqual((done.code, seen), (code, attempts), str(done)[-3000:])
                self.assertEqual(len(self.keys(name)), 1 if code == 0 else 0)

    def test_retry_after_is_obeyed(self):
        _, copy = self.fresh_segment()
        done, attempts = self.upload(copy, "status status=503 retry-after=2 method=PUT times=1")
        self.assertEqual((done.code, attempts), (0, 2), str(done))
        self.assertGreaterEqual(done.seconds, 1.9)

    def test_damaged_and_cut_answers_never_become_wal(self):
        name, copy = self.segment()
        want = self.content(copy)
        for fault in ("corrupt at=5000", "truncate at=5000", "half-close at=5000", "reset at=5000", "wrong-etag", "drop", "status status=500", "drip rate=200000"):
            for times in ("1", "all"):
                with self.subTest(fault=fault, times=times):
                    self.proxy.rules(f"{fault} method=GET target={name} times={times}")
                    code, got = self.fetched(name, config=self.shaken, env={"WALRIG_RETRY_ATTEMPTS": "3"})
                    self.assertGreater(self.proxy.hits(), 0)
                    self.assertIn((code == 0, got), ((True, want), (False, None)))
                    if times == "1" and not fault.startswith(("corrupt", "truncate", "wrong-etag")):
                        self.assertEqual(code, 0, "one fault was too many")

    def test_a_backup_through_a_storm_is_whole(self):
        self.fill(60000)
        self.proxy.rules("status status=503 every=7 times=all", "reset-request at=3000 method=PUT every=5 times=6", "drop method=POST every=3 times=4",
                         "error-in-200 method=POST target=uploadId times=2", "reset at=1000 method=GET every=4 times=all", "duplicate method=PUT every=6 times=5")
        done = self.push(check=False, config=self.shaken, env={"WALRIG_RETRY_ATTEMPTS": "12"})
        self.assertEqual(done.code, 0, str(done)[-4000:])
        self.assertGreater(self.proxy.hits(), 5)
        self.walrig("backup-verify", "LATEST", config=self.shaken, env={"WALRIG_RETRY_ATTEMPTS": "12"})
        self.walrig("backup-verify", "LATEST")  # and by a network without faults
        self.assert_no_secret(self.server.secrets)

    def test_a_backup_that_cannot_be_stored_leaves_nothing(self):
        before = self.backups()
        self.proxy.rules("status status=500 method=PUT target=tar_partitions times=all", "status status=500 method=POST target=tar_partitions times=all")
        self.assertNotEqual(self.push(check=False, config=self.shaken, env={"WALRIG_RETRY_ATTEMPTS": "2"}).code, 0)
        self.proxy.rules()
        self.assertEqual(self.backups(), before)
        self.primary.wait_for("select count(*) from pg_stat_activity where application_name like 'walrig%'", "0")

    def test_a_name_that_does_not_exist_fails_in_words(self):
        done = self.walrig("backup-list", check=False, env={"AWS_ENDPOINT": "http://no-such-host.invalid:9000", "WALRIG_RETRY_ATTEMPTS": "2"})
        self.assertNotEqual(done.code, 0)
        self.assertIn("no-such-host.invalid", done.err)
        self.assertLess(done.seconds, 20)

    def test_a_stalled_answer_ends_with_the_commands_time(self):
        name, _ = self.segment()
        self.proxy.rules(f"stall at=5000 method=GET target={name} times=all")
        start = time.monotonic()
        code, got = self.fetched(name, config=self.shaken, env={"WALRIG_COMMAND_TIMEOUT": "2s"})
        self.assertNotEqual(code, 0)
        self.assertIsNone(got)
        self.assertLess(time.monotonic() - start, 6)


if __name__ == "__main__":
    unittest.main(verbosity=2)
