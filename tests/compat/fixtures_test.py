#!/usr/bin/env python3
"""Reads storage that WAL-G wrote, with the real program, and answers the damaged copies of it as a careful reader does.

  fixtures_test.py --walrig PROGRAM --fixtures DIR [--jobs N] [CASE...]

DIR has the shape of tests/data/walg (its README). Every full backup, encrypted or not, is restored and compared with what WAL-G's
own restore made; every WAL object is fetched; every line of damaged/answers.tsv and derived/answers.tsv is asked.
What this version does not read yet (increments) must be refused in words before anything is
written. Exit code: 0 all passed, 1 some failed, 77 DIR is not there.
"""
import argparse
import concurrent.futures
import importlib.util
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time

SECONDS_MAX = 20  # of one command; a damaged backup is answered much sooner than that, and never retried for minutes
SECONDS_DAMAGED_MAX = 8


class Failed(Exception):
    pass


def expect(condition, text, run=None):
    if condition:
        return
    if run is not None:
        text += "\n      exit %s after %.1f s; stderr: %s" % (run.code, run.seconds, run.err.strip()[-1500:])
    raise Failed(text)


class Run:
    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds


class Case:
    """A prepared copy of a case in a directory of its own, and the commands that are run on it."""

    def __init__(self, suite, path, place):
        self.suite, self.name, self.place = suite, os.path.relpath(path, suite.fixtures), place
        self.path = path
        self.copy = os.path.join(place, "case")
        suite.check.prepare(path, self.copy)
        # The build tree may lie where others can write; the rules of trust have tests of their own.
        self.env = {"PATH": os.environ.get("PATH", ""), "HOME": os.path.join(place, "home"), "TZ": "UTC", "WALRIG_PLUGIN_TRUST": "any"}
        os.mkdir(self.env["HOME"])
        for key in ("LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "WALRIG_PLUGIN_DIR"):
            if key in os.environ:
                self.env[key] = os.environ[key]
        with open(os.path.join(self.copy, "env"), encoding="utf-8") as f:
            for line in f.read().split("\n"):
                if line:
                    key, value = line.split("=", 1)
                    self.env[key] = value
        self.count = 0

    def walrig(self, *words, seconds=SECONDS_MAX):
        begin = time.monotonic()
        try:
            done = subprocess.run([self.suite.walrig, *words], env=self.env, cwd=self.place, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds, text=True, errors="replace")
        except subprocess.TimeoutExpired as late:
            raise Failed("no end within %s s: walrig %s; stderr: %s" % (seconds, " ".join(words), late.stderr))
        return Run(done.returncode, done.stdout, done.stderr, time.monotonic() - begin)

    def target(self):
        """A directory to restore into, in a directory that shows whatever is written outside."""
        self.count += 1
        room = os.path.join(self.place, "room%d" % self.count)
        os.mkdir(room)
        return os.path.join(room, "data")

    def sentinel(self, backup):
        for root, _, files in os.walk(os.path.join(self.copy, "storage")):
            name = backup + "_backup_stop_sentinel.json"
            if name in files:
                with open(os.path.join(root, name), encoding="utf-8") as f:
                    return json.load(f)
        return {}

    def fetch(self, backup, target, seconds=SECONDS_MAX):
        """backup-fetch, with a restore spec when the backup has tablespaces."""
        words = ["backup-fetch", target, backup]
        try:
            spec = self.sentinel(backup).get("Spec")
        except (ValueError, AttributeError):
            spec = None
        if spec and spec.get("tablespaces"):
            moved = {"base_prefix": target, "tablespaces": spec["tablespaces"]}
            for oid in spec["tablespaces"]:
                place = os.path.join(self.place, "ts%d-%s" % (self.count, oid))
                moved[oid] = {"loc": place, "link": "pg_tblspc/" + oid}
            path = os.path.join(self.place, "spec%d.json" % self.count)
            with open(path, "w", encoding="utf-8") as f:
                json.dump(moved, f)
            words += ["--restore-spec", path]
        return self.walrig(*words, seconds=seconds)

    def compare(self, backup, target, allow_extra=()):
        """Differences from what WAL-G restored; the root's mode is ours where the tars do not tell it."""
        check = self.suite.check
        case = check.source(self.path)
        want = {row[0]: tuple(row[1:]) for row in check.table(os.path.join(case, "expected", backup + ".tsv"))}
        got = check.listing(target)
        expect(got["."][1] in ("0700", "0750"), "PostgreSQL would refuse mode %s of the data directory" % got["."][1])
        want["."] = got["."]
        lines = []
        for name in sorted(want.keys() | got.keys()):
            if want.get(name) != got.get(name) and not (name not in want and name in allow_extra):
                lines.append("%s: expected %s, restored %s" % (name, want.get(name), got.get(name)))
        expect(not lines, "%d differences: %s" % (len(lines), "; ".join(lines[:5])))

    def nothing_outside(self, target):
        room = os.path.dirname(target)
        others = [name for name in os.listdir(room) if name != "data"]
        expect(not others, "written outside the target: %s" % others)
        for name in ("/tmp/escaped-by-abs-link", "/escaped-absolute"):
            expect(not os.path.lexists(name), "written outside the target: " + name)

    def not_startable(self, target):
        expect(not os.path.lexists(os.path.join(target, "global/pg_control")), "a failed restore can be started")


class Suite:
    def __init__(self, walrig, fixtures):
        self.walrig, self.fixtures = os.path.abspath(walrig), os.path.abspath(fixtures)
        path = os.path.join(self.fixtures, "check.py")
        spec = importlib.util.spec_from_file_location("walg_check", path)
        self.check = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.check)

    def rows(self, folder):
        path = os.path.join(self.fixtures, folder, "answers.tsv")
        return self.check.table(path)[1:] if os.path.exists(path) else []

    def plan(self):
        """(name, function, case directory) of everything that is asked."""
        tests = []
        for name in sorted(os.listdir(self.fixtures)):
            path = os.path.join(self.fixtures, name)
            if os.path.exists(os.path.join(path, "env")) and os.path.isdir(os.path.join(path, "storage")):
                tests.append((name, ask_case, path))
        for row in self.rows("derived"):
            tests.append(("derived/" + row[0], ask_case, os.path.join(self.fixtures, "derived", row[0])))
        for row in self.rows("damaged"):
            tests.append(("damaged/" + row[0], lambda case, row=row: ask_damaged(case, row),
                          os.path.join(self.fixtures, "damaged", row[0])))
        return tests


