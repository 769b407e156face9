"""A running PostgreSQL is backed up, archived, destroyed and brought back to any moment."""
import ctypes

from harness import *


def upload_manifest(cluster, text):
    """Has the server read a manifest as the base of an incremental backup; its complaint, or "". psql cannot say this command."""
    pq = ctypes.CDLL("libpq.so.5")
    for name in ("PQconnectdb", "PQexec", "PQgetResult"):
        getattr(pq, name).restype = ctypes.c_void_p
    pq.PQerrorMessage.restype = ctypes.c_char_p
    body = text.encode()
    connection = ctypes.c_void_p(pq.PQconnectdb(f"host={cluster.socket_dir} port={cluster.port} user=postgres replication=true".encode()))
    try:
        result = ctypes.c_void_p(pq.PQexec(connection, b"UPLOAD_MANIFEST"))
        if pq.PQresultStatus(result) == 4:  # PGRES_COPY_IN
            pq.PQclear(result)
            pq.PQputCopyData(connection, body, len(body))
            pq.PQputCopyEnd(connection, None)
            result = ctypes.c_void_p(pq.PQgetResult(connection))
        complaint = "" if pq.PQresultStatus(result) == 1 else pq.PQerrorMessage(connection).decode()  # PGRES_COMMAND_OK
        pq.PQclear(result)
        return complaint
    finally:
        pq.PQfinish(connection)


