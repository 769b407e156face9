"""PostgreSQL is backed up, archived, verified and restored with cipher gcrypt; keys rotate, get lost, and never show."""
import base64
import re

from harness import *


class CipherGcrypt(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World("ciphers")
        cls.addClassCleanup(cls.world.close)

    def new_ring(self, name, *more):
        path = self.world.path(name)
        done = self.world.walrig("key", "new", path, *more)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        return path, json.loads(self.world.walrig("key", "list", path, "--json").out)[-1]["id"], done

    def server(self, name, env):
        w, before = self.world, dict(self.world.env)
        w.env.update(env)
        try:
            c = Cluster(w, name).initdb().archive().start()
        finally:
            w.env.clear()
            w.env.update(before)
        self.addCleanup(c.stop, "immediate")
        c.sql("create table t as select g as id, md5(g::text) as v from generate_series(1, 20000) g")
        return c

    def settings(self, name, method, **more):
        return {"WALG_FILE_PREFIX": self.world.mkdir("storage-" + name), "WALG_COMPRESSION_METHOD": method,
                "WALG_ZSTD_LEVEL": "fastest" if method == "zstd" else "", **more}

    def restore(self, name, env, backup="LATEST"):
        w = self.world
        pgdata = w.path("restored-" + name)
        before = dict(w.env)
        w.env.update(env)
        try:
            w.walrig("backup-fetch", pgdata, backup, "--target-action", "promote")
            r = Cluster(w, "restored-" + name, pgdata)
            r.configure(archive_mode="off")
            r.start()
            self.addCleanup(r.stop, "immediate")
            r.wait_for("select pg_is_in_recovery()", "f")
            return r.sql("select count(*), md5(string_agg(id || v, ',' order by id)) from t")
        finally:
            w.env.clear()
            w.env.update(before)

    def objects(self, storage):
        return sorted(os.path.join(directory, name) for directory, _, names in os.walk(storage) for name in names
                      if ("tar_partitions" in directory or "wal_005" in directory) and name != "walrig.archive")

    def round_trip(self, method, **more):
        w, name = self.world, "gcrypt-" + method
        ring, _, _ = self.new_ring("ring-" + name)
        env = self.settings(name, method, WALRIG_GCRYPT_KEY_FILE=ring, **more)
        c = self.server("server-" + name, env)
        w.walrig("backup-push", c.pgdata, cluster=c, env=env)
        c.sql("insert into t select g, 'later' from generate_series(20001, 20100) g")
        c.switch_wal()
        digest = c.sql("select count(*), md5(string_agg(id || v, ',' order by id)) from t")
        w.walrig("backup-verify", "LATEST", env=env)
        stored = self.objects(env["WALG_FILE_PREFIX"])
        self.assertGreater(len(stored), 4)
        for path in stored:
            with open(path, "rb") as f:
                self.assertEqual(f.read(8), b"\x89WRGC\r\n\x1a", path)
        self.assertEqual(self.restore(name, env), digest)
        self.check_refusals(name, env, stored)

    def check_refusals(self, name, env, stored):
        """Neither another key nor damage leaves a file that looks whole; without a key, the error names the cipher."""
        w = self.world
        other, other_id, _ = self.new_ring("other-" + name)
        segment = [p for p in stored if "wal_005" in p and ".backup" not in p and ".history" not in p][0]
        part = [p for p in stored if "part_" in p][0]
        for index, (what, more, cut) in enumerate((("another key", {"WALRIG_GCRYPT_KEY_FILE": other}, None), ("no key", {"WALRIG_GCRYPT_KEY_FILE": ""}, None),
                                                   ("cut at a chunk border", {}, "border"), ("a changed byte", {}, "byte"))):
            with self.subTest(name, what=what):
                for path in (segment, part):
                    with open(path, "rb") as f:
                        whole = f.read()
                    header = int.from_bytes(whole[12:16], "little")
                    changed = whole
                    if cut == "border":
                        changed = whole[:header + (len(whole) - header - 1) // 65552 * 65552]
                    elif cut == "byte":
                        changed = whole[:header + 5] + bytes([whole[header + 5] ^ 1]) + whole[header + 6:]
                    with open(path, "wb") as f:
                        f.write(changed)
                    target = w.path(f"refused-{name}-{index}-{path is part}")
                    if path is segment:
                        done = w.walrig("wal-fetch", os.path.basename(path)[:24], target, env={**env, **more}, check=False)
                        self.assertEqual(done.code, 126, done)
                        self.assertFalse(os.path.exists(target), done)
                    else:
                        done = w.walrig("backup-fetch", target, "LATEST", env={**env, **more}, check=False)
                        self.assertFalse(os.path.exists(os.path.join(target, "global/pg_control")), done)
                        verified = w.walrig("backup-verify", "LATEST", env={**env, **more}, check=False)
                        self.assertNotEqual(verified.code, 0, verified)
                    self.assertNotEqual(done.code, 0, done)
                    self.assertIn("gcrypt" if cut is None or path is segment else os.path.basename(path), done.err)
                    if what == "another key":
                        self.assertIn(other_id, done.err)
                    with open(path, "wb") as f:
                        f.write(whole)

    def test_with_zstd(self):
        self.round_trip("zstd")

    def test_with_lz4_and_chacha20(self):
        self.round_trip("lz4", WALRIG_GCRYPT_ALGORITHM="chacha20-poly1305")

    def test_with_none(self):
        self.round_trip("none")

    def test_rotation_keeps_old_backups_and_a_lost_key_is_named(self):
        w = self.world
        ring, old_id, _ = self.new_ring("ring-rotate")
        env = self.settings("rotate", "zstd", WALRIG_GCRYPT_KEY_FILE=ring)
        c = self.server("server-rotate", env)
        w.walrig("backup-push", c.pgdata, cluster=c, env=env)
        c.switch_wal()
        first = json.loads(w.walrig("backup-list", "--json", env=env).out)[0]["backup_name"]
        w.walrig("key", "rotate", ring)
        keys = json.loads(w.walrig("key", "list", ring, "--json").out)
        self.assertEqual([k["writes"] for k in keys], [False, True])
        c.sql("insert into t select g, 'after' from generate_series(20001, 20050) g")
        w.walrig("backup-push", c.pgdata, cluster=c, env=env)
        c.switch_wal()
        digest = c.sql("select count(*), md5(string_agg(id || v, ',' order by id)) from t")
        self.assertEqual(self.restore("rotate-old", env, first), digest)
        self.assertEqual(self.restore("rotate-new", env), digest)
        with open(ring) as f:
            lines = f.read().splitlines()
        without = w.path("ring-without-old")
        with open(without, "w") as f:
            f.write("\n".join(line for line in lines if f" {old_id} " not in line) + "\n")
        w.own(without)
        os.chmod(without, 0o600)
        lost = w.walrig("backup-fetch", w.path("lost"), first, env={**env, "WALRIG_GCRYPT_KEY_FILE": without}, check=False)
        self.assertEqual(lost.code, 1)
        self.assertIn(old_id, lost.err)
        w.walrig("backup-verify", "LATEST", env={**env, "WALRIG_GCRYPT_KEY_FILE": without})

    def test_a_host_with_the_public_half_writes_and_cannot_read(self):
        w = self.world
        ring, key_id, _ = self.new_ring("ring-secret", "--kind", "x25519")
        public = w.path("ring-public")
        with open(public, "w") as f:
            f.write(w.walrig("key", "list", ring, "--public").out)
        w.own(public)
        env = self.settings("public", "zstd", WALRIG_GCRYPT_KEY_FILE=public)
        c = self.server("server-public", env)
        w.walrig("backup-push", c.pgdata, cluster=c, env=env)
        c.switch_wal()
        digest = c.sql("select count(*), md5(string_agg(id || v, ',' order by id)) from t")
        refused = w.walrig("backup-fetch", w.path("public-refused"), "LATEST", env=env, check=False)
        self.assertEqual(refused.code, 1)
        self.assertIn("only the public half", refused.err)
        self.assertIn(key_id, refused.err)
        self.assertEqual(self.restore("public", {**env, "WALRIG_GCRYPT_KEY_FILE": ring}), digest)

    def test_st_copy_changes_keys_and_st_cat_reads_ranges(self):
        w = self.world
        ring, _, _ = self.new_ring("ring-copy-from")
        env = self.settings("copy-from", "zstd", WALRIG_GCRYPT_KEY_FILE=ring)
        c = self.server("server-copy", env)
        w.walrig("backup-push", c.pgdata, cluster=c, env=env)
        c.switch_wal()
        digest = c.sql("select count(*), md5(string_agg(id || v, ',' order by id)) from t")
        to = self.settings("copy-to", "zstd", WALRIG_GCRYPT_KEY_FILE=self.new_ring("ring-copy-to")[0])
        same_key = self.settings("copy-same", "zstd", WALRIG_GCRYPT_KEY_FILE=ring)
        files = {}
        for name, settings in (("from", env), ("to", to), ("same", same_key)):
            files[name] = w.path(f"copy-{name}.json")
            with open(files[name], "w") as f:
                json.dump({key: value for key, value in settings.items() if value}, f)
            w.own(files[name])
        # What the environment holds is neither side's, and would fit neither.
        lost = {"WALRIG_GCRYPT_KEY_FILE": w.path("no-such-ring"), "WALG_FILE_PREFIX": w.path("no-such-storage")}

        refused = w.walrig("st", "copy", "--from", files["from"], "--to", files["to"], "-d", "-e", env=lost, check=False)
        self.assertEqual(refused.code, 1, refused)
        self.assertIn("walrig.json", refused.err)
        w.walrig("st", "copy", "--from", files["from"], "--to", files["to"], "-d", "-e", "-p", "wal_005/", env=lost)
        for path in self.objects(env["WALG_FILE_PREFIX"]):
            if "wal_005" not in path or not re.fullmatch("[0-9A-F]{24}", os.path.basename(path)[:-4]):
                continue
            segment = os.path.basename(path)[:24]
            for settings, target in ((env, "from-" + segment), (to, "to-" + segment)):
                w.walrig("wal-fetch", segment, w.path(target), env=settings)
            with open(w.path("from-" + segment), "rb") as one, open(w.path("to-" + segment), "rb") as other:
                self.assertEqual(one.read(), other.read())
            wrong = w.walrig("wal-fetch", segment, w.path("wrong-" + segment),
                             env={**to, "WALRIG_GCRYPT_KEY_FILE": ring}, check=False)
            self.assertEqual(wrong.code, 126, wrong)

        w.walrig("st", "copy", "--from", files["from"], "--to", files["same"], env=lost)
        self.assertEqual(self.restore("copy-same", same_key), digest)
        # A range of an encrypted object: what the whole holds there.
        part = [p for p in self.objects(env["WALG_FILE_PREFIX"]) if "part_" in p][0]
        key = os.path.relpath(part, env["WALG_FILE_PREFIX"])
        w.walrig("st", "get", key, w.path("whole"), "--no-decompress", env=env)
        with open(w.path("whole"), "rb") as f:
            whole = f.read()
        for offset, length in ((0, 10), (65530, 20), (200000, 70000), (len(whole) - 5, 100)):
            w.run(["sh", "-c", f"'{w.walrig_path}' st cat '{key}' --decrypt --range {offset}:{length} > '{w.path('part')}'"], env=env)
            with open(w.path("part"), "rb") as f:
                self.assertEqual(f.read(), whole[offset:offset + length], offset)
        behind = w.walrig("st", "cat", key, "--decrypt", "--range", f"{len(whole) + 100000}:1", env=env, check=False)
        self.assertEqual(behind.code, 1, behind)
        itself = w.walrig("st", "copy", "--from", files["from"], "--to", files["from"], check=False)
        self.assertEqual(itself.code, 1, itself)
        self.assertIn("same place", itself.err)

    def test_plaintext_is_refused_unless_told(self):
        w = self.world
        plain = self.settings("plain", "zstd")
        c = self.server("server-plain", plain)
        w.walrig("backup-push", c.pgdata, cluster=c, env=plain)
        ring, _, _ = self.new_ring("ring-plain")
        env = {**plain, "WALRIG_GCRYPT_KEY_FILE": ring}
        refused = w.walrig("backup-verify", "LATEST", env=env, check=False)
        self.assertNotEqual(refused.code, 0)
        self.assertIn("not encrypted", refused.out + refused.err)
        w.walrig("backup-verify", "LATEST", env={**env, "WALRIG_ALLOW_PLAINTEXT": "true"})
        two = w.walrig("backup-verify", "LATEST", env={**env, "WALG_LIBSODIUM_KEY": "x" * 32}, check=False)
        self.assertIn("gcrypt", two.err)
        self.assertIn("libsodium", two.err)

    def test_keys_show_nowhere(self):
        w = self.world
        ring, _, _ = self.new_ring("ring-secret-grep")
        with open(ring) as f:
            text = f.read()
        material = [line.split()[4] for line in text.splitlines() if line.startswith("key ")][0]
        raw = base64.b64decode(material)
        needles = [raw, raw.hex().encode(), material.encode()]
        env = self.settings("grep", "zstd", WALRIG_GCRYPT_KEY_FILE=ring, WALG_LOG_LEVEL="TRACE")
        c = self.server("server-grep", env)

        def clean(where, content):
            content = content if isinstance(content, bytes) else content.encode()
            for needle in needles:
                self.assertNotIn(needle, content, where)

        done = w.walrig("backup-push", c.pgdata, cluster=c, env=env)
        clean("trace", done.out + done.err)
        by_value = {**env, "WALRIG_GCRYPT_KEY_FILE": "", "WALRIG_GCRYPT_KEY": material}
        done = w.walrig("backup-verify", "LATEST", env=by_value)
        clean("trace, key by value", done.out + done.err)
        done = w.walrig("config", "show", env=by_value)
        clean("config show", done.out + done.err)
        # A command's environment; the passphrase beside it must not be there either.
        seen = w.path("child-environment")
        command = f"env > '{seen}'; cat '{ring}'"
        done = w.walrig("backup-verify", "LATEST", env={**env, "WALRIG_GCRYPT_KEY_FILE": "", "WALRIG_GCRYPT_KEY_COMMAND": command,
                                                        "WALRIG_GCRYPT_PASSPHRASE": "words that nobody sees"})
        clean("trace, key by command", done.out + done.err)
        self.assertNotIn("nobody sees", done.out + done.err)
        with open(seen) as f:
            environment = f.read()
        clean("environment of a child", environment)
        self.assertNotIn("nobody sees", environment)
        self.check_running(c, env, clean, needles)

    def is_storing(self, pid, storage):
        """Whether a tar part is open, and so sealed; who is not root may not look and takes the backup's claim."""
        if not ROOT:
            return any("walrig.claim" in names for _, _, names in os.walk(storage))
        links = [os.readlink(link.path) for link in os.scandir(f"/proc/{pid}/fd") if os.path.islink(link.path)]
        return any("tar_partitions" in link for link in links)

    def check_running(self, c, env, clean, needles):
        """A backup that hangs on a slow network: its command line, and a core dump of it."""
        w = self.world
        slow = w.popen([w.walrig_path, "backup-push", c.pgdata], env={**env, **c.env, "WALG_NETWORK_RATE_LIMIT": "20000"},
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: self.is_storing(slow.pid, env["WALG_FILE_PREFIX"]), 60, "an object being written")
            with open(f"/proc/{slow.pid}/cmdline", "rb") as f:
                clean("cmdline", f.read())
            with open(f"/proc/{slow.pid}/status") as f:
                self.assertIn("walrig", f.read())
            if ROOT:
                self.assertEqual(os.stat(f"/proc/{slow.pid}/mem").st_uid, 0, "the process can be dumped by its user")
            if not ROOT or not shutil.which("gcore"):
                skipped("a core dump", "needs root and gdb's gcore, since the process lets nobody else dump it")
                return
            # What the kernel would dump; and all mappings, which shows that the key is there to be found.
            for what, flags in (("core dump", []), ("all memory", ["-a"])):
                core = os.path.join(w.dir, f"core-{len(flags)}")
                done = subprocess.run(["gcore", *flags, "-o", core, str(slow.pid)], capture_output=True, text=True, timeout=120)
                path = f"{core}.{slow.pid}"
                self.assertTrue(os.path.exists(path), done.stdout + done.stderr)
                with open(path, "rb") as f:
                    dump = f.read()
                self.assertIn(c.pgdata.encode(), dump, "the dump holds nothing of the process")
                if flags:
                    self.assertTrue(any(needle in dump for needle in needles), "the key was not in memory at all")
                else:
                    clean(what, dump)
        finally:
            slow.terminate()
            slow.wait(60)


if __name__ == "__main__":
    unittest.main(verbosity=2)