def is_encrypted(case):
    return any(key.startswith(("WALG_LIBSODIUM_KEY", "WALG_PGP_KEY")) for key in case.env)


def refused_in_words(case, backup, words):
    """What joins later: an error that names it, before anything is written."""
    target = case.target()
    run = case.fetch(backup, target, SECONDS_DAMAGED_MAX)
    expect(run.code == 1, "%s: is not refused" % backup, run)
    expect(any(word in run.err.lower() for word in words), "%s: the error does not name what is missing" % backup, run)
    expect(not os.path.lexists(target), "%s: something was written" % backup, run)


def ask_backup(case, backup):
    if "_D_" in backup:
        return refused_in_words(case, backup, ("delta", "increment"))
    target = case.target()
    run = case.fetch(backup, target)
    expect(run.code == 0, "%s: not restored" % backup, run)
    case.compare(backup, target)
    case.nothing_outside(target)
    leftovers = [name for name in os.listdir(target) if name.startswith("walrig")]
    expect(not leftovers, "%s: left behind: %s" % (backup, leftovers))
    verified = case.walrig("backup-verify", backup)
    expect(verified.code == 0, "%s: restored, but not verified" % backup, verified)


def ask_wal(case):
    path = os.path.join(case.path, "wal.tsv")
    if not os.path.exists(path):
        path = os.path.join(case.suite.check.source(case.path), "wal.tsv")
    if not os.path.exists(path):
        return
    out = os.path.join(case.place, "wal")
    os.mkdir(out)
    for name, size, digest in case.suite.check.table(path):
        to = os.path.join(out, name)
        if name.endswith("_delta"):
            continue  # WAL-G's map of changed blocks, no WAL: PostgreSQL never asks for it
        run = case.walrig("wal-fetch", name, to)
        expect(run.code == 0, "%s: not fetched" % name, run)
        expect(os.path.getsize(to) == int(size), "%s: %d bytes, not %s" % (name, os.path.getsize(to), size))
        expect(case.suite.check.sha256(to) == digest, "%s: other content" % name)
    run = case.walrig("wal-fetch", "0000000F0000000000000001", os.path.join(out, "none"))
    expect(run.code == 74, "a WAL file that is not there is not exit code 74", run)