class RoundTrip(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World("round-trip")
        cls.addClassCleanup(cls.world.close)
        w = cls.world
        cls.ts1, cls.ts2 = w.mkdir("ts1"), w.mkdir("ts two")
        cls.primary = Cluster(w, "primary").initdb().archive()
        if server_major() >= 17:
            cls.primary.configure(summarize_wal="on")  # fills pg_wal/summaries
        cls.primary.start()
        p = cls.primary
        p.sql(f"create tablespace ts1 location '{cls.ts1}'")
        p.sql(f"create tablespace ts2 location '{cls.ts2}'")
        p.sql('create database "Bücher ""x"" y"')
        p.sql("create table t (id int primary key, v text)")
        p.sql("insert into t select g, repeat(md5(g::text), 8) from generate_series(1, 20000) g")
        p.sql("create table in_ts1 (id int) tablespace ts1")
        p.sql("insert into in_ts1 select generate_series(1, 5000)")
        p.sql("create table in_ts2 (id int) tablespace ts2")
        p.sql("insert into in_ts2 select generate_series(1, 7000)")
        p.sql("create unlogged table u (id int)")
        p.sql("insert into u select generate_series(1, 100)")
        p.sql("create table parted (id int) partition by range (id)")
        p.sql("create table parted_1 partition of parted for values from (0) to (1000)")
        # Odd but legal content of a data directory.
        odd = os.path.join(p.pgdata, "extra files")
        w.run(["mkdir", "-p", os.path.join(odd, "empty dir"), os.path.join(odd, "d" * 120)], check=True)
        for name in ("tab\there", "new\nline", "back\\slash", "quo'te", 'double"quote', "ünïcode", "n" * 200):
            w.run(["sh", "-c", 'printf %s "$1" > "$2"', "sh", "content of " + name, os.path.join(odd, name)], check=True)
        # A relation of more than 1 GiB, sparse: two segments, nearly all of it never written.
        p.sql("create table big (id int, v text)")
        cls.big = os.path.join(p.pgdata, p.sql("select pg_relation_filepath('big')"))
        p.sql("checkpoint")
        with open(cls.big, "r+b") as f:
            f.truncate(1 << 30)
        w.run(["sh", "-c", 'truncate -s 131072 "$1"', "sh", cls.big + ".1"], check=True)
        cls.backup_log = w.walrig("backup-push", p.pgdata, "--verify=strict", "--add-user-data", '{"ticket": 7}', cluster=p)
        p.sql("insert into t select g, 'after backup' from generate_series(20001, 20100) g")
        p.sql("select pg_create_restore_point('point_one')")
        cls.lsn_one = p.sql("select pg_current_wal_lsn()")
        time.sleep(0.05)
        cls.time_one = p.sql("select clock_timestamp()")
        time.sleep(0.05)
        cls.xid_two = p.sql("insert into t values (30000, 'second') returning xmin")
        cls.digest_two = cls.digest(p)
        p.sql("insert into t values (40000, 'third')")
        p.switch_wal()

    @staticmethod
    def digest(cluster):
        return cluster.sql("select count(*), md5(string_agg(id || v, ',' order by id)) from t")

    def fetch(self, name, *flags, target="LATEST", check=True):
        pgdata = self.world.path(name)
        spec = ["--tablespace-mapping", f"{self.ts1}={pgdata}.ts1", "--tablespace-mapping", f"{self.ts2}={pgdata}.ts2"]
        result = self.world.walrig("backup-fetch", pgdata, target, *spec, *flags, check=check)
        return pgdata, result

    def recover(self, name, *flags):
        pgdata, _ = self.fetch(name, *flags, "--target-action", "promote")
        cluster = Cluster(self.world, name, pgdata)
        cluster.configure(archive_mode="off")
        cluster.start()
        cluster.wait_for("select pg_is_in_recovery()", "f")
        self.addCleanup(cluster.stop, "immediate")
        return cluster

    def check_relations(self, cluster):
        if server_major() >= 14:
            done = self.world.run([f"{TOOLS}/pg_amcheck", "--install-missing", "-d", "postgres"], env=cluster.env)
            self.assertEqual(done.code, 0, str(done)[:4000])
            return
        skipped("pg_amcheck", f"PostgreSQL {server_major()} has no verify_heapam; indexes are checked with bt_index_check, which reads the heap too")
        cluster.sql("create extension amcheck")
        checked = cluster.sql("select count(bt_index_check(c.oid, true)) from pg_class c join pg_am a on a.oid = c.relam "
                              "where a.amname = 'btree' and c.relkind = 'i' and c.relpersistence = 'p'")
        self.assertGreater(int(checked), 50)

    def test_restored_directory_satisfies_pg_verifybackup(self):
        pgdata, _ = self.fetch("verified")
        self.assertEqual(self.world.check_directory(pgdata), "")
        with open(os.path.join(pgdata, "base/1/PG_VERSION"), "r+b") as f:
            f.write(b"7")
        self.assertIn("base/1/PG_VERSION", self.world.check_directory(pgdata), "the check does not see damage")

    def test_server_accepts_the_manifest(self):
        if server_major() < 17:
            self.skipTest(f"PostgreSQL {server_major()} reads no manifest itself (UPLOAD_MANIFEST came with 17)")
        pgdata, _ = self.fetch("manifest")
        with open(os.path.join(pgdata, "backup_manifest")) as f:
            text = f.read()
        self.assertEqual(upload_manifest(self.primary, text), "")
        self.assertIn("manifest", upload_manifest(self.primary, text.replace('"Size": ', '"Size": 1', 1)), "the server takes any manifest")

    def test_tells_clusters_with_page_checksums_from_those_without(self):
        # initdb's default changed with 18, the words in pg_control and the setting did not.
        self.assertNotIn("no page checksums", self.backup_log.err)
        plain = Cluster(self.world, "plain").initdb(checksums=False).archive("true").start()
        self.addCleanup(plain.stop, "immediate")
        storage = {"WALG_FILE_PREFIX": self.world.mkdir("plain-storage"), "WALRIG_WAL_ARCHIVE": "elsewhere"}
        done = self.world.walrig("backup-push", plain.pgdata, "--verify=strict", cluster=plain, env=storage)
        self.assertIn("no page checksums", done.err)
        self.world.walrig("backup-fetch", self.world.path("plain-restored"), "LATEST", env=storage)
        self.assertEqual(self.world.check_directory(self.world.path("plain-restored")), "")

    def test_no_timeout_of_the_role_ends_a_backup(self):
        c = Cluster(self.world, "hurried").initdb().archive("true").start()
        self.addCleanup(c.stop, "immediate")
        c.sql("create role hurried superuser login")
        for name, since in (("statement_timeout", 13), ("idle_in_transaction_session_timeout", 13), ("idle_session_timeout", 14), ("transaction_timeout", 17)):
            if server_major() >= since:
                c.sql(f"alter role hurried set {name} = '500ms'")
        # The start waits for a checkpoint that does not come, then the session idles while files are copied slowly.
        checkpointer = int(c.sql("select pid from pg_stat_activity where backend_type = 'checkpointer'"))
        os.kill(checkpointer, signal.SIGSTOP)
        try:
            process = self.world.popen([self.world.walrig_path, "backup-push", c.pgdata], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={
                **c.env, "PGUSER": "hurried", "WALG_FILE_PREFIX": self.world.mkdir("hurried-storage"), "WALG_DISK_RATE_LIMIT": "10000000", "WALRIG_WAL_ARCHIVE": "elsewhere"})
            wait_until(lambda: process.poll() is not None or c.sql(
                "select count(*) from pg_stat_activity where usename = 'hurried' and state = 'active' and now() - query_start > '1.5 s'") == "1")
        finally:
            os.kill(checkpointer, signal.SIGCONT)
        _, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err + c.server_log()[-2000:])

    def test_every_file_of_the_data_directory_comes_back(self):
        pgdata, _ = self.fetch("complete")
        odd = os.path.join(pgdata, "extra files")
        self.assertEqual(sorted(os.listdir(odd)), sorted(os.listdir(os.path.join(self.primary.pgdata, "extra files"))))
        with open(os.path.join(odd, "new\nline")) as f:
            self.assertEqual(f.read(), "content of new\nline")
        self.assertTrue(os.path.isdir(os.path.join(odd, "empty dir")))
        self.assertEqual(os.stat(pgdata).st_mode & 0o777, 0o700)
        self.assertEqual(os.path.getsize(os.path.join(pgdata, os.path.relpath(self.big, self.primary.pgdata))), 1 << 30)
        self.assertTrue(os.path.isdir(os.path.join(pgdata, "pg_wal")))
        self.assertFalse(os.path.exists(os.path.join(pgdata, "postmaster.pid")))

    def test_recovers_to_the_end_of_the_archive(self):
        c = self.recover("latest")
        self.assertEqual(c.sql("select count(*) from t"), "20102")
        self.assertEqual(c.sql("select count(*) from in_ts1"), "5000")
        self.assertEqual(c.sql("select count(*) from in_ts2"), "7000")
        self.assertEqual(c.sql("select count(*) from u"), "0")
        self.assertEqual(c.sql("select 1", database='Bücher "x" y'), "1")
        self.check_relations(c)

    def test_recovers_to_a_time(self):
        c = self.recover("at-time", "--recovery-target-time", self.time_one)
        self.assertEqual(c.sql("select count(*), max(id) from t"), "20100|20100")

    def test_recovers_to_an_lsn(self):
        c = self.recover("at-lsn", "--recovery-target-lsn", self.lsn_one)
        self.assertEqual(c.sql("select max(id) from t"), "20100")

    def test_recovers_to_a_transaction(self):
        c = self.recover("at-xid", "--recovery-target-xid", self.xid_two)
        self.assertEqual(self.digest(c), self.digest_two)

    def test_recovers_to_a_restore_point(self):
        c = self.recover("at-name", "--recovery-target-name", "point_one")
        self.assertEqual(c.sql("select max(id) from t"), "20100")

    def test_recovers_to_the_end_of_the_backup_only(self):
        c = self.recover("immediate", "--recovery-target-immediate")
        self.assertEqual(c.sql("select count(*) from t"), "20000")

    def test_lists_and_shows_the_backup(self):
        listed = json.loads(self.world.walrig("backup-list", "--json", "--detail").out)
        self.assertEqual(len(listed), 1)
        self.assertEqual(listed[0]["user_data"], {"ticket": 7})
        self.assertEqual(listed[0]["storage_name"], "default")
        plain = self.world.walrig("backup-list").out.split("\n")
        self.assertEqual(plain[0].split(), ["backup_name", "modified", "wal_file_name", "storage_name"])
        self.assertIn(listed[0]["backup_name"], self.world.walrig("backup-show", listed[0]["backup_name"]).out)
        self.assertIn(f"Wrote backup with name {listed[0]['backup_name']} to storage default", self.backup_log.err)

    def test_fetches_by_user_data(self):
        pgdata = self.world.path("by-user-data")
        self.world.walrig("backup-fetch", pgdata, "--target-user-data", '{"ticket": 7}', "--tablespace-mapping", f"{self.ts1}={pgdata}.1",
                          "--tablespace-mapping", f"{self.ts2}={pgdata}.2")
        self.assertTrue(os.path.exists(os.path.join(pgdata, "global/pg_control")))

    def test_verifies_the_backup_where_it_lies(self):
        self.world.walrig("backup-verify", "LATEST")

    def test_refuses_a_directory_that_is_not_empty(self):
        occupied = self.world.mkdir("occupied")
        self.world.run(["touch", os.path.join(occupied, "mine")], check=True)
        done = self.world.walrig("backup-fetch", occupied, "LATEST", check=False)
        self.assertEqual(done.code, 1, done)
        self.assertIn("not empty", done.err)
        self.assertEqual(os.listdir(occupied), ["mine"])

    def test_absent_segment_is_exit_74_and_leaves_nothing(self):
        target = self.world.path("RECOVERYXLOG")
        done = self.world.walrig("wal-fetch", "0000000100000000000000EE", target, check=False)
        self.assertEqual(done.code, 74, done)
        self.assertFalse(os.path.exists(target))

    def test_unknown_backup_is_an_error_that_names_it(self):
        done = self.world.walrig("backup-fetch", self.world.path("none"), "base_0000000100000000000000AA", check=False)
        self.assertEqual(done.code, 1, done)
        self.assertIn("base_0000000100000000000000AA", done.err)
        self.assertFalse(os.path.exists(self.world.path("none")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
