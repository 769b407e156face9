"""Other programs beside walrig on one storage: the Go libraries by which WAL-G reads its streams, and WAL-RUS, both ways.

WAL-RUS is built by `bash tests/servers/install.sh walrus` (cargo), the Go program by the test; without them these tests
say so and are skipped. WAL-RUS takes only the first of several frames, so it is not asked to read our zstd objects of
more than one slice (docs/decisions/0004-slices-as-frames.md); the Go libraries are.
"""
import filecmp
import hashlib
import tempfile

from harness import *

VERSION = "0.4.1"
CACHE = os.environ.get("WALRIG_TEST_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "walrig-tests")
WALRUS = os.path.join(CACHE, f"bin/walrus-{VERSION}")


class Walrus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not os.access(WALRUS, os.X_OK):
            message = f"no WAL-RUS in {WALRUS} (bash tests/servers/install.sh walrus)"
            print(f"SKIPPED WAL-RUS: {message}")
            raise unittest.SkipTest(message)
        cls.world = w = World("walrus")
        cls.addClassCleanup(w.close)
        w.env = {name: value for name, value in w.env.items() if not name.startswith("WALG_")}
        # The cache may lie where the user of the servers cannot go.
        cls.walrus = os.path.join(w.dir, "walrus")
        shutil.copy(WALRUS, cls.walrus)

    def round(self, name, method, writer, reader):
        """A backup and WAL by `writer`, restored and recovered to the end of the archive by `reader`."""
        w = self.world
        storage, tablespace = w.mkdir(f"{name}-storage"), w.mkdir(f"{name}-ts")
        settings = {"WALG_FILE_PREFIX": storage, "WALG_COMPRESSION_METHOD": method}
        if method == "zstd":
            settings["WALG_ZSTD_LEVEL"] = "fastest"
        if "WALRIG_PLUGIN_TRUST" in w.env:
            settings["WALRIG_PLUGIN_TRUST"] = w.env["WALRIG_PLUGIN_TRUST"]
        command = "env " + " ".join(f"{k}={v}" for k, v in {**settings, "HOME": w.env["HOME"]}.items())

        def run(program, *words):
            return w.run([program, *words], env={**primary.env, **settings, "WALG_TAR_SIZE_THRESHOLD": "8388608"}, check=True)

        primary = Cluster(w, f"{name}-primary").initdb().archive(f"{command} {writer} wal-push %p").start()
        primary.sql(f"create tablespace ts location '{tablespace}'")
        primary.sql("create table t as select g as id, md5(g::text) as v from generate_series(1, 100000) g")
        primary.sql("create table in_ts tablespace ts as select generate_series(1, 1000) as id")
        run(writer, "backup-push", primary.pgdata)
        primary.sql("insert into t select g, 'after the backup' from generate_series(100001, 101000) g")
        digest = "select count(*), md5(string_agg(id || v, ',' order by id)), (select count(*) from in_ts) from t"
        want = primary.sql(digest)
        primary.switch_wal()
        primary.stop()
        self.assertIn("base_", run(reader, "backup-list").out)
        if reader == w.walrig_path:
            run(reader, "backup-verify", "LATEST")
        os.rename(tablespace, tablespace + ".gone")
        w.mkdir(f"{name}-ts")
        target = w.path(f"{name}-restored")
        run(reader, "backup-fetch", target, "LATEST")
        restored = Cluster(w, f"{name}-restored", target)
        restored.configure(archive_mode="off", restore_command=f'{command} {reader} wal-fetch "%f" "%p"', recovery_target_action="promote")
        w.run(["touch", f"{target}/recovery.signal"], check=True)
        restored.start()
        restored.wait_for("select pg_is_in_recovery()", "f")
        self.assertEqual(restored.sql(digest), want)
        checked = w.run([f"{TOOLS}/pg_amcheck", "--install-missing", "-d", "postgres"], env=restored.env)
        self.assertEqual(checked.code, 0, checked)
        restored.stop("immediate")
        self.same_segments(reader, writer, storage, settings)

    def same_segments(self, reader, writer, storage, settings):
        """Every archived segment is the same, whoever reads it."""
        # A folder of this round: WAL-RUS keeps segments that it fetched ahead beside the destination.
        folder = tempfile.mkdtemp(dir=self.world.data)
        self.world.own(folder)
        names = [n.split(".")[0] for n in os.listdir(storage + "/wal_005") if n.count(".") == 1 and n != "walrig.archive"]
        self.assertGreater(len(names), 1)
        for name in names:
            paths = [os.path.join(folder, f"fetched-{i}") for i in range(2)]
            for path, program in zip(paths, (reader, writer)):
                self.world.run([program, "wal-fetch", name, path], env=settings, check=True)
            self.assertTrue(filecmp.cmp(*paths, shallow=False), (name, paths))
            for path in paths:
                os.unlink(path)

    def test_walrus_reads_a_segment_of_one_frame(self):
        w = self.world
        storage, fresh = w.mkdir("one-frame"), Cluster(w, "one-frame-primary").initdb()
        segment = os.path.join(fresh.pgdata, "pg_wal/000000010000000000000001")
        settings = {"WALG_FILE_PREFIX": storage, "WALG_COMPRESSION_METHOD": "zstd", "WALRIG_WAL_WORKERS": "1"}
        w.walrig("wal-push", segment, env=settings)
        w.run([self.walrus, "wal-fetch", os.path.basename(segment), w.path("one-frame.back")], env=settings, check=True)
        self.assertTrue(filecmp.cmp(segment, w.path("one-frame.back"), shallow=False))

    def test_walrus_reads_what_walrig_wrote_with_lz4(self):
        self.round("to-lz4", "lz4", self.world.walrig_path, self.walrus)

    def test_walrig_reads_what_walrus_wrote_with_zstd(self):
        self.round("from-zstd", "zstd", self.walrus, self.world.walrig_path)

    def test_walrig_reads_what_walrus_wrote_with_lz4(self):
        self.round("from-lz4", "lz4", self.walrus, self.world.walrig_path)


class GoLibraries(unittest.TestCase):
    """The libraries of WAL-G's readers, in the versions of a WAL-G of 2023; pierrec/lz4 before it read chained frames."""

    @classmethod
    def setUpClass(cls):
        go = shutil.which("go")
        if go is None:
            print("SKIPPED streams_go: no go on this host; what WAL-G's own libraries say of our streams is not asked")
            raise unittest.SkipTest("no go")
        cls.world = w = World("streams")
        cls.addClassCleanup(w.close)
        cls.tool = os.path.join(w.dir, "streams_go")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../compat/streams_go")
        built = subprocess.run([go, "build", "-o", cls.tool, "."], cwd=source, capture_output=True, text=True, timeout=300,
                               env={**os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"})
        if built.returncode and any(sign in built.stderr for sign in ("dial tcp", "reading https", "requires go >=")):
            print("SKIPPED streams_go: the program cannot be built here: " + built.stderr.strip().splitlines()[-1])
            raise unittest.SkipTest("no modules")
        if built.returncode:
            raise AssertionError(built.stderr)
        w.env = {name: value for name, value in w.env.items() if not name.startswith("WALG_")}
        w.env["WALRIG_WAL_ARCHIVE"] = "elsewhere"  # this server archives nothing
        cls.primary = Cluster(w, "primary").initdb().start()
        cls.primary.sql("create table t as select g as id, md5(g::text) as v from generate_series(1, 150000) g")
        cls.primary.sql("checkpoint")

    PROGRAMS = {"zst": ["zstd", "-qdc"], "lz4": ["lz4", "-dc"], "br": ["brotli", "-dc"], "lzma": ["xz", "-dc", "--format=lzma"]}

    def compare(self, storage):
        """What the Go libraries make of each object is what the format's own program makes of it."""
        paths = [os.path.join(d, f) for d, _, fs in os.walk(storage) for f in fs if f.rsplit(".", 1)[-1] in self.PROGRAMS]
        self.assertGreater(len(paths), 0)
        lines = subprocess.run([self.tool, *paths], capture_output=True, text=True, timeout=120)
        self.assertEqual((lines.returncode, lines.stderr), (0, ""))
        for line in lines.stdout.splitlines():
            digest, size, path = line.split(" ", 2)
            plain = subprocess.run([*self.PROGRAMS[path.rsplit(".", 1)[-1]], path], capture_output=True, timeout=120, check=True).stdout
            self.assertEqual((digest, int(size)), (hashlib.sha256(plain).hexdigest(), len(plain)), path)
        return paths

    def test_backups_are_read_to_their_end(self):
        for method in ("zstd", "lz4"):
            storage = self.world.mkdir(method)
            self.world.walrig("backup-push", self.primary.pgdata, cluster=self.primary,
                              env={"WALG_FILE_PREFIX": storage, "WALG_COMPRESSION_METHOD": method, "WALG_UPLOAD_DISK_CONCURRENCY": "2"})
            paths = self.compare(storage)
            if method == "zstd":
                frames = subprocess.run(["zstd", "-l", max(paths, key=os.path.getsize)], capture_output=True, text=True, check=True).stdout
                self.assertGreater(int(frames.splitlines()[1].split()[0]), 1, "the object has one frame and proves nothing")

    def test_segments_are_read_to_their_end(self):
        fresh = Cluster(self.world, "fresh").initdb()
        segment = os.path.join(fresh.pgdata, "pg_wal/000000010000000000000001")
        storage = self.world.mkdir("segments")
        for method in self.PROGRAMS:
            name = {"zst": "zstd", "br": "brotli"}.get(method, method)
            self.world.walrig("wal-push", segment, env={"WALG_FILE_PREFIX": storage, "WALG_COMPRESSION_METHOD": name})
        self.assertEqual(len(self.compare(storage)), 4)


if __name__ == "__main__":
    unittest.main()
