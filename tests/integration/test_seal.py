"""Who may write to the storage, and has no key, changes what an encrypted backup is made of: each way is refused."""
import hashlib

from harness import *


class Seal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = w = World("seal")
        cls.addClassCleanup(w.close)
        cls.ring = w.path("ring")
        w.walrig("key", "new", cls.ring)
        cls.env = {"WALG_FILE_PREFIX": w.mkdir("sealed"), "WALG_COMPRESSION_METHOD": "zstd", "WALG_ZSTD_LEVEL": "fastest",
                   "WALG_TAR_SIZE_THRESHOLD": str(4 << 20), "WALRIG_GCRYPT_KEY_FILE": cls.ring}
        before = dict(w.env)
        w.env.update(cls.env)
        try:
            c = cls.cluster = Cluster(w, "server").initdb().archive().start()
        finally:
            w.env.clear()
            w.env.update(before)
        cls.addClassCleanup(c.stop, "immediate")
        c.sql("create table t as select g as id, md5(g::text) as v from generate_series(1, 20000) g")
        for data in ("first", "second"):
            w.walrig("backup-push", c.pgdata, "--add-user-data", json.dumps({"which": data}), cluster=c, env=cls.env)
            c.sql("insert into t select g, 'later' from generate_series(20001, 20100) g")
            c.switch_wal()
        cls.old, cls.new = [b["backup_name"] for b in json.loads(w.walrig("backup-list", "--json", env=cls.env).out)]
        cls.count = cls.targets = 0

    def setUp(self):
        """Each test attacks a copy."""
        type(self).count += 1
        self.storage = self.world.path(f"copy-{self.count}")
        subprocess.run(["cp", "-a", self.env["WALG_FILE_PREFIX"], self.storage], check=True)
        self.env = {**self.env, "WALG_FILE_PREFIX": self.storage}

    def path(self, backup, name=""):
        base = os.path.join(self.storage, "basebackups_005")
        return os.path.join(base, backup, name) if name != "sentinel" else os.path.join(base, backup + "_backup_stop_sentinel.json")

    def read(self, path):
        with open(path, "rb") as f:
            return f.read()

    def write(self, path, content):
        with open(path, "wb") as f:
            f.write(content)

    def edit(self, path, change):
        document = json.loads(self.read(path))
        change(document)
        self.write(path, json.dumps(document).encode())

    def swap(self, a, b):
        one, two = self.read(a), self.read(b)
        self.write(a, two)
        self.write(b, one)

    def fetch(self, backup, **more):
        type(self).targets += 1
        target = self.world.path(f"restored-{self.targets}")
        return self.world.walrig("backup-fetch", target, backup, env={**self.env, **more}, check=False), target

    def verify(self, backup, **more):
        return self.world.walrig("backup-verify", backup, env={**self.env, **more}, check=False)

    def refused(self, backup, *words, **more):
        done, target = self.fetch(backup, **more)
        self.assertEqual(done.code, 1, done)
        self.assertFalse(os.path.exists(target) and os.listdir(target), "something was restored")
        verified = self.verify(backup, **more)
        self.assertNotEqual(verified.code, 0, verified)
        for word in words:
            self.assertIn(word, done.err)
            self.assertIn(word, verified.out + verified.err)

    def leave_out_a_part(self, backup):
        """A part goes, and every document in clear agrees that it never was."""
        files = json.loads(self.read(self.path(backup, "files_metadata.json")))
        part = next(name for name, members in sorted(files["TarFileSets"].items())
                    if name.startswith("part_") and not any("PG_VERSION" in m or "backup_label" in m for m in members) and len(members) > 1
                    and os.path.exists(self.path(backup, "tar_partitions/" + name)))
        gone = files["TarFileSets"].pop(part)
        os.remove(self.path(backup, "tar_partitions/" + part))
        for member in gone:
            files["Files"].pop(member, None)
        self.write(self.path(backup, "files_metadata.json"), json.dumps(files).encode())
        os.remove(self.path(backup, "backup_manifest"))

        def forget(proof):
            proof.pop("manifest")
            proof["objects"] = [o for o in proof["objects"] if o["name"].startswith("tar_partitions/") and not o["name"].endswith(part)]
        self.edit(self.path(backup, "walrig.json"), forget)
        return gone

    def test_an_untouched_backup_restores_and_verifies_with_a_seal_required(self):
        for backup in (self.old, self.new):
            self.assertEqual(self.read(self.path(backup, "walrig.json.seal"))[:8], b"\x89WRGC\r\n\x1a")
            done, _ = self.fetch(backup, WALRIG_REQUIRE_SEAL="true")
            self.assertEqual(done.code, 0, done)
            self.assertNotIn("seal", done.err)
            self.assertEqual(self.verify(backup, WALRIG_REQUIRE_SEAL="true").code, 0)

    def test_a_part_left_out_in_all_documents(self):
        gone = self.leave_out_a_part(self.new)
        self.refused(self.new, "walrig.json", "sealed")
        # Without the seal nothing tells: that is what the setting is for.
        self.edit(self.path(self.new, "walrig.json"), lambda proof: proof.pop("sealed"))
        os.remove(self.path(self.new, "walrig.json.seal"))
        done, target = self.fetch(self.new)
        self.assertEqual(done.code, 0, "the attack itself is wrong: " + done.err)
        self.assertFalse(os.path.exists(target + gone[0]))
        self.refused(self.new, "no seal", "WALRIG_REQUIRE_SEAL", WALRIG_REQUIRE_SEAL="true")

    def test_documents_that_were_edited(self):
        for name in ("files_metadata.json", "backup_manifest", "sentinel", "walrig.json"):
            with self.subTest(name):
                path = self.path(self.new, name)
                whole = self.read(path)
                # The same to a parser; and no hash of walrig.json is in the way.
                self.write(path, whole[:-2] + b" " + whole[-2:] if name == "backup_manifest" else whole + b"\n")
                self.refused(self.new, os.path.basename(path))
                self.write(path, whole)
        self.assertEqual(self.verify(self.new).code, 0)

    def test_documents_that_the_seal_holds_and_walrig_json_does_not(self):
        self.edit(self.path(self.new, "walrig.json"), lambda proof: proof.update(sealed=True))
        self.refused(self.new, "walrig.json is not the document that was sealed")

    def test_exchanged_documents_of_two_backups(self):
        for names in (("sentinel",), ("walrig.json",), ("files_metadata.json",), ("metadata.json",), ("walrig.json.seal",),
                      ("sentinel", "walrig.json", "files_metadata.json", "backup_manifest", "metadata.json", "walrig.json.seal")):
            with self.subTest(names=names):
                for name in names:
                    self.swap(self.path(self.old, name), self.path(self.new, name))
                self.refused(self.new)
                self.refused(self.old)
                for name in names:
                    self.swap(self.path(self.old, name), self.path(self.new, name))

    def test_an_old_backup_under_a_new_name(self):
        shutil.rmtree(self.path(self.new))
        subprocess.run(["cp", "-a", self.path(self.old), self.path(self.new)], check=True)
        subprocess.run(["cp", "-a", self.path(self.old, "sentinel"), self.path(self.new, "sentinel")], check=True)
        self.refused(self.new, "seal of another backup", self.old)

    def test_a_part_of_another_backup(self):
        part = sorted(n for n in os.listdir(self.path(self.new, "tar_partitions")) if n.startswith("part_"))[0]
        old, new = self.path(self.old, "tar_partitions/" + part), self.path(self.new, "tar_partitions/" + part)
        whole = self.read(new)
        self.write(new, self.read(old))
        for done in (self.fetch(self.new)[0], self.verify(self.new)):
            self.assertNotEqual(done.code, 0, done)
            self.assertIn(part, done.out + done.err)
        self.write(new, whole)
        extra = self.path(self.new, "tar_partitions/part_777.tar.zst")
        subprocess.run(["cp", "-a", old, extra], check=True)
        self.refused(self.new, "part_777.tar.zst", "is not part of the backup")

    def test_a_seal_that_is_gone_is_warned_of_and_refused_where_it_is_required(self):
        os.remove(self.path(self.new, "walrig.json.seal"))
        done, _ = self.fetch(self.new)
        self.assertEqual(done.code, 0, done)
        self.assertIn("walrig.json.seal is missing", done.err)
        self.assertNotEqual(self.verify(self.new).code, 0)
        self.refused(self.new, "WALRIG_REQUIRE_SEAL", WALRIG_REQUIRE_SEAL="true")

    def test_a_seal_in_clear_is_none_whatever_is_allowed(self):
        digest = lambda name: {"name": "backup_stop_sentinel.json" if name == "sentinel" else name,
                               "size": len(self.read(self.path(self.new, name))),
                               "sha256": hashlib.sha256(self.read(self.path(self.new, name))).hexdigest()}
        names = ("walrig.json", "sentinel", "backup_manifest", "files_metadata.json")
        seal = {"version": 1, "backup": self.new, "documents": [digest(name) for name in names]}
        self.write(self.path(self.new, "walrig.json.seal"), json.dumps(seal).encode())
        self.refused(self.new, "walrig.json.seal", WALRIG_ALLOW_PLAINTEXT="true")

    def test_a_backup_that_was_marked_permanent_by_wal_g_restores(self):
        def mark(metadata):
            metadata["is_permanent"] = True
        self.edit(self.path(self.new, "metadata.json"), mark)
        done, _ = self.fetch(self.new, WALRIG_REQUIRE_SEAL="true")
        self.assertEqual(done.code, 0, done)
        self.edit(self.path(self.new, "metadata.json"), lambda metadata: metadata.update(user_data={"which": "first"}))
        self.refused(self.new, "metadata.json")

    def test_a_backup_without_encryption_has_no_seal(self):
        plain = {**self.env, "WALRIG_GCRYPT_KEY_FILE": "", "WALG_FILE_PREFIX": self.world.mkdir("storage-plain"), "WALRIG_WAL_ARCHIVE": "elsewhere"}
        self.world.walrig("backup-push", self.cluster.pgdata, cluster=self.cluster, env=plain)
        self.assertFalse([n for _, _, names in os.walk(plain["WALG_FILE_PREFIX"]) for n in names if "seal" in n])
        done = self.world.walrig("backup-push", self.cluster.pgdata, cluster=self.cluster, env={**plain, "WALRIG_REQUIRE_SEAL": "true"}, check=False)
        self.assertNotEqual(done.code, 0)
        self.assertIn("no cipher is configured", done.err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