def ask_list(case):
    path = os.path.join(case.path, "backup-list.txt")
    if not os.path.exists(path):
        return
    for words, name in ((("backup-list",), "backup-list.txt"), (("backup-list", "--detail"), "backup-list-detail.txt")):
        run = case.walrig(*words)
        expect(run.code == 0, "%s fails" % " ".join(words), run)
        with open(os.path.join(case.path, name), encoding="utf-8") as f:
            wanted = f.read()
        expect(run.out == wanted, "%s prints another text:\n%s\nthan WAL-G:\n%s" % (" ".join(words), run.out, wanted))
    run = case.walrig("backup-list", "--detail", "--json")
    with open(os.path.join(case.path, "backup-list.json"), encoding="utf-8") as f:
        expect(json.loads(run.out) == json.load(f), "backup-list --detail --json says something else than WAL-G", run)


def ask_without_key(case):
    """What is encrypted is never taken for damaged, or for absent, without a word about a key."""
    keys = {key: case.env.pop(key) for key in list(case.env) if key.startswith(("WALG_LIBSODIUM", "WALG_PGP"))}
    target = case.target()
    run = case.fetch("LATEST", target, SECONDS_DAMAGED_MAX)
    expect(run.code == 1 and "encrypted" in run.err, "the absence of a key is not named", run)
    case.not_startable(target)
    case.env.update(keys)


def ask_case(case):
    if os.path.isdir(os.path.join(case.path, "storage/catchup_005")):
        return  # catchup joins with its own issue
    for backup in case.suite.check.backups(case.path):
        ask_backup(case, backup)
    if is_encrypted(case) and case.suite.check.backups(case.path):
        ask_without_key(case)
    ask_list(case)
    ask_wal(case)


# What a careful reader answers, by case; the words of answers.tsv as code.
RESTORED = {
    "metadata-garbage": (), "metadata-missing": (), "foreign-object-in-tar-partitions": (), "hostile-setuid": ("suid",),
    "hostile-absolute": ("escaped-absolute",),
}
MAY_BE_REFUSED = ("foreign-object-in-tar-partitions", "hostile-absolute")
# The object, or the thing, that the message must name.
NAMED = {
    "tar-truncated": "part_001", "tar-bit-flip": "part_001", "tar-last-byte-flip": "part_001", "tar-empty-object": "part_001",
    "tar-cut-before-compression": "part_001", "tar-cut-between-members": "base_000000010000000000000017",
    "tar-trailing-garbage": "backup_label.tar", "tar-header-checksum": "backup_label.tar", "part-missing": "part_003",
    "pg-control-missing": "pg_control.tar", "backup-label-missing": "backup_label.tar",
    "sentinel-garbage": "sentinel.json", "sentinel-empty": "sentinel.json", "sentinel-wrong-types": "sentinel.json",
    "files-metadata-garbage": "files_metadata.json", "files-metadata-missing": "files_metadata.json",
    "hostile-twice": "PG_VERSION", "libsodium-cut-on-chunk-border": "ends before its last message",
}


# The reason that a damaged encrypted object is refused with.
CIPHER_SAYS = {
    "damaged/libsodium-bit-flip": "damaged", "damaged/libsodium-last-byte-flip": "damaged", "damaged/libsodium-truncated": "damaged",
    "damaged/libsodium-not-encrypted": "not encrypted", "damaged/openpgp-not-encrypted": "not encrypted",
    "damaged/openpgp-last-byte-flip": "integrity check", "damaged/openpgp-truncated": "ends within",
    "damaged/openpgp-bit-flip": "openpgp:",
}


def ask_listing_of_damage(case, name):
    if name.startswith("sentinel-"):
        run = case.walrig("backup-list")
        expect(run.code == 0, "the listing ends at an unreadable sentinel", run)
        expect("_backup_stop_sentinel.json" in run.err, "the listing does not name the sentinel", run)
        expect("base_000000010000000000000017" in run.out, "the listing leaves the backup out", run)
    if name.startswith("metadata-"):
        run = case.walrig("backup-list", "--detail")
        expect(run.code == 0, "the detailed listing ends", run)
        expect("metadata.json" in run.err, "the detailed listing does not name the document", run)
        expect("base_000000010000000000000017" in run.out, "the detailed listing leaves the backup out", run)


def ask_damaged_wal(case, wal):
    to = os.path.join(case.place, "fetched")
    run = case.walrig("wal-fetch", wal, to, seconds=SECONDS_DAMAGED_MAX)
    expect(run.code == 126, "wrong exit code", run)
    expect(not os.path.lexists(to), "a file was left at the destination", run)
    expect(run.err.strip(), "no word why", run)
    expect(CIPHER_SAYS.get(case.name, "") in run.err, "does not say: " + CIPHER_SAYS.get(case.name, ""), run)


def backup_asked_for(case, named):
    if named != "LATEST":
        return named
    return case.suite.check.backups(case.path)[-1]


def ask_damaged(case, row):
    name, asked = row[0], row[2].split()
    if asked[0] == "wal-fetch":
        return ask_damaged_wal(case, asked[1])
    ask_listing_of_damage(case, name)
    backup = backup_asked_for(case, asked[1] if asked[0] == "backup-fetch" else "LATEST")
    target = case.target()
    run = case.fetch(backup if name.startswith(("increment", "parent", "delta")) else "LATEST", target, SECONDS_DAMAGED_MAX)
    case.nothing_outside(target)
    if name in RESTORED and (run.code == 0 or name not in MAY_BE_REFUSED):
        expect(run.code == 0, "is not restored", run)
        case.compare(backup, target, RESTORED[name])
        if name == "hostile-setuid":
            mode = stat.S_IMODE(os.lstat(os.path.join(target, "suid")).st_mode)
            expect(mode & 0o7000 == 0, "set-id bits were restored: %o" % mode)
        if name.startswith("foreign"):
            expect("README.txt" in run.err, "the foreign object is ignored without a word", run)
        return
    expect(run.code == 1, "is not refused", run)
    expect(NAMED.get(name, "") in run.err, "the message does not name %s" % NAMED.get(name), run)
    case.not_startable(target)
    if "_D_" in backup:
        expect(not os.path.lexists(target), "something was written", run)
    if name not in ("files-metadata-missing",):
        verified = case.walrig("backup-verify", backup, seconds=SECONDS_DAMAGED_MAX)
        expect(verified.code != 0, "backup-verify finds nothing", verified)


def run_one(suite, test):
    name, function, path = test
    place = tempfile.mkdtemp(prefix="walrig-fixture-")
    try:
        function(Case(suite, path, place))
        return name, None
    except Failed as failure:
        return name, str(failure)
    except Exception as error:  # a case that cannot even be asked is a failure with its reason
        return name, "%s: %s" % (type(error).__name__, error)
    finally:
        for root, dirs, _ in os.walk(place):
            for directory in dirs:
                full = os.path.join(root, directory)
                if not os.path.islink(full):
                    os.chmod(full, 0o700)
        shutil.rmtree(place, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--walrig", required=True)
    parser.add_argument("--fixtures", required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    if not args.fixtures or not os.path.isdir(args.fixtures):
        print("SKIP: no directory of fixtures ('%s'); set WALRIG_FIXTURES" % args.fixtures)
        return 77
    os.umask(0o022)  # the expected modes were listed under it
    suite = Suite(args.walrig, args.fixtures)
    tests = [test for test in suite.plan() if not args.cases or test[0] in args.cases]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(max(1, args.jobs)) as pool:
        for name, failure in pool.map(lambda test: run_one(suite, test), tests):
            bad += failure is not None
            print("ok    " + name if failure is None else "FAIL  %s: %s" % (name, failure), flush=True)
    print("%d asked, %d failed" % (len(tests), bad))
    return 1 if bad or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
